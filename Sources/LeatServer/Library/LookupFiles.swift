internal import LeatCore
internal import LeatQuery
internal import LeatStorage
internal import Synchronization

/// The lookup files of all repositories, in the catalog and in memory; a change counts for the next query.
final class LookupFiles: Sendable {
    /// The kind of the catalog's documents; their names are `REPOSITORY/FILE`.
    private static let kind = "lookup-file"

    private let store: Store
    private let files: Mutex<[String: [String: ByteSlice]]>

    /// Reads the files of the catalog.
    ///
    /// - Throws: When the catalog cannot be read.
    init(_ store: Store) throws {
        self.store = store
        var files: [String: [String: ByteSlice]] = [:]
        for (name, bytes) in try store.documents(kind: Self.kind) {
            guard let (repository, file) = Self.parts(of: name) else { continue }
            files[repository, default: [:]][file] = ByteSlice(bytes)
        }
        self.files = Mutex(files)
    }

    private static func parts(of name: String) -> (repository: String, file: String)? {
        guard let slash = name.firstIndex(of: "/") else { return nil }
        return (String(name[..<slash]), String(name[name.index(after: slash)...]))
    }

    /// The files of a repository with their sizes, by name.
    func list(_ repository: String) -> [(name: String, byteCount: Int)] {
        self.files.withLock { $0[repository] ?? [:] }.map { ($0.key, $0.value.count) }.sorted { $0.name < $1.name }
    }

    /// The bytes of a file.
    func bytes(_ name: String, in repository: String) -> ByteSlice? { self.files.withLock { $0[repository]?[name] } }

    /// Keeps a file, in place of one of the same name; blocks.
    ///
    /// - Throws: 400 and 413 for names and sizes beyond the limits.
    func set(_ bytes: [UInt8], _ name: String, in repository: String) throws {
        if self.bytes(name, in: repository) == nil { try GivenName.check(name, of: "lookup file") }
        guard bytes.count <= ServerLimits.lookupFileByteCountMax else {
            throw RequestFault.text(
                413,
                "file_too_large",
                "a lookup file has at most \(ServerLimits.lookupFileByteCountMax) bytes"
            )
        }
        let (count, size) = self.files.withLock { files in
            let others = files.values.joined().filter { $0.key != name }
            return (files[repository]?.count ?? 0, others.reduce(0) { $0 + $1.value.count })
        }
        guard size + bytes.count <= ServerLimits.lookupByteCountMax, count < ServerLimits.lookupFileCountMax else {
            throw RequestFault.text(413, "too_many_files", "the lookup files are too many or too large; delete some")
        }
        try self.store.setDocument(bytes, kind: Self.kind, name: "\(repository)/\(name)")
        self.files.withLock { $0[repository, default: [:]][name] = ByteSlice(bytes) }
    }

    /// Forgets a file; blocks.
    ///
    /// - Returns: Whether it existed.
    func remove(_ name: String, in repository: String) throws -> Bool {
        guard self.bytes(name, in: repository) != nil else { return false }
        try self.store.setDocument(nil, kind: Self.kind, name: "\(repository)/\(name)")
        self.files.withLock { _ = $0[repository]?.removeValue(forKey: name) }
        return true
    }

    /// Forgets all files of a repository; blocks.
    func removeAll(of repository: String) throws {
        for file in self.list(repository) { _ = try self.remove(file.name, in: repository) }
    }

    /// The files of a repository as queries look them up.
    func provider(_ repository: String) -> any LookupFileProvider { Provider(files: self, repository: repository) }

    private struct Provider: LookupFileProvider {
        let files: LookupFiles
        let repository: String

        func lookupFile(_ name: String) -> ByteSlice? { self.files.bytes(name, in: self.repository) }
    }
}
