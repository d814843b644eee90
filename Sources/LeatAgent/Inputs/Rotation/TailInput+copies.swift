internal import LeatCore

/// Compressed logs: each is read once it is whole, and not while the file that it was made of is.
extension TailInput {
    /// Whether a file that is compressed is whole, and no copy of one that is open.
    func isReadable(_ log: OpenLog) throws(FileSystemError) -> Bool {
        guard let archive = log.handle as? GzipLog else { return true }
        let isBesideOriginal = try GzipLog.isBesideOriginal(log.path, on: self.disk)
        var isWhole = self.isQuiet(log.status)
        if !isWhole, !isBesideOriginal { isWhole = try archive.isWhole() }
        if isBesideOriginal || !isWhole {
            // Somebody writes it; what it is a copy of can be told only when it is whole.
            self.growing.insert(log.path)
            return false
        }
        return try !self.isCopy(log)
    }

    /// Whether what is in a compressed file is being read under another name, or will be; it is looked at again when that
    /// ends.
    func isCopy(_ log: OpenLog) throws(FileSystemError) -> Bool {
        guard let archive = log.handle as? GzipLog else { return false }
        var content = try ArchiveContent(archive)
        for file in self.files.values where !file.isClosed {
            guard try content.isCopy(of: file) else { continue }
            file.copies.insert(log.path)
            return true
        }
        for original in self.waiting where !original.isCompressed && original.key != log.key {
            guard try content.isBeginning(of: original.handle) else { continue }
            self.waitingCopies[original.key, default: []].insert(log.path)
            return true
        }
        return false
    }
}

/// What a compressed log holds, by which it is told of what file it is a copy.
private struct ArchiveContent {
    private let archive: GzipLog
    /// Its first bytes, as many as an identity covers.
    private let prefix: [UInt8]
    /// Its length and its last bytes; known once some file begins like it.
    private var end: (byteCount: UInt64, marker: ContentMarker)?

    init(_ archive: GzipLog) throws(FileSystemError) {
        self.archive = archive
        self.prefix = try archive.bytes(at: 0, count: FileIdentity.prefixByteCountMax)
    }

    /// Whether this was made of a file that is followed.
    mutating func isCopy(of file: TailFile) throws(FileSystemError) -> Bool {
        let count = file.identity.prefixByteCount
        guard count <= self.prefix.count else { return false }
        let digest = self.prefix.withUnsafeBytes { Digest.xxh3($0.slice(0..<count)) }
        guard count == 0 || digest == file.identity.prefixDigest else { return false }
        if try self.isBeginning(of: file.file) { return true }
        // It was truncated since: what was read of it tells.
        let offset = file.state.offset
        guard count > 0, try file.file.status().byteCount < offset else { return false }
        return try file.marker.isBefore(offset, in: self.archive)
    }

    /// Whether an open file begins with all that is in this.
    mutating func isBeginning(of file: any File) throws(FileSystemError) -> Bool {
        guard !self.prefix.isEmpty, !(file is GzipLog), try file.status().byteCount >= UInt64(self.prefix.count),
            try file.bytes(at: 0, count: self.prefix.count) == self.prefix
        else { return false }
        if self.end == nil { self.end = try self.archive.end() }
        guard let end, try file.status().byteCount >= end.byteCount else { return false }
        return try end.marker.isBefore(end.byteCount, in: file)
    }
}

extension File {
    /// The bytes from `offset` on, at most `count`.
    fileprivate func bytes(at offset: UInt64, count: Int) throws(FileSystemError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, count), alignment: 8)
        defer { buffer.deallocate() }
        let found = try self.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
        return Array(buffer[..<found])
    }
}
