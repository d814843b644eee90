internal import LeatCore

/// A record with its time as one JSON object, as several outputs write it.
struct DatedRecord: Hashable, Sendable {
    /// How the time is written.
    enum DateForm: String, Sendable, CaseIterable {
        case double, epoch, epoch_ms, iso8601, java_sql_timestamp
    }

    /// What stands before, between and behind the records.
    enum Framing: Sendable { case array, lines, stream }

    var framing = Framing.array
    /// `nil` for no time.
    var dateKey: String? = "date"
    var dateForm = DateForm.double

    /// Appends the records of some events.
    func append(_ chunk: LoadedChunk, _ items: [Range<Int>], to bytes: inout [UInt8]) {
        let isArray = self.framing == .array
        if isArray { bytes.append(UInt8(ascii: "[")) }
        var isFirst = true
        chunk.forEachEvent(in: items) { event, record in
            if isArray, !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            self.append(time: event.time, record, to: &bytes)
            if self.framing == .lines { bytes.append(UInt8(ascii: "\n")) }
        }
        if isArray { bytes.append(UInt8(ascii: "]")) }
    }

    private func append(time: Int64, _ record: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        let start = bytes.count
        if let key = self.dateKey { bytes.appendMember(key, json: self.dateForm.text(time), start: start) }
        if !record.isEmpty, bytes.count > start { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: record)
        bytes.append(UInt8(ascii: "}"))
    }
}

extension DatedRecord.DateForm {
    /// The form of a configuration's word, in any case.
    init?(named name: String) {
        switch name.lowercased() {
        case "epoch_millis", "epoch_milliseconds": self = .epoch_ms
        case let name: self.init(rawValue: name)
        }
    }

    /// A time as JSON.
    func text(_ nanoseconds: Int64) -> String {
        let time = Timestamp(nanoseconds: nanoseconds)
        switch self {
        case .double:
            var fraction: [UInt8] = []
            RecordTimeText.appendFraction(nanoseconds: nanoseconds, digitCount: 6, to: &fraction)
            return "\(time.seconds)\(String(decoding: fraction, as: UTF8.self))"
        case .epoch: return "\(time.seconds)"
        case .epoch_ms: return "\(time.milliseconds)"
        case .iso8601: return "\"\(TimestampWriter.text(time, precision: .microseconds))\""
        case .java_sql_timestamp:
            let text = TimestampWriter.text(time, precision: .microseconds).dropLast()
            return "\"\(text.split(separator: "T").joined(separator: " "))\""
        }
    }
}

extension DatedRecord {
    /// The keys `format`, `json_date_key` and `json_date_format` of an output.
    init(_ settings: Settings, framing: Framing) {
        self.framing = framing
        self.dateKey = settings.text("json_date_key")
        if self.dateKey?.lowercased() == "false" { self.dateKey = nil }
        self.dateForm = settings.text("json_date_format").flatMap { DateForm(named: $0) } ?? .double
    }
}
