/// The path and the query parameters of a request, decoded.
struct RequestTarget: Hashable, Sendable {
    /// The parts of the path between slashes, percent-decoded, without empty ones.
    let components: [String]
    /// The path as it came, without parameters.
    let path: String
    private let parameters: [Parameter]

    private struct Parameter: Hashable, Sendable {
        let name: String
        let value: String
    }

    /// Takes a request target (origin form, or absolute form as proxies send it) apart.
    init(_ text: String) {
        var text = Substring(text)
        for scheme in ["http://", "https://"] where text.lowercased().hasPrefix(scheme) {
            text = text.dropFirst(scheme.count).drop { $0 != "/" }
        }
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.path = String(parts.first ?? "")
        self.components = self.path.split(separator: "/").map { PercentCoding.decode($0, plusIsSpace: false) }
        self.parameters = (parts.count > 1 ? parts[1] : "").split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return Parameter(
                name: PercentCoding.decode(halves[0], plusIsSpace: true),
                value: halves.count > 1 ? PercentCoding.decode(halves[1], plusIsSpace: true) : ""
            )
        }
    }

    /// Whether the path ends with a slash.
    var hasTrailingSlash: Bool { self.path.hasSuffix("/") }

    /// The value of the first parameter of that name, empty if it has none; `nil` when absent.
    subscript(name: String) -> String? { self.parameters.first { $0.name == name }?.value }

    /// A parameter that is a switch: present without a value, or `true`.
    func flag(_ name: String) -> Bool { self[name].map { $0.isEmpty || $0 == "true" } ?? false }
}

/// RFC 3986 percent-encoding.
enum PercentCoding {
    /// The text with escapes decoded; broken escapes stay as they are, bytes that are not UTF-8 become U+FFFD.
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        let source = Array(text.utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "%"), index + 2 < source.count,
                let high = Self.digit(source[index + 1]), let low = Self.digit(source[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(plusIsSpace && source[index] == UInt8(ascii: "+") ? 0x20 : source[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
