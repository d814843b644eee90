internal import LeatStorage

/// Elasticsearch's index names, which become the datasource tag `#index`.
enum IndexName {
    /// Why a name is refused, in Elasticsearch's words; `nil` when it is valid.
    static func fault(_ name: String) -> String? {
        if name.isEmpty { return "index name must not be empty" }
        if name == "." || name == ".." { return "must not be '.' or '..'" }
        if name.utf8.count > ServerLimits.indexNameByteCountMax {
            return "index name is too long, (\(name.utf8.count) > \(ServerLimits.indexNameByteCountMax))"
        }
        // Date math such as <logs-{now/d}>: the part before the braces names the index.
        if name.hasPrefix("<"), name.hasSuffix(">") { return nil }
        if let first = name.utf8.first, [0x5F, 0x2D, 0x2B].contains(first) {
            return "must not start with '_', '-', or '+'"
        }
        if name.contains(where: { "\\/*?\"<>| ,".contains($0) }) {
            return "must not contain the following characters ['\\','/','*','?','\"','<','>','|',' ',',']"
        }
        if name.contains("#") { return "must not contain '#'" }
        if name.contains(":") { return "must not contain ':'" }
        if name.contains(where: \.isUppercase) { return "must be lowercase" }
        return nil
    }

    /// The tags of events of an index.
    static func tags(_ name: String) -> DatasourceTags {
        DatasourceTags([.init(name: "#index", value: Self.tag(name))])
    }

    /// The value of the tag `#index`: the name without a trailing date (`logs-2026.11.20` is `logs`).
    static func tag(_ name: String) -> String {
        var name = Substring(name)
        if name.hasPrefix("<") {
            name = name.dropFirst().prefix { $0 != "{" && $0 != ">" }
            while let last = name.last, "-_.".contains(last) { name = name.dropLast() }
        }
        let bytes = Array(name.utf8)
        for start in bytes.indices.dropFirst() where Self.isSeparator(bytes[start]) {
            if Self.isDate(bytes[(start + 1)...]) { return Self.cut(String(decoding: bytes[..<start], as: UTF8.self)) }
        }
        return Self.cut(String(name))
    }

    /// Whether bytes are a year, perhaps with month and day, with or without separators.
    private static func isDate(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.starts(with: [0x32, 0x30]) || bytes.starts(with: [0x31, 0x39]) else { return false }
        let groups = bytes.split(omittingEmptySubsequences: false, whereSeparator: Self.isSeparator)
        guard groups.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) } }) else { return false }
        return [[4], [4, 2], [4, 2, 2], [6], [8]].contains(groups.map(\.count))
    }

    private static func cut(_ name: String) -> String {
        var name = name
        while name.utf8.count > ServerLimits.tagByteCountMax { name.removeLast() }
        return name
    }

    private static func isSeparator(_ byte: UInt8) -> Bool { [0x2D, 0x2E, 0x5F].contains(byte) }
}
