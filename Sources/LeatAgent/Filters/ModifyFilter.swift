internal import LeatCore
internal import LeatParsing

/// `modify`: rules in the order in which they are written, applied when all conditions hold.
final class ModifyFilter: EventFilter {
    private let rules: [ModifyRule]
    private var conditions: [ModifyCondition]
    private var rewriter = RecordRewriter()

    init(_ configuration: PluginConfiguration) throws(Diagnostics) {
        var rules: [ModifyRule] = []
        var conditions: [ModifyCondition] = []
        for entry in configuration.settings.section.entries {
            if entry.key == "condition" {
                conditions.append(try ModifyCondition(entry))
            } else if let rule = try ModifyRule(entry) {
                rules.append(rule)
            }
        }
        self.rules = rules
        self.conditions = conditions
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        self.rewriter.rewrite(&events) { record, _ in
            for index in self.conditions.indices where !self.conditions[index].holds(record) { return .unchanged }
            var isChanged = false
            for rule in self.rules where rule.apply(to: &record) { isChanged = true }
            return isChanged ? .changed : .unchanged
        }
    }
}

/// One rule of `modify`.
private enum ModifyRule {
    case set([UInt8], [UInt8])
    case add([UInt8], [UInt8])
    case remove([UInt8])
    case removePrefix([UInt8])
    case removeMatching(PatternMatcher)
    case rename([UInt8], [UInt8], replaces: Bool)
    case copy([UInt8], [UInt8], replaces: Bool)
    case move([UInt8], toStart: Bool)

    /// `nil` for keys that are no rules.
    init?(_ entry: Section.Entry) throws(Diagnostics) {
        let contents = { (text: String) in FieldPath.contents(text) }
        switch entry.key {
        case "set", "add":
            let words = try FilterText.words(entry, 2, "a field and a value")
            let value = FilterText.json(words[1])
            self = entry.key == "set" ? .set(contents(words[0]), value) : .add(contents(words[0]), value)
        case "rename", "hard_rename":
            let words = try FilterText.words(entry, 2, "two fields")
            self = .rename(contents(words[0]), contents(words[1]), replaces: entry.key == "hard_rename")
        case "copy", "hard_copy":
            let words = try FilterText.words(entry, 2, "two fields")
            self = .copy(contents(words[0]), contents(words[1]), replaces: entry.key == "hard_copy")
        case "remove": self = .remove(contents(entry.value))
        case "remove_wildcard": self = .removePrefix(contents(Self.withoutStar(entry.value)))
        case "remove_regex": self = .removeMatching(PatternMatcher(try FilterText.pattern(entry.value, entry)))
        case "move_to_start": self = .move(contents(Self.withoutStar(entry.value)), toStart: true)
        case "move_to_end": self = .move(contents(Self.withoutStar(entry.value)), toStart: false)
        default: return nil
        }
    }

    private static func withoutStar(_ text: String) -> String { text.hasSuffix("*") ? String(text.dropLast()) : text }

    /// Whether the record was changed.
    func apply(to record: inout Record) -> Bool {
        switch self {
        case .set(let name, let value):
            Self.remove(&record) { $0.name($1).elementsEqual(name) }
            record.append(name: name, value: value)
        case .add(let name, let value):
            guard record.index(of: name) == nil else { return false }
            record.append(name: name, value: value)
        case .remove(let name): return Self.remove(&record) { $0.name($1).elementsEqual(name) }
        case .removePrefix(let prefix): return Self.remove(&record) { $0.name($1).starts(with: prefix) }
        case .removeMatching(let matcher):
            return Self.remove(&record) { record, index in
                record.name(index).withUnsafeBytes { matcher.matches($0) } == true
            }
        case .rename(let old, let new, let replaces):
            guard record.index(of: old) != nil, replaces || record.index(of: new) == nil else { return false }
            Self.remove(&record) { $0.name($1).elementsEqual(new) }
            guard let index = record.index(of: old) else { return false }
            record.rename(index, to: new)
        case .copy(let old, let new, let replaces):
            guard record.index(of: old) != nil, replaces || record.index(of: new) == nil else { return false }
            if old == new { return false }
            Self.remove(&record) { $0.name($1).elementsEqual(new) }
            guard let index = record.index(of: old) else { return false }
            record.copy(index, as: new)
        case .move(let prefix, let toStart):
            let moved = record.members.indices.filter { record.name($0).starts(with: prefix) }
            if moved.isEmpty { return false }
            record.move(moved, toStart: toStart)
        }
        return true
    }

