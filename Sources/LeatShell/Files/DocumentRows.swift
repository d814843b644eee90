internal import LeatCore

/// Makes rows of JSON objects, by the rules of ingest (design, sections 2.3 and 2.5).
///
/// An object with `@rawstring`, `@id` or a numeric `@timestamp` is a row that `--json` has written, but that its text may be
/// `message`, `log` or `msg` when it has neither of the first two. Any other is a document: its text is `message`, `log` or
/// `msg`, else its own compact JSON, its time `@timestamp`, else `timestamp`, `time` or `date` if they are times, else arrival.
/// An entry of journald has its time in `__REALTIME_TIMESTAMP` and its text in `MESSAGE`, which is called `message`, as the
/// server does.
struct DocumentRows: ~Copyable {
    /// Names that mean something.
    private enum Role: UInt8 {
        case ordinary, timestamp, nanos, id, rawstring, otherTime, message, log, msg, journalTime, journalMessage
    }

    /// Names that may hold the time of a document, best first.
    private static let otherTimes: [StaticString] = ["timestamp", "time", "date"]

    private var flattener = JSONFlattener()
    /// Per number of a name its role; valid for one generation of the flattener.
    private var roles: [Role] = []
    private var generation = -1
    private var compact: [UInt8] = []

    init() {}

    /// Adds the row of a line; `false` when it is no JSON object, and nothing was added.
    mutating func add(_ line: UnsafeRawBufferPointer, to rows: LocalRows) -> Bool {
        do throws(JSONError) {
            try self.flattener.flatten(line)
        } catch {
            return false
        }
        let special = self.findSpecial()
        if let time = special.journalTime, let message = special.journalMessage {
            self.flattener.append(to: &rows.builder) {
                $0.isEqual(to: "__REALTIME_TIMESTAMP") || $0.isEqual(to: "MESSAGE")
            }
            rows.set("message", message.value)
            rows.endRow(timestamp: time, text: .message)
            return true
        }
        self.flattener.append(to: &rows.builder) { $0.isEqual(to: "@timestamp") || $0.isEqual(to: "@timestamp.nanos") }
        if special.isRow {
            // Loggers that write epoch milliseconds have their text where documents have it.
            let text = special.rawstring ? LocalRows.Text.own : special.hasID ? .none : special.text
            rows.endRow(timestamp: special.rowTime, text: text)
            return true
        }
        let time = special.documentTime
        if special.timestamp != nil && time == nil { rows.noteBadTime() }
        if special.text == .none {
            self.setCompact(line, rows)
            rows.endRow(timestamp: time, text: .own)
        } else {
            rows.endRow(timestamp: time, text: special.text)
        }
        return true
    }

    /// Adds the members of an object as fields of the row under construction; `false` when it is no object.
    mutating func addFields(_ object: UnsafeRawBufferPointer, to rows: LocalRows) -> Bool {
        do throws(JSONError) {
            try self.flattener.flatten(object)
        } catch {
            return false
        }
        self.flattener.append(to: &rows.builder) { name in
            name.first == UInt8(ascii: "@") || name.isEqual(to: "log") || name.isEqual(to: "stream")
        }
        return true
    }

    /// The text of a document without one: without white space, with the fewest escapes.
    private mutating func setCompact(_ line: UnsafeRawBufferPointer, _ rows: LocalRows) {
        self.compact.removeAll(keepingCapacity: true)
        do throws(JSONError) {
            try JSONCompact.append(line, to: &self.compact)
        } catch {
            self.compact.append(contentsOf: line)
        }
        self.compact.withUnsafeBytes { rows.setText($0) }
    }

    // MARK: - special fields

    /// The fields of one object that mean something.
    private struct Special {
        var timestamp: JSONField?
        var nanos: JSONField?
        var hasID = false
        var rawstring = false
        var text = LocalRows.Text.none
        var otherTime: Int64?
        var otherTimeRank = Int.max
        /// What journald writes: the time in microseconds, and the text.
        var journalTime: Int64?
        var journalMessage: JSONField?

        /// Whether the object is a row that `--json` has written.
        var isRow: Bool { self.rawstring || self.hasID || self.timestamp?.kind == .number }

        /// Time of a row: milliseconds whatever their size.
        var rowTime: Int64? {
            guard let timestamp else { return nil }
            guard timestamp.kind == .number, let milliseconds = Double(timestamp.value.text) else {
                return TimestampParser.parse(timestamp.value)?.nanoseconds
            }
            let nanos = self.nanos.flatMap { Int64($0.value.text) } ?? 0
            if let whole = Int64(timestamp.value.text) {
                return Timestamp(milliseconds: whole, nanoseconds: min(max(nanos, 0), 999_999))?.nanoseconds
            }
            return abs(milliseconds) < 9e12 ? Int64(milliseconds * 1e6) : nil
        }

        /// Time of a document.
        var documentTime: Int64? {
            guard let timestamp else { return self.otherTime }
            return TimestampParser.parse(timestamp.value)?.nanoseconds
        }
    }

    private mutating func findSpecial() -> Special {
        if self.generation != self.flattener.generation {
            self.generation = self.flattener.generation
            self.roles.removeAll()
        }
        var special = Special()
        for field in self.flattener.fields {
            let number = Int(field.name)
            while self.roles.count <= number {
                self.roles.append(Self.role(of: self.flattener.name(Int32(self.roles.count))))
            }
            switch self.roles[number] {
            case .ordinary: break
            case .timestamp: special.timestamp = field
            case .nanos: special.nanos = field
            case .id: special.hasID = true
            case .rawstring: special.rawstring = true
            case .otherTime: self.noteOtherTime(field, &special)
            case .message where field.kind == .string: special.text = .message
            case .log where field.kind == .string && special.text != .message: special.text = .log
            case .msg where field.kind == .string && special.text == .none: special.text = .msg
            case .message, .log, .msg: break
            case .journalTime:
                special.journalTime = Int64(field.value.text).flatMap { time in
                    let (nanoseconds, isTooLarge) = time.multipliedReportingOverflow(by: 1_000)
                    return isTooLarge ? nil : nanoseconds
                }
            case .journalMessage: if field.kind == .string { special.journalMessage = field }
            }
        }
        return special
    }

    private func noteOtherTime(_ field: JSONField, _ special: inout Special) {
        let name = self.flattener.name(field.name)
        guard let rank = Self.otherTimes.firstIndex(where: { name.isEqual(to: $0) }), rank < special.otherTimeRank,
            let time = TimestampParser.parse(field.value)?.nanoseconds
        else { return }
        special.otherTime = time
        special.otherTimeRank = rank
    }

    private static func role(of name: UnsafeRawBufferPointer) -> Role {
        if name.isEqual(to: "@timestamp") { return .timestamp }
        if name.isEqual(to: "@timestamp.nanos") { return .nanos }
        if name.isEqual(to: "@id") { return .id }
        if name.isEqual(to: "@rawstring") { return .rawstring }
        if name.isEqual(to: "message") { return .message }
        if name.isEqual(to: "log") { return .log }
        if name.isEqual(to: "msg") { return .msg }
        if name.isEqual(to: "__REALTIME_TIMESTAMP") { return .journalTime }
        if name.isEqual(to: "MESSAGE") { return .journalMessage }
        return Self.otherTimes.contains { name.isEqual(to: $0) } ? .otherTime : .ordinary
    }
}
