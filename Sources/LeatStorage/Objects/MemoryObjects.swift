internal import Glibc
internal import LeatCore
internal import Synchronization

/// Objects that live as long as this one; with faults on request, for tests.
final class MemoryObjects: ObjectStore {
    private struct State {
        var objects: [String: ByteSlice] = [:]
        var fault: (@Sendable (_ operation: String, _ key: String) -> Int32?)?
    }

    private let state = Mutex(State())

    init() {}

    /// Asks `fault` before every operation; the error number that it returns is thrown.
    func setFault(_ fault: (@Sendable (_ operation: String, _ key: String) -> Int32?)?) {
        self.state.withLock { $0.fault = fault }
    }

    private func check(_ operation: String, _ key: String) throws(StorageError) {
        if let code = self.state.withLock({ $0.fault })?(operation, key) {
            throw .file(FileSystemError(operation: operation, path: key, code: code))
        }
    }

    func location(of key: String) -> String { key }

    func put(_ key: String, _ parts: [ByteSlice]) throws(StorageError) {
        try self.check("put", key)
        let bytes = ByteSlice(parts.flatMap(\.array))
        let isNew = self.state.withLock { state in
            guard state.objects[key] == nil else { return false }
            state.objects[key] = bytes
            return true
        }
        guard isNew else { throw .file(FileSystemError(operation: "create", path: key, code: EEXIST)) }
    }

    func get(_ key: String) throws(StorageError) -> ByteSlice {
        try self.check("get", key)
        guard let bytes = self.state.withLock({ $0.objects[key] }) else {
            throw .file(FileSystemError(operation: "open", path: key, code: ENOENT))
        }
        return bytes
    }

    func list() throws(StorageError) -> [(key: String, byteCount: UInt64)] {
        try self.check("list", "")
        return self.state.withLock { state in
            state.objects.map { (key: $0.key, byteCount: UInt64($0.value.count)) }.sorted { $0.key < $1.key }
        }
    }

    func delete(_ key: String) throws(StorageError) {
        try self.check("delete", key)
        self.state.withLock { $0.objects[key] = nil }
    }
}
