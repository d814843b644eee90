internal import LeatCore

/// Events that a server refused for good: one JSON object a line, with the server's reason.
///
/// Half of the limit is for the file that grows, the other half for the one before it, which a third one replaces.
///
///     {"rejected_at":"2026-11-20T09:08:07.123Z","output":"es.0","tag":"kube.web","time":"…","reason":{…},"record":{…}}
final class DeadLetters {
    let path: String
    private let output: String
    private let disk: any FileSystem
    private let byteCountMax: UInt64
    /// Bytes that were deleted to stay within the limit.
    private(set) var deletedByteCount: UInt64 = 0
    private var file: (any File)?
    private var byteCount: UInt64 = 0

    init(
        output: String,
        names: BufferFileNames,
        disk: any FileSystem,
        byteCountMax: UInt64 = BufferLimits().deadLetterByteCountMax
    ) {
        self.byteCountMax = byteCountMax
        self.output = output
        self.path = names.deadLetter(output)
        self.disk = disk
    }

    /// Appends events and makes them durable.
    func append(_ lines: [UInt8]) throws(FileSystemError) {
        if self.file == nil { try self.open() }
        if self.byteCount > 0, self.byteCount + UInt64(lines.count) > self.byteCountMax / 2 { try self.beginAnew() }
        guard let file = self.file else { return }
        do throws(FileSystemError) {
            try file.write([ByteSlice(lines)], at: self.byteCount)
            try file.sync()
        } catch {
            // The events come again; what there is of them now must not stand before the next line.
            self.file = nil
            defer { file.close() }
            try file.truncate(to: self.byteCount)
            throw error
        }
        self.byteCount += UInt64(lines.count)
    }

    /// Puts the file in the place of the one before it.
    private func beginAnew() throws(FileSystemError) {
        let older = BufferFileNames.older(self.path)
        let lost = try self.disk.status(older)?.byteCount ?? 0
        self.file?.close()
        self.file = nil
        try self.disk.rename(self.path, to: older)
        self.deletedByteCount += lost
        try self.open()
    }

    /// Opens the file and cuts what a crash left of a line; its event was not settled and comes again.
    private func open() throws(FileSystemError) {
        try self.disk.createDirectory(self.path.parentFolder)
        let file = try self.disk.open(self.path, .readWrite)
        var end = try file.status().byteCount
        let last = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { last.deallocate() }
        while end > 0 {
            let count = try file.read(at: end - 1, into: last)
            if count == 1, last[0] == UInt8(ascii: "\n") { break }
            end -= 1
        }
        try file.truncate(to: end)
        try self.disk.syncDirectory(self.path.parentFolder)
        self.byteCount = end
        self.file = file
    }

    /// One line; `reason` is JSON, or empty.
    func line(
        _ event: ChunkEvent,
        record: UnsafeRawBufferPointer,
        reason: [UInt8],
        now: Timestamp
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        var writer = RecordTimeText()
        bytes.append("{\"rejected_at\":\"")
        writer.append(nanoseconds: now.nanoseconds, digitCount: 3, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        bytes.appendMember("output", text: self.output.utf8, start: 0)
        bytes.appendMember("tag", text: event.head.tag, start: 0)
        bytes.append(",\"time\":\"")
        writer.append(nanoseconds: event.time, digitCount: 9, to: &bytes)
        bytes.append("\",\"reason\":")
        bytes.append(contentsOf: reason.isEmpty ? Array("null".utf8) : reason)
        bytes.append(",\"record\":{")
        bytes.append(contentsOf: record)
        bytes.append("}}\n")
        return bytes
    }
}
