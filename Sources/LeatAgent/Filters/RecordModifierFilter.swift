internal import LeatCore
internal import LeatParsing

/// `record_modifier`: adds, removes or keeps fields by name; names are compared without case, as in Fluent Bit.
final class RecordModifierFilter: EventFilter {
    private let added: [(name: [UInt8], value: [UInt8])]
    private let removed: [NamePattern]
    private let kept: [NamePattern]
    private let uuidKey: [UInt8]?
    private var rewriter = RecordRewriter()

    /// A name, or the beginning of names (`abc*`).
    private struct NamePattern {
        let text: String
        let isPrefix: Bool

        init(_ text: String) {
            self.isPrefix = text.hasSuffix("*")
            self.text = String(
                decoding: FieldPath.contents(self.isPrefix ? String(text.dropLast()) : text),
                as: UTF8.self
            )
        }

        func matches(_ name: ArraySlice<UInt8>) -> Bool {
            let text = Substring(decoding: self.isPrefix ? name.prefix(self.text.utf8.count) : name, as: UTF8.self)
            return text.equalsIgnoringCase(self.text)
        }
    }

    init(_ configuration: PluginConfiguration) throws(Diagnostics) {
        let settings = configuration.settings
        var added: [(name: [UInt8], value: [UInt8])] = []
        for entry in settings.entries("record") {
            let words = try FilterText.words(entry, 2, "a field and a value")
            added.append((FieldPath.contents(words[0]), FilterText.json(words[1])))
        }
        self.added = added
        self.removed = settings.texts("remove_key").map(NamePattern.init)
        self.kept = (settings.texts("allowlist_key") + settings.texts("whitelist_key")).map(NamePattern.init)
        self.uuidKey = settings.text("uuid_key").map(FieldPath.contents)
        if !self.removed.isEmpty && !self.kept.isEmpty {
            throw Diagnostics(configuration.mark.diagnostic("remove_key and allowlist_key exclude each other"))
        }
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        self.rewriter.rewrite(&events) { record, _ in
            if !self.removed.isEmpty {
                record.filter { record, index in !self.removed.contains { $0.matches(record.name(index)) } }
            } else if !self.kept.isEmpty {
                record.filter { record, index in self.kept.contains { $0.matches(record.name(index)) } }
            }
            for (name, value) in self.added { record.set(name, to: value) }
            if let key = self.uuidKey { record.set(key, to: Self.uuid()) }
            return .changed
        }
    }

    /// A random UUID as a JSON string (RFC 9562, version 4).
    private static func uuid() -> [UInt8] {
        let high = SystemRandom.uint64() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = SystemRandom.uint64() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        let digits = Array((Self.hex(high) + Self.hex(low)).utf8)
        let groups = [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
        return [UInt8(ascii: "\"")] + groups.joined(separator: [UInt8(ascii: "-")]) + [UInt8(ascii: "\"")]
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
