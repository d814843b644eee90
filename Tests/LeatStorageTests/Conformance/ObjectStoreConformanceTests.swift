import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// What every object store must do, run against each of them.
struct ObjectStoreConformanceTests {
    enum Implementation: CaseIterable, CustomTestStringConvertible {
        case directory, simulatedDirectory, memory

        var testDescription: String { "\(self)" }

        func make(_ folder: TemporaryFolder) throws -> any ObjectStore {
            switch self {
            case .directory: return DirectoryObjects(fileSystem: PosixFileSystem(), root: folder.path)
            case .simulatedDirectory:
                let disk = CrashDisk()
                try disk.createDirectory("/objects")
                return DirectoryObjects(fileSystem: disk, root: "/objects")
            case .memory: return MemoryObjects()
            }
        }
    }

    @Test(arguments: Implementation.allCases)
    func whatIsPutIsThereWhole(_ implementation: Implementation) throws {
        let folder = try TemporaryFolder()
        let objects = try implementation.make(folder)
        #expect(try objects.list().isEmpty)
        try objects.put("1/b", [ByteSlice("ab"), .empty, ByteSlice("c")])
        try objects.put("1/a", [ByteSlice([UInt8](repeating: 7, count: 70_000))])
        try objects.put("2/empty", [])
        try objects.put("top", [ByteSlice("x")])
        #expect(try objects.get("1/b").text == "abc")
        #expect(try objects.get("1/a").array == [UInt8](repeating: 7, count: 70_000))
        #expect(try objects.get("2/empty").isEmpty)
        let list = try objects.list()
        #expect(list.map(\.key) == ["1/a", "1/b", "2/empty", "top"])
        #expect(list.map(\.byteCount) == [70_000, 3, 0, 1])
        #expect(objects.location(of: "1/b").hasSuffix("1/b"))
    }

    @Test(arguments: Implementation.allCases)
    func anObjectNeverChanges(_ implementation: Implementation) throws {
        let folder = try TemporaryFolder()
        let objects = try implementation.make(folder)
        try objects.put("1/a", [ByteSlice("first")])
        #expect(throws: StorageError.self) { try objects.put("1/a", [ByteSlice("second")]) }
        #expect(try objects.get("1/a").text == "first")
        #expect(try objects.list().map(\.key) == ["1/a"], "a refused object leaves nothing behind")
    }

    @Test(arguments: Implementation.allCases)
    func whatIsReadOutlivesItsObject(_ implementation: Implementation) throws {
        let folder = try TemporaryFolder()
        let objects = try implementation.make(folder)
        let bytes = [UInt8](repeating: 9, count: 20_000)
        try objects.put("1/a", [ByteSlice(bytes)])
        let read = try objects.get("1/a")
        try objects.delete("1/a")
        try objects.delete("1/a")
        #expect(read.array == bytes)
        #expect(throws: StorageError.self) { try objects.get("1/a") }
        #expect(try objects.list().isEmpty)
        try objects.put("1/a", [ByteSlice("again")])
        #expect(try objects.get("1/a").text == "again")
    }

    /// At every operation of a `put` that fails, the object is there whole or not at all, and can be put again.
    @Test func aFaultLeavesNoHalfObject() throws {
        var step = 1
        while true {
            let disk = CrashDisk()
            try disk.createDirectory("/objects")
            let objects = DirectoryObjects(fileSystem: disk, root: "/objects")
            disk.fail(after: step, with: ENOSPC)
            do {
                try objects.put("1/a", [ByteSlice("abc")])
                #expect(try objects.get("1/a").text == "abc")
                if disk.operationCount < step { break }
            } catch {
                for object in try objects.list() {
                    #expect(object.key.hasSuffix(StorageFileNames.temporarySuffix) || object.byteCount == 3)
                }
            }
            step += 1
        }
        #expect(step > 4)
    }

    @Test func faultsOfTheOneInMemoryChangeNothing() throws {
        let objects = MemoryObjects()
        objects.setFault { operation, _ in operation == "put" ? ENOSPC : nil }
        #expect(throws: StorageError.self) { try objects.put("a", [ByteSlice("x")]) }
        #expect(try objects.list().isEmpty)
        objects.setFault { operation, _ in operation == "delete" ? EIO : nil }
        try objects.put("a", [ByteSlice("x")])
        #expect(throws: StorageError.self) { try objects.delete("a") }
        #expect(try objects.get("a").text == "x")
    }
}