    @discardableResult
    private static func remove(_ record: inout Record, _ isRemoved: (Record, Int) -> Bool) -> Bool {
        let before = record.members.count
        record.filter { !isRemoved($0, $1) }
        return record.members.count < before
    }
}

/// One condition of `modify`.
private struct ModifyCondition {
    private enum Test {
        case exists(FieldPath)
        case someNameMatches
        case valueEquals(FieldPath, [UInt8])
        case valueMatches(FieldPath)
        /// All fields whose name matches have a value that matches.
        case matchingValuesMatch(PatternMatcher)
    }

    private let test: Test
    private let isNegated: Bool
    private var matcher: PatternMatcher?

    init(_ entry: Section.Entry) throws(Diagnostics) {
        let words = try FilterText.words(entry, 2, "a condition and a field")
        let name = words[0].lowercased()
        let rest = words[1]
        switch name {
        case "key_exists", "key_does_not_exist":
            self.test = .exists(try FilterText.path(rest, entry))
        case "a_key_matches", "no_key_matches":
            self.test = .someNameMatches
            self.matcher = PatternMatcher(try FilterText.pattern(rest, entry))
        case "key_value_equals", "key_value_does_not_equal":
            let parts = try Self.parts(rest, entry)
            self.test = .valueEquals(try FilterText.path(parts[0], entry), Array(parts[1].utf8))
        case "key_value_matches", "key_value_does_not_match":
            let parts = try Self.parts(rest, entry)
            self.test = .valueMatches(try FilterText.path(parts[0], entry))
            self.matcher = PatternMatcher(try FilterText.pattern(parts[1], entry))
        case "matching_keys_have_matching_values", "matching_keys_do_not_have_matching_values":
            let parts = try Self.parts(rest, entry)
            self.test = .matchingValuesMatch(PatternMatcher(try FilterText.pattern(parts[0], entry)))
            self.matcher = PatternMatcher(try FilterText.pattern(parts[1], entry))
        default:
            let hint = NearestName.find(name, among: Self.names).map { "did you mean '\($0)'?" }
            throw Diagnostics(entry.valueMark.diagnostic("unknown condition '\(words[0])'", hint: hint))
        }
        self.isNegated = name.contains("_not_") || name.hasPrefix("no_")
    }

    private static let names = [
        "key_exists", "key_does_not_exist", "a_key_matches", "no_key_matches", "key_value_equals",
        "key_value_does_not_equal", "key_value_matches", "key_value_does_not_match",
        "matching_keys_have_matching_values", "matching_keys_do_not_have_matching_values",
    ]

    private static func parts(_ text: String, _ entry: Section.Entry) throws(Diagnostics) -> [String] {
        let parts = SettingValue.words(text, limit: 2)
        guard parts.count == 2 else {
            throw Diagnostics(entry.valueMark.diagnostic("'\(text)' is not a field and a value"))
        }
        return parts
    }

    func holds(_ record: Record) -> Bool {
        switch self.test {
        case .exists(let path): return (Self.value(path, record) != nil) != self.isNegated
        case .someNameMatches:
            return record.members.indices.contains { self.matches(record.name($0)) } != self.isNegated
        case .valueEquals(let path, let text):
            // A field that is absent neither equals nor differs.
            guard let value = Self.value(path, record) else { return false }
            return (Self.text(value) == text) != self.isNegated
        case .valueMatches(let path):
            guard let value = Self.value(path, record) else { return false }
            return self.matches(Self.text(value)[...]) != self.isNegated
        case .matchingValuesMatch(let names):
            for index in record.members.indices {
                guard record.name(index).withUnsafeBytes({ names.matches($0) }) == true else { continue }
                if self.matches(Self.text(record.value(index))[...]) == self.isNegated { return false }
            }
            return true
        }
    }

    private func matches(_ text: ArraySlice<UInt8>) -> Bool {
        text.withUnsafeBytes { self.matcher?.matches($0) } == true
    }

    private static func value(_ path: FieldPath, _ record: Record) -> ArraySlice<UInt8>? {
        guard case .key(let name)? = path.steps.first, let index = record.index(of: name) else { return nil }
        if path.steps.count == 1 { return record.value(index) }
        // Deeper in, the path is followed through a record of this member alone.
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        bytes += name
        bytes += "\":".utf8
        bytes += record.value(index)
        return bytes.withUnsafeBytes { path.find(in: $0) }.map { bytes[$0] }
    }

    private static func text(_ value: ArraySlice<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        value.withUnsafeBytes { RecordTemplate.appendText(of: $0, to: &text) }
        return text
    }
}
