internal import LeatCore
internal import LeatParsing

/// `type_converter`: writes a field's value as another type under another name; the first field stays.
///
/// A value that has no form of the new type, or is not of the type that the rule is for, gets the new name as it is.
final class TypeConverterFilter: EventFilter {
    private enum Kind: String {
        case int, uint, float, hex, bool, string = "str"
    }

    private struct Rule {
        let source: FieldPath
        let target: [UInt8]
        let from: Kind
        let to: Kind
    }

    private var rules: [Rule] = []
    private var output = EventList()

    init(_ configuration: PluginConfiguration) throws(Diagnostics) {
        for entry in configuration.settings.section.entries where entry.key.hasSuffix("_key") {
            guard let from = Kind(rawValue: String(entry.key.dropLast(4))) else { continue }
            let words = try FilterText.words(entry, 3, "a field, a new field and a type")
            let name = words[2].lowercased()
            guard let to = Kind(rawValue: name == "string" ? "str" : name) else {
                throw Diagnostics(
                    entry.valueMark.diagnostic(
                        "unknown type '\(words[2])'",
                        hint: "int, uint, float, hex, bool or string"
                    )
                )
            }
            let source = try FilterText.path(words[0], entry)
            self.rules.append(Rule(source: source, target: FieldPath.contents(words[1]), from: from, to: to))
        }
        if self.rules.isEmpty { throw Diagnostics(configuration.mark.diagnostic("this filter has no rule")) }
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        self.output.removeAll()
        self.output.bytes.reserveCapacity(events.bytes.count)
        for index in 0..<events.count {
            events.withMembers(of: index) { members in
                self.output.bytes.append(contentsOf: members)
                for rule in self.rules { self.append(rule, members) }
                self.output.endEvent(time: events.times[index])
            }
        }
        swap(&events, &self.output)
    }

    private func append(_ rule: Rule, _ members: UnsafeRawBufferPointer) {
        guard let found = rule.source.find(in: members) else { return }
        let value = members.slice(found)
        let isString = value.first == UInt8(ascii: "\"")
        let converted = isString == (rule.from == .string) ? Self.convert(value, to: rule.to) : nil
        if !members.isEmpty { self.output.bytes.append(UInt8(ascii: ",")) }
        self.output.bytes.append(UInt8(ascii: "\""))
        self.output.bytes += rule.target
        self.output.bytes += "\":".utf8
        self.output.bytes += converted ?? Array(value)
    }

    /// The value as JSON of another type; `nil` when it has no such form.
    private static func convert(_ value: UnsafeRawBufferPointer, to kind: Kind) -> [UInt8]? {
        var bytes: [UInt8] = []
        RecordTemplate.appendText(of: value, to: &bytes)
        let text = String(decoding: bytes, as: UTF8.self).trimmed
        switch kind {
        case .string: return FilterText.json(text)
        case .bool:
            let word = text.lowercased()
            return word.hasPrefix("true") ? Array("true".utf8) : word.hasPrefix("false") ? Array("false".utf8) : nil
        case .hex:
            let digits = text.lowercased().hasPrefix("0x") ? text.dropFirst(2) : text[...]
            return UInt64(digits.prefix { $0.isHexDigit }, radix: 16).map { Array(String($0).utf8) }
        case .int, .uint, .float: return Self.number(Self.numberPrefix(text), kind)
        }
    }

    private static func number(_ text: Substring, _ kind: Kind) -> [UInt8]? {
        guard let number = Double(text), number.isFinite else { return nil }
        switch kind {
        case .int:
            if let whole = Int64(text) { return Array(String(whole).utf8) }
            return abs(number) < 9.2e18 ? Array(String(Int64(number)).utf8) : nil
        case .uint:
            if let whole = UInt64(text) { return Array(String(whole).utf8) }
            return number >= 0 && number < 1.8e19 ? Array(String(UInt64(number)).utf8) : nil
        default:
            // A JSON float keeps its point, as a reader may tell the types apart by it.
            return Array(number.description.utf8)
        }
    }

    /// The number that a text begins with, such as `12` of `12ms`.
    private static func numberPrefix(_ text: String) -> Substring {
        var end = text.startIndex
        var longest = text[..<end]
        while end < text.endIndex, text[end].isNumber || "+-.eE".contains(text[end]) {
            end = text.index(after: end)
            if Double(text[..<end]) != nil { longest = text[..<end] }
        }
        return longest
    }
}
