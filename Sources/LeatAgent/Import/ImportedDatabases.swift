internal import LeatCore

/// Which databases of Fluent Bit were taken over: a file of paths in the state folder, one a line.
struct ImportedDatabases {
    let names: BufferFileNames
    let disk: any FileSystem

    /// Whether a database was taken over.
    func contains(_ path: String) throws(FileSystemError) -> Bool {
        guard try self.disk.status(self.names.imported) != nil else { return false }
        return try self.disk.contents(self.names.imported).text.split(separator: "\n").contains { $0 == path }
    }

    /// Notes that one was.
    func note(_ path: String) throws(FileSystemError) {
        let file = try self.disk.open(self.names.imported, .readWrite)
        defer { file.close() }
        try file.write([ByteSlice(path + "\n")], at: try file.status().byteCount)
        try file.sync()
    }
}
