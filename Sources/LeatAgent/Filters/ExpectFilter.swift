internal import LeatCore
internal import LeatParsing

/// `expect`: says when an event is not as expected; for testing pipelines.
final class ExpectFilter: EventFilter {
    private enum Test {
        case exists, isAbsent, isNull, isNotNull
        case equals([UInt8])
    }

    private enum Action {
        case warn, exit
        /// Adds the outcome under a name.
        case mark([UInt8])
    }

    private var tests: [(test: Test, path: FieldPath, text: String)] = []
    private let action: Action
    private var output = EventList()

    init(_ configuration: PluginConfiguration) throws(Diagnostics) {
        let settings = configuration.settings
        switch settings.text("action")?.lowercased() {
        case "exit": self.action = .exit
        case "result_key": self.action = .mark(FieldPath.contents(settings.text("result_key") ?? "matched"))
        default: self.action = .warn
        }
        for entry in settings.section.entries {
            let text = "\(entry.key) \(entry.value)"
            switch entry.key {
            case "key_exists": self.tests.append((.exists, try FilterText.path(entry.value, entry), text))
            case "key_not_exists": self.tests.append((.isAbsent, try FilterText.path(entry.value, entry), text))
            case "key_val_is_null": self.tests.append((.isNull, try FilterText.path(entry.value, entry), text))
            case "key_val_is_not_null": self.tests.append((.isNotNull, try FilterText.path(entry.value, entry), text))
            case "key_val_eq":
                let words = try FilterText.words(entry, 2, "a field and a value")
                self.tests.append((.equals(Array(words[1].utf8)), try FilterText.path(words[0], entry), text))
            default: break
            }
        }
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        self.output.removeAll()
        for index in 0..<events.count {
            events.withMembers(of: index) { members in
                let failed = self.tests.first { !Self.passes($0.test, $0.path, members) }
                self.output.bytes.append(contentsOf: members)
                if case .mark(let name) = self.action {
                    if !members.isEmpty { self.output.bytes.append(UInt8(ascii: ",")) }
                    self.output.bytes += [UInt8(ascii: "\"")] + name
                    self.output.bytes += (failed == nil ? "\":true" : "\":false").utf8
                } else if let failed {
                    context.warnings.append("expected \(failed.text) in {\(members.text)}")
                    if case .exit = self.action { context.stopsAgent = true }
                }
                self.output.endEvent(time: events.times[index])
            }
        }
        if case .mark = self.action { swap(&events, &self.output) }
    }

    private static func passes(_ test: Test, _ path: FieldPath, _ members: UnsafeRawBufferPointer) -> Bool {
        let value = path.find(in: members).map { members.slice($0) }
        switch test {
        case .exists: return value != nil
        case .isAbsent: return value == nil
        case .isNull: return value?.isEqual(to: "null") == true
        case .isNotNull: return value?.isEqual(to: "null") == false
        case .equals(let text):
            guard let value else { return false }
            var found: [UInt8] = []
            RecordTemplate.appendText(of: value, to: &found)
            return found == text
        }
    }
}
