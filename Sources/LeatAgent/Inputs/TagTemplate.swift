internal import LeatCore

/// A route tag with `<name>` in it, each of which stands for a named group of an expression over the file's path.
struct TagTemplate {
    let tag: String
    private let names: [(name: String, group: Int)]
    private let matcher: PatternMatcher

    /// `pattern` is `Tag_Regex`.
    init(tag: String, pattern: Pattern) {
        self.tag = tag
        self.names = pattern.groups.map { ($0.name, $0.number) }
        self.matcher = PatternMatcher(pattern)
    }

    /// The tag for a path; a path that does not match leaves the tag as it is, as in Fluent Bit.
    func text(for path: String) -> String {
        Array(path.utf8).withUnsafeBytes { bytes in
            guard case .match = self.matcher.match(bytes) else { return self.tag }
            var result = self.tag
            for (name, group) in self.names {
                guard let range = self.matcher.range(ofGroup: group) else { continue }
                let value = String(decoding: bytes.slice(range), as: UTF8.self)
                result = Self.replacing("<\(name)>", in: result, by: value)
            }
            return result
        }
    }

    private static func replacing(_ place: String, in text: String, by value: String) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: "<") {
            result += rest[..<start]
            rest = rest[start...]
            if rest.hasPrefix(place) {
                result += value
                rest = rest.dropFirst(place.count)
            } else {
                result += "<"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }
}
