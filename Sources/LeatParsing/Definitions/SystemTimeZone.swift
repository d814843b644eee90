internal import Glibc
internal import LeatCore

/// The zone that the machine's clock shows: `TZ`, else `/etc/localtime`, a link or a copy, else UTC, as in the C library.
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
            guard access(link, F_OK) == 0 else { return .rules(.utc) }
            return Self.named(Self.target(of: link) ?? link, orFile: link)
        }
        if variable.isEmpty || variable == ":" { return .rules(.utc) }
        return Self.named(variable.hasPrefix(":") ? String(variable.dropFirst()) : variable)
    }

    /// The zone of a name, of a path into the database, or of a file elsewhere.
    private static func named(_ text: String, orFile file: String? = nil) -> Outcome {
        let isPath = text.hasPrefix("/") || text.hasPrefix("..")
        if isPath, let found = text.firstRange(of: Self.database),
            let rules = TimeZoneRules.named(String(text[found.upperBound...]))
        {
            return .rules(rules)
        }
        let rules = isPath ? TimeZoneRules.file(at: file ?? text) : TimeZoneRules.named(text)
        return rules.map(Outcome.rules) ?? .unknown(text)
    }

    /// Where a link points to; `nil` when it is none.
    private static func target(of path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}
