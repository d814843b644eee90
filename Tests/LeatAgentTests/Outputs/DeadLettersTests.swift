import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// The file of refused events stays within its limit.
@Suite struct DeadLettersTests {
    @Test func theOldestHalfGoesWhenTheLimitIsReached() throws {
        let disk = SimulatedFileSystem()
        let names = BufferFileNames(folder: "/state")
        try disk.createDirectory(names.deadLetters)
        let letters = DeadLetters(output: "es.0", names: names, disk: disk, byteCountMax: 100)
        for number in 0..<20 {
            try letters.append(Array("{\"number\":\(number + 10)}\n".utf8))
            let sizes = try [letters.path, BufferFileNames.older(letters.path)].map { path in
                try disk.status(path)?.byteCount ?? 0
            }
            #expect(sizes.reduce(0, +) <= 100)
        }
        let newest = try disk.contents(letters.path).text
        #expect(newest.hasSuffix("{\"number\":29}\n"))
        #expect(letters.deletedByteCount > 0)
        #expect(letters.deletedByteCount % 14 == 0)
    }
}
