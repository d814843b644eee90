import Glibc
import LeatCore
import LeatTesting
import Testing

@Suite struct PosixFileSystemTests {
    @Test func largeFilesAreMappedAndSmallOnesRead() throws {
        try withTemporaryFolder { folder in
            let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
            let path = try folder.write("file", bytes)
            for threshold in [1, 50_000, 100_000, 100_001, .max] {
                #expect(try PosixFileSystem(mappedByteCountMin: threshold).contents(path).array == bytes)
            }
            let empty = try folder.write("empty", "")
            #expect(try PosixFileSystem(mappedByteCountMin: 0).contents(empty).isEmpty)
            // A file whose size the system does not tell.
            #expect(try PosixFileSystem().contents("/proc/self/status").text.hasPrefix("Name:"))
        }
    }

    @Test func aMappedFileThatIsCutShortIsDamageAndNotTheEnd() throws {
        try withTemporaryFolder { folder in
            let path = try folder.write("file", [UInt8](repeating: 0x61, count: 64 << 10))
            let slice = try PosixFileSystem(mappedByteCountMin: 1).contents(path)
            #expect(slice.unsafeBytes[0] == 0x61)
            #expect(!slice.hasReadError)
            let file = try PosixFileSystem().open(path, .readWrite)
            try file.truncate(to: 4096)
            // Touching what is no longer there raises SIGBUS, which becomes zeros and a mark.
            #expect(slice.withUnsafeBytes { $0[60_000] } == 0)
            #expect(slice.hasReadError)
            #expect(slice[100..<200].hasReadError)
            #expect(slice.unsafeBytes[0] == 0x61)

            // Another mapping, and another thread's, are as they were.
            let other = try PosixFileSystem(mappedByteCountMin: 1).contents(try folder.write("other", "abc"))
            #expect(!other.hasReadError)
            let path2 = try folder.write("second", [UInt8](repeating: 0x62, count: 64 << 10))
            let second = try PosixFileSystem(mappedByteCountMin: 1).contents(path2)
            try PosixFileSystem().open(path2, .readWrite).truncate(to: 0)
            let thread = WorkerThread(name: "test") { _ = second.withUnsafeBytes { ByteSearch.count(0x62, in: $0) } }
            thread.join()
            #expect(second.hasReadError)
        }
    }

    @Test func errorsNameTheOperationAndThePath() throws {
        let disk = PosixFileSystem()
        let error = #expect(throws: FileSystemError.self) { try disk.open("/nowhere/file", .read) }
        #expect(error?.description == "cannot open /nowhere/file: No such file or directory")
        #expect(throws: FileSystemError(operation: "sync", path: "/dev/null", code: EINVAL)) {
            try disk.open("/dev/null", .read).sync()
        }
    }

    @Test func manyPartsAreWrittenInOrder() throws {
        try withTemporaryFolder { folder in
            let parts = (0..<1000).map { ByteSlice("\($0),") }
            let file = try PosixFileSystem().open(folder.path("parts"), .createNew)
            try file.write(parts, at: 3)
            let expected: [UInt8] = [0, 0, 0] + (0..<1000).flatMap { Array("\($0),".utf8) }
            #expect(try folder.read("parts") == expected)
            try file.write([], at: 0)
            try file.write([ByteSlice.empty, ByteSlice("x"), ByteSlice.empty], at: 0)
            #expect(try folder.read("parts").prefix(3) == [0x78, 0, 0])
        }
    }

    @Test func clocksGoForward() {
        let clock = SystemTime()
        let first = clock.monotonicNanoseconds()
        #expect(clock.monotonicNanoseconds() >= first)
        #expect(clock.now() > Timestamp(milliseconds: 1_600_000_000_000))
        let deadline = clock.deadline(in: .seconds(1000))
        #expect(!clock.hasPassed(deadline))
        #expect(clock.hasPassed(clock.deadline(in: .zero)))
        let manual = ManualTime()
        let later = manual.deadline(in: .milliseconds(5))
        manual.advance(by: .milliseconds(4))
        #expect(!manual.hasPassed(later))
        manual.advance(by: .milliseconds(1))
        #expect(manual.hasPassed(later))
    }
}
