internal import Glibc
internal import LeatCore

/// `[INPUT] head`: the beginning of a file, such as one of `/proc` or `/sys`, once per interval.
struct HeadSource: SampleSource {
    struct Options {
        var path = ""
        var key = "head"
        /// Most bytes of a text that is not divided into lines.
        var byteCountMax = 256
        /// Lines to read; 0: bytes.
        var lineCount = 0
        /// Whether each line is a field of its own, `line0`, `line1` and so on.
        var splitsLines = false
        var addsPath = false
    }

    /// Lines lie in the first so many bytes of the file, or count as empty.
    private static let linesByteCountMax = 1 << 20

    private let options: Options
    private let disk: any FileSystem

    init(_ options: Options, disk: any FileSystem) {
        self.options = options
        self.disk = disk
    }

    mutating func sample(_ now: Moment, to events: inout EventList) throws(InputError) {
        let usesLines = self.options.lineCount > 0
        let bytes = try self.beginning(usesLines ? Self.linesByteCountMax : self.options.byteCountMax)
        if usesLines, self.options.splitsLines {
            if self.options.addsPath { events.append("path", text: self.options.path) }
            let count = self.options.lineCount
            let lines = bytes.split(separator: 0x0A, maxSplits: count, omittingEmptySubsequences: false)
            for number in 0..<count {
                let line = number < lines.count ? lines[number] : []
                events.bytes.appendMember("line\(number)", text: line, start: events.openStart)
            }
        } else {
            let text = usesLines ? Self.lines(bytes, self.options.lineCount) : bytes[...]
            events.bytes.appendMember(self.options.key, text: text, start: events.openStart)
            if self.options.addsPath { events.append("path", text: self.options.path) }
        }
        events.endEvent(time: now.wall)
    }

    private func beginning(_ byteCountMax: Int) throws(InputError) -> [UInt8] {
        do throws(FileSystemError) {
            // Opening a pipe would wait for its writer.
            guard try self.disk.status(self.options.path)?.kind == .regular else {
                throw FileSystemError(operation: "read", path: self.options.path, code: ENOENT)
            }
            let file = try self.disk.open(self.options.path, .read)
            defer { file.close() }
            return try file.beginning(byteCountMax: byteCountMax)
        } catch {
            throw InputError(description: "\(error)")
        }
    }

    /// The first lines, with what ends them.
    private static func lines(_ bytes: [UInt8], _ count: Int) -> ArraySlice<UInt8> {
        var end = 0
        for _ in 0..<count {
            guard let next = bytes[end...].firstIndex(of: 0x0A) else { return bytes[...] }
            end = next + 1
        }
        return bytes[..<end]
    }
}
