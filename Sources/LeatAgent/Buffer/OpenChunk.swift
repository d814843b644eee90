internal import LeatCore

/// A chunk that still takes frames: its durable part on disk, and what gathered since in memory.
final class OpenChunk {
    let header: ChunkHeader
    let outputs: OutputSet

    /// The file; `nil` until the first write.
    private(set) var file: (any File)?

    /// Durable bytes on disk; 0 while there are none.
    private(set) var byteCount = 0

    /// Bytes for the end of the file; the header first while nothing is durable.
    var unwritten: [UInt8]

    /// All bytes of the chunk, while it was written in one go.
    var content: [UInt8]?

    /// `buffer` is empty memory that can be used again.
    init(header: ChunkHeader, outputs: OutputSet, buffer: [UInt8]) {
        self.header = header
        self.outputs = outputs
        self.unwritten = buffer
        self.unwritten.append(contentsOf: header.encode())
        self.headerByteCount = self.unwritten.count
    }

    private let headerByteCount: Int

    var number: UInt64 { self.header.number }

    /// Whether there are frames that are not durable.
    var hasUnwritten: Bool { self.unwritten.count > (self.byteCount == 0 ? self.headerByteCount : 0) }

    /// Writes what is not durable at the end of the file; says whether the file is new.
    ///
    /// After an error the end is cut off again. A flush that failed elsewhere writes the same bytes once more, and what
    /// gathered since.
    func write(to disk: any FileSystem, names: BufferFileNames) throws(FileSystemError) -> Bool {
        var isNew = false
        if self.file == nil {
            let path = names.chunk(self.number)
            // What a failed attempt left under the name holds nothing durable.
            if try disk.status(path) != nil { try disk.remove(path) }
            self.file = try disk.open(path, .createNew)
            isNew = true
        }
        guard let file = self.file else { return isNew }
        do throws(FileSystemError) {
            let offset = UInt64(self.byteCount)
            let result = self.unwritten.withUnsafeBytes { bytes in
                // The slice is used only during the call, while the array stays where it is.
                Result { () throws(FileSystemError) in try file.write([ByteSlice(bytes, owner: nil)], at: offset) }
            }
            try result.get()
        } catch {
            try file.truncate(to: UInt64(self.byteCount))
            throw error
        }
        return isNew
    }

    /// Notes that everything written is durable; the number of new bytes.
    func commit() -> Int {
        guard self.hasUnwritten else { return 0 }
        let count = self.unwritten.count
        if self.byteCount == 0 {
            self.content = self.unwritten
            self.unwritten = []
        } else {
            self.content = nil
            self.unwritten.removeAll(keepingCapacity: true)
        }
        self.byteCount += count
        return count
    }

    /// Cuts what is not durable from the end of the file, durably.
    func cutUnwritten() throws(FileSystemError) {
        try self.file?.truncate(to: UInt64(self.byteCount))
        try self.file?.sync()
    }

    /// Takes over the frames that another chunk could not make durable.
    func takeUnwritten(of other: OpenChunk) {
        let frames = other.unwritten.dropFirst(other.byteCount == 0 ? other.headerByteCount : 0)
        self.unwritten.append(contentsOf: frames)
    }
}
