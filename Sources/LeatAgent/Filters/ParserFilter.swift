internal import LeatCore
internal import LeatParsing

/// `parser`: takes a field's text apart with the first parser that knows its form.
final class ParserFilter: EventFilter {
    private let path: FieldPath
    private let parsers: [LineParser]
    private let preservesKey: Bool
    private let reservesData: Bool
    private var output = EventList()
    private var text: [UInt8] = []

    init(_ configuration: PluginConfiguration, _ registry: ParserRegistry) throws(Diagnostics) {
        let settings = configuration.settings
        guard let key = settings.entries("key_name").last else {
            throw Diagnostics(configuration.mark.diagnostic("this filter has no Key_Name"))
        }
        self.path = try FilterText.path(key.value, key)
        var parsers: [LineParser] = []
        for entry in settings.entries("parser") { parsers.append(try registry.parser(entry)) }
        if parsers.isEmpty { throw Diagnostics(configuration.mark.diagnostic("this filter has no Parser")) }
        self.parsers = parsers
        self.preservesKey = settings.flag("preserve_key")
        self.reservesData = settings.flag("reserve_data")
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        self.output.removeAll()
        self.output.bytes.reserveCapacity(events.bytes.count)
        for index in 0..<events.count {
            events.withMembers(of: index) { members in
                self.append(members, time: events.times[index], now: context.now)
            }
        }
        swap(&events, &self.output)
    }

    private func append(_ members: UnsafeRawBufferPointer, time: Int64, now: Timestamp) {
        guard let found = self.path.find(in: members) else { return self.output.append(time: time, members: members) }
        self.text.removeAll(keepingCapacity: true)
        RecordTemplate.appendText(of: members.slice(found), to: &self.text)
        let start = self.output.bytes.count
        for parser in self.parsers {
            let outcome = self.text.withUnsafeBytes {
                parser.parse($0, now: now, into: &self.output.bytes, from: start)
            }
            guard case .parsed(let parsedTime) = outcome else { continue }
            self.appendRest(of: members, from: start)
            self.output.endEvent(time: parsedTime?.nanoseconds ?? time)
            return
        }
        self.output.append(time: time, members: members)
    }

    /// The fields beside the parsed ones; of two with one name the parsed one stays.
    private func appendRest(of members: UnsafeRawBufferPointer, from start: Int) {
        guard self.preservesKey || self.reservesData else { return }
        let parsed = Array(self.output.bytes[start...])
        parsed.withUnsafeBytes { parsed in
            var scanner = MemberScanner(members)
            while let member = scanner.next() {
                let name = members.slice(member.name)
                let isKey = self.isKey(name)
                guard isKey ? self.preservesKey : self.reservesData, !Self.has(parsed, name) else { continue }
                if self.output.bytes.count > start { self.output.bytes.append(UInt8(ascii: ",")) }
                self.output.bytes.append(
                    contentsOf: members.slice(member.name.lowerBound - 1..<member.value.upperBound)
                )
            }
        }
    }

    /// Whether a member is the parsed field; an object with the field inside is kept as it is.
    private func isKey(_ name: UnsafeRawBufferPointer) -> Bool {
        guard self.path.steps.count == 1, case .key(let key)? = self.path.steps.first else { return false }
        return key.withUnsafeBytes { name.isEqual(to: $0) }
    }

    private static func has(_ members: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) -> Bool {
        var scanner = MemberScanner(members)
        while let member = scanner.next() {
            if members.slice(member.name).isEqual(to: name) { return true }
        }
        return false
    }
}
