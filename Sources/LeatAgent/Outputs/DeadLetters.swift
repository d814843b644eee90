internal import LeatCore

/// Events that a server refused for good: one JSON object a line, with the server's reason.
///
///     {"rejected_at":"2026-11-20T09:08:07.123Z","output":"es.0","tag":"kube.web","time":"…","reason":{…},"record":{…}}
final class DeadLetters {
    let path: String
    private let output: String
    private let disk: any FileSystem
    private var file: (any File)?
    private var byteCount: UInt64 = 0

    init(output: String, names: BufferFileNames, disk: any FileSystem) {
        self.output = output
        self.path = names.deadLetter(output)
        self.disk = disk
    }

    /// Appends events and makes them durable.
    func append(_ lines: [UInt8]) throws(FileSystemError) {
        if self.file == nil {
            try self.disk.createDirectory(self.path.parentFolder)
            let file = try self.disk.open(self.path, .readWrite)
            self.byteCount = try file.status().byteCount
            self.file = file
            try self.disk.syncDirectory(self.path.parentFolder)
        }
        guard let file = self.file else { return }
        do throws(FileSystemError) {
            try file.write([ByteSlice(lines)], at: self.byteCount)
            try file.sync()
        } catch {
            self.file = nil
            file.close()
            throw error
        }
        self.byteCount += UInt64(lines.count)
    }

    /// One line; `reason` is JSON, or empty.
    func line(
        _ event: ChunkEvent,
        record: UnsafeRawBufferPointer,
        reason: [UInt8],
        now: Timestamp
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        var writer = TimeText()
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
