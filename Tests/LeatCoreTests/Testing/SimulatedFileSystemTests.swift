import Glibc
import LeatCore
import LeatTesting
import Testing

@Suite struct SimulatedFileSystemTests {
    static func write(_ disk: any FileSystem, _ path: String, _ text: String, at offset: UInt64 = 0) throws -> any File
    {
        let file = try disk.open(path, .readWrite)
        try file.write([ByteSlice(text)], at: offset)
        return file
    }

    /// Both disks answer alike to what a program does; the real one is the twin.
    @Test func behavesAsTheRealDisk() throws {
        try withTemporaryFolder { folder in
            let simulated = SimulatedFileSystem()
            try simulated.createDirectory(folder.path)
            for disk in [simulated, PosixFileSystem(mappedByteCountMin: 3)] as [any FileSystem] {
                try Self.exercise(disk, folder.path)
            }
        }
    }

    static func exercise(_ disk: any FileSystem, _ folder: String) throws {
        let code = { (body: () throws(FileSystemError) -> Void) -> Int32? in
            do throws(FileSystemError) {
                try body()
                return nil
            } catch {
                return error.code
            }
        }
        try disk.createDirectory("\(folder)/a/b")
        try disk.createDirectory("\(folder)/a/b")
        let file = try Self.write(disk, "\(folder)/a/x", "hello")
        try file.write([ByteSlice("J"), ByteSlice("ELLO"), ByteSlice("!")], at: 0)
        try file.write([ByteSlice("z")], at: 8)
        #expect(try disk.contents("\(folder)/a/x").array == Array("JELLO!\0\0z".utf8))
        try file.truncate(to: 5)
        try file.sync()
        try disk.syncDirectory("\(folder)/a")
        var buffer = [UInt8](repeating: 0, count: 10)
        let count = try buffer.withUnsafeMutableBytes { try file.read(at: 3, into: $0) }
        #expect(count == 2)
        #expect(buffer.prefix(2) == Array("LO".utf8)[...])
        let atEnd = try buffer.withUnsafeMutableBytes { try file.read(at: 5, into: $0) }
        #expect(atEnd == 0)

        try disk.link("\(folder)/a/x", to: "\(folder)/a/y")
        #expect(try file.status().linkCount == 2)
        try disk.rename("\(folder)/a/x", to: "\(folder)/z")
        #expect(try disk.list("\(folder)/a") == ["b", "y"])
        #expect(try disk.list(folder) == ["a", "z"])
        #expect(try disk.status("\(folder)/a/x") == nil)
        #expect(try disk.status("\(folder)/a")?.kind == .directory)
        #expect(try disk.status("\(folder)/z")?.byteCount == 5)
        #expect(try disk.status("\(folder)/z")?.inode == file.status().inode)
        #expect(code { () throws(FileSystemError) in _ = try disk.open("\(folder)/none", .read) } == ENOENT)
        #expect(code { () throws(FileSystemError) in _ = try disk.open("\(folder)/no/x", .readWrite) } == ENOENT)
        #expect(code { () throws(FileSystemError) in _ = try disk.open("\(folder)/z", .createNew) } == EEXIST)
        #expect(code { () throws(FileSystemError) in try disk.link("\(folder)/z", to: "\(folder)/a/y") } == EEXIST)
        #expect(code { () throws(FileSystemError) in try disk.remove("\(folder)/a") } == ENOTEMPTY)
        #expect(code { () throws(FileSystemError) in _ = try disk.list("\(folder)/z") } == ENOTDIR)
        #expect(code { () throws(FileSystemError) in _ = try disk.contents("\(folder)/none") } == ENOENT)

        try disk.remove("\(folder)/z")
        try disk.remove("\(folder)/a/y")
        #expect(try file.status().linkCount == 0)
        try file.write([ByteSlice("still")], at: 0)
        file.close()
        try disk.remove("\(folder)/a/b")
        try disk.remove("\(folder)/a")
        #expect(try disk.list(folder) == [])
        #expect(try disk.space(folder).free > 0)
    }

    @Test func whatIsSyncedSurvivesAndTheRestMayNot() throws {
        let disk = SimulatedFileSystem()
        let file = try Self.write(disk, "/log", "durable")
        try file.sync()
        try disk.syncDirectory("/")
        try file.write([ByteSlice("-lost")], at: 7)
        _ = try Self.write(disk, "/new", "x")
        let sure = disk.crashedWithOnlyDurable()
        #expect(try sure.list("/") == ["log"])
        #expect(try sure.contents("/log").text == "durable")

        var seen: Set<String> = []
        for state in disk.legalStates(limit: 200) {
            let text = try state.contents("/log").text
            #expect("durable-lost".hasPrefix(text) && text.hasPrefix("durable"))
            seen.insert(text)
            if try state.status("/new") != nil { seen.insert("new:" + (try state.contents("/new").text)) }
        }
        #expect(seen.isSuperset(of: ["durable", "durable-lost", "durable-lo", "new:", "new:x"]))
    }

    @Test func syncOfAFileDoesNotSyncItsName() throws {
        let disk = SimulatedFileSystem()
        let file = try Self.write(disk, "/a.tmp", "v2")
        try file.sync()
        #expect(try disk.crashedWithOnlyDurable().list("/") == [])
        try disk.rename("/a.tmp", to: "/a")
        for state in disk.legalStates(limit: 50) {
            // Renamed wholly or not at all, and never both names.
            #expect([[], ["a"], ["a.tmp"]].contains(try state.list("/")))
        }
        try disk.syncDirectory("/")
        for state in disk.legalStates(limit: 10) { #expect(try state.contents("/a").text == "v2") }
    }

    @Test func aFailedSyncLosesForGood() throws {
        let disk = SimulatedFileSystem()
        let file = try Self.write(disk, "/f", "one")
        try disk.syncDirectory("/")
        disk.setFaults { $0.kind == .sync ? .error(EIO) : nil }
        #expect(throws: FileSystemError(operation: "sync", path: "/f", code: EIO)) { try file.sync() }
        disk.setFaults(nil)
        try file.sync()
        #expect(try disk.contents("/f").text == "one")
        #expect(try disk.crashedWithOnlyDurable().contents("/f").text == "")
    }

    @Test func writesStopWhereTheyAreTold() throws {
        let disk = SimulatedFileSystem(byteCountMax: 8)
        let file = try Self.write(disk, "/f", "12345")
        #expect(throws: FileSystemError(operation: "write", path: "/f", code: ENOSPC)) {
            try file.write([ByteSlice("6789A")], at: 5)
        }
        #expect(try disk.contents("/f").text == "12345678")
        try file.write([ByteSlice("x")], at: 0)
        try file.truncate(to: 0)
        disk.setFaults { _ in .shortWrite(byteCount: 2, code: EIO) }
        #expect(throws: FileSystemError(operation: "write", path: "/f", code: EIO)) {
            try file.write([ByteSlice("abc")], at: 0)
        }
        #expect(try disk.contents("/f").text == "ab")
    }

    @Test func afterAPowerCutNothingWorksUntilTheCrash() throws {
        let disk = SimulatedFileSystem()
        let file = try Self.write(disk, "/f", "x")
        let count = disk.operationCount
        disk.setFaults { $0.number > count ? .powerCut : nil }
        #expect(throws: FileSystemError.self) { try file.sync() }
        #expect(throws: FileSystemError.self) { try disk.contents("/f") }
        #expect(disk.isPowerCut)
        let after = disk.crashed(seed: 3)
        #expect(!after.isPowerCut)
        _ = try after.list("/")
        #expect(try disk.crashed(seed: 3).list("/") == after.list("/"))
    }
}
