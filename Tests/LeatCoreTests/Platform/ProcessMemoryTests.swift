import LeatCore
import Testing

struct ProcessMemoryTests {
    /// Many small pieces, every other one freed again, leave holes that only malloc can use; given back, they are no
    /// longer held.
    @Test func freedMemoryIsGivenBack() throws {
        let pieces = (0..<32_768).map { _ in
            let piece = UnsafeMutableRawPointer.allocate(byteCount: 6_000, alignment: 16)
            piece.initializeMemory(as: UInt8.self, repeating: 1, count: 6_000)
            return piece
        }
        let half = pieces.count / 2
        for piece in pieces[..<half] { piece.deallocate() }
        let before = try #require(ProcessMemory.spareByteCount)
        ProcessMemory.giveBack()
        let after = try #require(ProcessMemory.spareByteCount)
        for piece in pieces[half...] { piece.deallocate() }
        #expect(before > 90 << 20)
        #expect(after + 16 << 20 < before)
    }
}
