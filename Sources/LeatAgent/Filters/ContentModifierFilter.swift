internal import LeatCore
internal import LeatParsing

/// `content_modifier`, a processor of Fluent Bit's YAML: one action on one field of the record.
final class ContentModifierFilter: EventFilter {
    private enum Action {
        /// Adds the field, unless there is one.
        case insert([UInt8])
        /// Sets the field, at the end.
        case upsert([UInt8])
        case delete
        case rename([UInt8])
        /// Replaces the value by the SHA-256 of its text.
        case hash
        /// Sets the fields that the named groups of a pattern find in the value.
        case extract(PatternMatcher, [(name: [UInt8], group: Int)])
        case convert(ConvertedType)
    }

    private let field: [UInt8]
    private let action: Action
    private var rewriter = RecordRewriter()

    init(_ configuration: PluginConfiguration) throws(Diagnostics) {
        let settings = configuration.settings
        func needed(_ key: String, _ why: String) throws(Diagnostics) -> Section.Entry {
            if let entry = settings.entries(key).last { return entry }
            throw Diagnostics(configuration.mark.diagnostic("content_modifier needs \(key) \(why)"))
        }
        if let context = settings.entries("context").last,
            !["body", "message", "record"].contains(context.value.lowercased())
        {
            throw Diagnostics(
                context.valueMark.diagnostic(
                    "the context '\(context.value)' is not supported",
                    hint: "an event is its record here: context body"
                )
            )
        }
        self.field = FieldPath.contents(try needed("key", "for its field").value)
        let name = try needed("action", "to do anything").value.lowercased()
        let why = "for the action \(name)"
        switch name {
        case "insert": self.action = .insert(FilterText.json(try needed("value", why).value))
        case "upsert": self.action = .upsert(FilterText.json(try needed("value", why).value))
        case "delete": self.action = .delete
        case "rename": self.action = .rename(FieldPath.contents(try needed("value", why).value))
        case "hash": self.action = .hash
        case "extract":
            let entry = try needed("pattern", why)
            let pattern = try FilterText.pattern(entry.value, entry)
            let groups = pattern.groups.map { (FieldPath.contents($0.name), $0.number) }
            self.action = .extract(PatternMatcher(pattern), groups)
        default:
            // The table has checked that it is one of the actions.
            let type = ConvertedType(rawValue: try needed("converted_type", why).value.lowercased())
            self.action = .convert(type ?? .string)
        }
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        self.rewriter.rewrite(&events) { record, _ in self.change(&record) ? .changed : .unchanged }
    }

    /// Whether the record was changed.
    private func change(_ record: inout Record) -> Bool {
        let index = record.index(of: self.field)
        if case .insert(let value) = self.action {
            if index == nil { record.append(name: self.field, value: value) }
            return index == nil
        }
        if case .upsert(let value) = self.action {
            record.filter { !$0.name($1).elementsEqual(self.field) }
            record.append(name: self.field, value: value)
            return true
        }
        guard let index else { return false }
        switch self.action {
        case .insert, .upsert: break
        case .delete: record.remove(index)
        case .rename(let name): record.rename(index, to: name)
        case .hash:
            let text = Self.text(of: record.value(index))
            if text.isEmpty { return false }
            record.setValue(index, to: FilterText.json(SHA256.hexadecimal(text)))
        case .extract(let matcher, let groups): return Self.extract(matcher, groups, from: index, of: &record)
        case .convert(let type):
            guard let value = type.value(of: record.value(index)) else { return false }
            record.setValue(index, to: value)
        }
        return true
    }

    private static func extract(
        _ matcher: PatternMatcher,
        _ groups: [(name: [UInt8], group: Int)],
        from index: Int,
        of record: inout Record
    ) -> Bool {
        guard record.value(index).first == UInt8(ascii: "\"") else { return false }
        let text = Self.text(of: record.value(index))
        return text.withUnsafeBytes { bytes in
            guard case .match = matcher.match(bytes) else { return false }
            for (name, group) in groups {
                guard let range = matcher.range(ofGroup: group) else { continue }
                var value: [UInt8] = []
                JSONWriter.append(string: bytes.slice(range), to: &value)
                record.set(name, to: value)
            }
            return true
        }
    }

    /// A value as plain text: a string without its quotes, anything else as its JSON.
    fileprivate static func text(of value: ArraySlice<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        value.withUnsafeBytes { RecordTemplate.appendText(of: $0, to: &text) }
        return text
    }
}

/// What `converted_type` asks for.
private enum ConvertedType: String {
    case string, boolean, int, double

    /// A value as JSON of the type; `nil` when it has no such form.
    func value(of json: ArraySlice<UInt8>) -> [UInt8]? {
        let isContainer = json.first == UInt8(ascii: "{") || json.first == UInt8(ascii: "[")
        let text = String(decoding: ContentModifierFilter.text(of: json), as: UTF8.self)
        if self == .string { return FilterText.json(text) }
        if isContainer { return nil }
        if self == .boolean {
            let number = json.first == UInt8(ascii: "\"") ? nil : Double(text)
            let isTrue = text.lowercased() == "true" || (number.map { $0 != 0 } ?? false)
            return Array((isTrue ? "true" : "false").utf8)
        }
        let number = ["true": 1, "false": 0, "null": 0][text] ?? Double(text)
        guard let number, number.isFinite else { return nil }
        if self == .double { return Array(number.description.utf8) }
        if let whole = Int64(text) { return Array(String(whole).utf8) }
        // A text must be a whole number; a number is rounded.
        guard json.first != UInt8(ascii: "\""), abs(number) < 9.2e18 else { return nil }
        return Array(String(Int64(number.rounded())).utf8)
    }
}
