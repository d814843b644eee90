internal import LeatCore

/// The names under which rotated files are found.
enum RotatedName {
    /// Endings of compressed files that are not read.
    private static let unreadEndings = [".tmp", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".Z"]

    /// Whether a path may be that of a file that was at one of the places before: `app.log.1`, `app.log-20261130.gz`,
    /// `0.log.20261130-080000`, or, for the log of a container that was started anew, `0.log` for `1.log`.
    static func isOne(_ path: String, of places: [String]) -> Bool {
        let name = path.lastPathComponent
        return places.contains { Self.isName(name, of: $0.lastPathComponent) }
    }

    private static func isName(_ name: String, of base: String) -> Bool {
        guard !self.unreadEndings.contains(where: name.hasSuffix) else { return false }
        if name.hasPrefix(base), let mark = name.utf8.dropFirst(base.utf8.count).first {
            return Self.isMark(mark) && Self.isSuffix(name.utf8.dropFirst(base.utf8.count + 1))
        }
        return Self.startCount(base) != nil && Self.startCount(name) != nil && name != base
    }

    /// The names of which a name may be a rotated one, but for those of other containers' logs.
    static func bases(of name: String) -> [String] {
        guard !self.unreadEndings.contains(where: name.hasSuffix) else { return [] }
        return name.utf8.indices.dropFirst().compactMap { mark in
            guard Self.isMark(name.utf8[mark]), Self.isSuffix(name.utf8[mark...].dropFirst()) else { return nil }
            return String(name[..<mark])
        }
    }

    private static func isMark(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") }

    /// Whether what follows a name is a number or a date, or says that the file is an old one.
    private static func isSuffix(_ suffix: Substring.UTF8View) -> Bool {
        if suffix.contains(where: { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) { return true }
        return ["old", "bak", "prev", "save", "orig", "gz", "old.gz"].contains { suffix.elementsEqual($0.utf8) }
    }

    /// The number in front of `.log`: how often the container had been started.
    static func startCount(_ name: String) -> Int? {
        guard let end = name.utf8.firstIndex(of: UInt8(ascii: ".")), name[end...].hasPrefix(".log") else { return nil }
        return Int(name[..<end])
    }
}
