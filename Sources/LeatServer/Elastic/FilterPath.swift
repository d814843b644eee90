internal import LeatCore

/// Elasticsearch's `filter_path`: which parts of an answer the client wants.
///
/// A comma list of patterns over names separated by dots; `*` is one level or a part of a name, `**` any number of levels,
/// array elements are transparent, a leading `-` excludes. Objects that lose all their members disappear.
/// Source: Elasticsearch "Common options", response filtering.
struct FilterPath: Hashable, Sendable {
    private typealias Pattern = [[UInt8]]

    private let included: [[[UInt8]]]
    private let excluded: [[[UInt8]]]

    /// The filter for a parameter's value; `nil` when it selects everything.
    init?(_ text: String) {
        var included: [Pattern] = []
        var excluded: [Pattern] = []
        for part in text.split(separator: ",") {
            let name = part.drop { $0 == " " }
            let levels = name.drop { $0 == "-" }.split(separator: ".").map { Array($0.utf8) }
            guard !levels.isEmpty else { continue }
            if name.hasPrefix("-") { excluded.append(levels) } else { included.append(levels) }
        }
        guard !included.isEmpty || !excluded.isEmpty else { return nil }
        self.included = included
        self.excluded = excluded
    }

    /// What remains of a value; `nil` when nothing does.
    func apply(to value: JSONValue) -> JSONValue? {
        var value = value
        if !self.included.isEmpty {
            guard let kept = Self.include(value, self.included) else { return nil }
            value = kept
        }
        if !self.excluded.isEmpty {
            guard let kept = Self.exclude(value, self.excluded) else { return nil }
            value = kept
        }
        return value
    }

    private static func include(_ value: JSONValue, _ patterns: [Pattern]) -> JSONValue? {
        switch value {
        case .array(let elements):
            let kept = elements.compactMap { Self.include($0, patterns) }
            return kept.isEmpty ? nil : .array(kept)
        case .object(let members):
            var kept: [JSONValue.Member] = []
            for member in members {
                let rest = Self.descend(patterns, into: member.key)
                if rest.contains(where: { $0.isEmpty || $0 == [[0x2A, 0x2A]] }) {
                    kept.append(member)
                } else if !rest.isEmpty, let value = Self.include(member.value, rest) {
                    kept.append(JSONValue.Member(member.key, value))
                }
            }
            return kept.isEmpty ? nil : .object(kept)
        default:
            return nil
        }
    }

    private static func exclude(_ value: JSONValue, _ patterns: [Pattern]) -> JSONValue? {
        switch value {
        case .array(let elements):
            let kept = elements.compactMap { Self.exclude($0, patterns) }
            return kept.isEmpty && !elements.isEmpty ? nil : .array(kept)
        case .object(let members):
            var kept: [JSONValue.Member] = []
            for member in members {
                let rest = Self.descend(patterns, into: member.key)
                if rest.contains(where: \.isEmpty) { continue }
                if let value = rest.isEmpty ? member.value : Self.exclude(member.value, rest) {
                    kept.append(JSONValue.Member(member.key, value))
                }
            }
            return kept.isEmpty && !members.isEmpty ? nil : .object(kept)
        default:
            return value
        }
    }

    /// The parts of the patterns that are left after a level of that name.
    private static func descend(_ patterns: [Pattern], into name: String) -> [Pattern] {
        let name = Array(name.utf8)
        var rest: [Pattern] = []
        for pattern in patterns {
            if pattern[0] == [0x2A, 0x2A] {
                rest.append(pattern)
                if pattern.count > 1, Wildcard.matches(name, pattern[1]) { rest.append(Array(pattern.dropFirst(2))) }
            } else if Wildcard.matches(name, pattern[0]) {
                rest.append(Array(pattern.dropFirst()))
            }
        }
        return rest
    }
}

/// Names with `*` for any run of bytes.
enum Wildcard {
    /// Whether the whole name fits the pattern; linear time in the product of their lengths at worst.
    static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        var nameIndex = 0
        var patternIndex = 0
        var retry: (pattern: Int, name: Int)?
        while nameIndex < name.count {
            if patternIndex < pattern.count, pattern[patternIndex] == UInt8(ascii: "*") {
                retry = (patternIndex + 1, nameIndex)
                patternIndex += 1
            } else if patternIndex < pattern.count, pattern[patternIndex] == name[nameIndex] {
                patternIndex += 1
                nameIndex += 1
            } else if let last = retry {
                retry = (last.pattern, last.name + 1)
                patternIndex = last.pattern
                nameIndex = last.name + 1
            } else {
                return false
            }
        }
        return pattern[patternIndex...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
