internal import LeatCore
internal import LeatParsing

/// Takes records apart, lets a filter change them, and puts them together again; keeps its memory between calls.
struct RecordRewriter {
    /// What became of a record.
    enum Change {
        case unchanged, changed, dropped
    }

    private var record = Record()
    private var output = EventList()

    /// Calls `body` for each event with its record.
    mutating func rewrite(_ events: inout EventList, _ body: (_ record: inout Record, _ index: Int) -> Change) {
        self.output.removeAll()
        self.output.bytes.reserveCapacity(events.bytes.count)
        for index in 0..<events.count {
            events.withMembers(of: index) { members in
                self.record.load(members)
                switch body(&self.record, index) {
                case .unchanged: self.output.append(time: events.times[index], members: members)
                case .changed:
                    self.record.write(to: &self.output.bytes)
                    self.output.endEvent(time: events.times[index])
                case .dropped: break
                }
            }
        }
        swap(&events, &self.output)
    }
}

/// Reading what filters have in common of their configuration.
enum FilterText {
    /// Compiles a pattern, or says where it is wrong.
    static func pattern(_ text: String, _ entry: Section.Entry) throws(Diagnostics) -> Pattern {
        do throws(PatternError) {
            return try PatternText.compile(text)
        } catch {
            throw Diagnostics(entry.valueMark.diagnostic("the pattern '\(text)' is not valid: \(error)"))
        }
    }

    /// Reads a record accessor or a plain name.
    static func path(_ text: String, _ entry: Section.Entry) throws(Diagnostics) -> FieldPath {
        guard let path = FieldPath(text) else {
            throw Diagnostics(
                entry.valueMark.diagnostic("'\(text)' leads to no field", hint: "such as log or $k['a']['b']")
            )
        }
        return path
    }

    /// The words of a value, exactly `count`, the last taking the rest.
    static func words(_ entry: Section.Entry, _ count: Int, _ meaning: String) throws(Diagnostics) -> [String] {
        let words = SettingValue.words(entry.value, limit: count)
        guard words.count == count else {
            throw Diagnostics(entry.valueMark.diagnostic("'\(entry.value)' is not \(meaning)"))
        }
        return words
    }

    /// A text as a JSON string.
    static func json(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONWriter.append(string: text, to: &bytes)
        return bytes
    }
}
