internal import Glibc
internal import LeatCore

/// The zone that the machine's clock shows: `TZ`, else what `/etc/localtime` points to, else UTC, as in the C library.
enum SystemTimeZone {
    enum Outcome {
        case rules(TimeZoneRules)
        /// The zone has this name, or path, and nobody knows its rules.
        case unknown(String)
    }

    private static let database = "/zoneinfo/"

    static func find() -> Outcome { Self.find(variable: getenv("TZ").map { String(cString: $0) }) }

    /// `variable` is the value of `TZ`.
    static func find(variable: String?, link: String = "/etc/localtime") -> Outcome {
        guard let variable else {
            guard let target = Self.target(of: link) else { return .rules(.utc) }
            return Self.named(target)
        }
        if variable.isEmpty || variable == ":" { return .rules(.utc) }
        return Self.named(variable.hasPrefix(":") ? String(variable.dropFirst()) : variable)
    }

    /// The zone of a name, or of a path into the database.
    private static func named(_ text: String) -> Outcome {
        var name = text[...]
        if let found = text.firstRange(of: Self.database), text.hasPrefix("/") || text.hasPrefix("..") {
            name = text[found.upperBound...]
        }
        return TimeZoneRules.named(String(name)).map(Outcome.rules) ?? .unknown(text)
    }

    /// Where a link points to, the file's own path when it is none, `nil` when there is no file.
    private static func target(of path: String) -> String? {
        guard access(path, F_OK) == 0 else { return nil }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : path
    }
}
