internal import LeatCore
internal import LeatParsing

/// `rotate`: a file that is long enough gets another name, `FILE.20261130_114501_0a1b2c3d`, is compressed, and the oldest of
/// them go.
struct FileRotation: Sendable {
    /// Bytes at which a file is rotated before the next write.
    var byteCountMax: UInt64 = 100_000_000
    /// Rotated files that stay, at least 1.
    var fileCountMax = 7
    var compresses = true

    /// Bytes that are compressed at a time; each becomes a member of the gzip file, as `gzip -d` expects.
    private static let memberByteCount = 1 << 20

    /// The keys of an output; `nil` without `rotate`.
    init?(_ settings: Settings) throws(Diagnostics) {
        guard settings.flag("rotate") else { return nil }
        if let limit = settings.byteCount("rotate_max_size") { self.byteCountMax = UInt64(limit) }
        if let count = settings.integer("rotate_max_files") { self.fileCountMax = count }
        self.compresses = settings.flag("rotate_gzip")
        for (key, isValid) in [("rotate_max_size", self.byteCountMax > 0), ("rotate_max_files", self.fileCountMax > 0)]
        where !isValid {
            guard let entry = settings.entries(key).last else { continue }
            throw Diagnostics(entry.valueMark.diagnostic("\(key) must be more than 0"))
        }
    }

    /// Gives a file its other name.
    func rename(_ path: String, now: Timestamp, files: any FileSystem) throws(FileSystemError) {
        try files.rename(path, to: path + "." + Self.suffix(now: now, random: SystemRandom.uint64()))
    }

    /// Compresses rotated files that are not, then removes the oldest; blocks, and may run on any thread.
    func tidy(_ path: String, files: any FileSystem) throws(FileSystemError) {
        let folder = path.parentFolder
        let base = String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
        // One that was being compressed when the agent ended is begun anew.
        if self.compresses {
            for name in try files.list(folder) where Self.isRotated(name, of: base) && !name.hasSuffix(".gz") {
                try Self.compress(folder + "/" + name, files: files)
            }
        }
        var rotated: [(stamp: Substring, changed: Int64, path: String)] = []
        for name in try files.list(folder) where Self.isRotated(name, of: base) {
            guard let status = try files.status(folder + "/" + name) else { continue }
            let stamp = name.dropFirst(base.count + 1).prefix(15)
            rotated.append((stamp, status.modifiedAt.nanoseconds, folder + "/" + name))
        }
        rotated.sort { ($0.stamp, $0.changed, $0.path) < ($1.stamp, $1.changed, $1.path) }
        for old in rotated.dropLast(self.fileCountMax) { try files.remove(old.path) }
    }

    private static func compress(_ path: String, files: any FileSystem) throws(FileSystemError) {
        let part = path + ".gz.part"
        if try files.status(part) != nil { try files.remove(part) }
        let source = try files.open(path, .read)
        defer { source.close() }
        let target = try files.open(part, .createNew)
        defer { target.close() }
        var offset: UInt64 = 0
        var written: UInt64 = 0
        while true {
            var bytes = [UInt8](repeating: 0, count: Self.memberByteCount)
            let result = bytes.withUnsafeMutableBytes { buffer in
                Result { () throws(FileSystemError) in try source.read(at: offset, into: buffer) }
            }
            let count = try result.get()
            // A file without bytes is a member without bytes.
            if count == 0, written > 0 { break }
            offset += UInt64(count)
            let member = bytes.withUnsafeBytes { Deflate.gzip($0.slice(0..<count)) }
            try target.write([ByteSlice(member)], at: written)
            written += UInt64(member.count)
            if count == 0 { break }
        }
        try target.sync()
        try files.rename(part, to: path + ".gz")
        try files.remove(path)
    }

    /// `20261130_114501_0a1b2c3d`: the time in UTC, and what tells rotations of one second apart.
    static func suffix(now: Timestamp, random: UInt64) -> String {
        let time = CivilTime(now)
        func digits(_ value: Int, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let date = digits(Int(time.year), 4) + digits(Int(time.month), 2) + digits(Int(time.day), 2)
        let clock = digits(Int(time.hour), 2) + digits(Int(time.minute), 2) + digits(Int(time.second), 2)
        return "\(date)_\(clock)_\(hexadecimal(random).suffix(8))"
    }

    /// Whether a name is that of a rotated file; Fluent Bit's older ones end with the time.
    static func isRotated(_ name: String, of base: String) -> Bool {
        guard name.hasPrefix(base + ".") else { return false }
        var suffix = Array(name.utf8.dropFirst(base.utf8.count + 1))
        if suffix.suffix(3) == Array(".gz".utf8)[...] { suffix.removeLast(3) }
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        let isHexadecimal = { (byte: UInt8) in Character(UnicodeScalar(byte)).isHexDigit }
        guard suffix.count == 15 || suffix.count == 24, suffix[..<8].allSatisfy(isDigit),
            suffix[8] == UInt8(ascii: "_"), suffix[9..<15].allSatisfy(isDigit)
        else { return false }
        return suffix.count == 15 || suffix[15] == UInt8(ascii: "_") && suffix[16...].allSatisfy(isHexadecimal)
    }
}
