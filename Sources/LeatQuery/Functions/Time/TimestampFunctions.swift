internal import LeatCore

extension RowFunctions {
    /// Functions that read times.
    static let timestampMakers: [String: Maker] = [
        "parseTimestamp": { call, context throws(CallProblem) in
            let reader = try TimestampReader(call)
            return Self.timestampFunction(call, context) { reader.read($0, zone: $1, now: context.now) }
        },
        "findTimestamp": { call, context throws(CallProblem) in
            let zone = try call.timeZone()
            return Self.timestampFunction(call, context) { text, field in
                TimestampSearch.find(text, zone: zone ?? field, now: context.now)
            }
        },
    ]

    private static func timestampFunction(
        _ call: BoundCall,
        _ context: FunctionContext,
        _ read: @escaping @Sendable (UnsafeRawBufferPointer, TimeZoneRules?) -> TimestampReading
    ) -> RowFunctionKind {
        let target = call.text("as") ?? "@timestamp"
        let zoneTarget = call.text("timezoneAs") ?? "@timezone"
        let addsErrors = call.isTrue("addErrors")
        let inputs = [call.field("field"), call.field("timezoneField")]
        let field = call.text("field") ?? "@rawstring"
        return .function(
            FieldsFunction(inputs, outputs: [target, zoneTarget], writesOtherNames: true) { inputs, outputs in
                guard let text = inputs[0] else {
                    if addsErrors { Self.writeError("the field '\(field)' is missing", &outputs) }
                    return
                }
                switch read(text, inputs.text(1).flatMap { TimeZoneRules.named($0) }) {
                case .found(let timestamp, let zone):
                    outputs.set(0, to: String(timestamp.milliseconds))
                    outputs.set(1, to: zone)
                    if target == "@timestamp" {
                        let rest = timestamp.nanoseconds - timestamp.milliseconds * 1_000_000
                        outputs.set(field: "@timestamp.nanos", to: String(rest))
                    }
                case .failed(let reason):
                    if addsErrors { Self.writeError(reason, &outputs) }
                }
            }
        )
    }

    /// Marks the event as one that could not be parsed.
    static func writeError(_ message: String, _ outputs: inout RowOutputs) {
        outputs.set(field: "@error", to: "true")
        outputs.set(field: "@error_msg", to: message)
        outputs.set(field: "@error_msg[0]", to: message)
        outputs.set(field: "@event_parsed", to: "false")
    }
}

/// What reading a time gave.
enum TimestampReading: Sendable {
    /// The moment, and the zone in which it was written.
    case found(Timestamp, zone: String)
    case failed(String)
}

/// Reads times in the format of one call of `parseTimestamp`.
struct TimestampReader: Sendable {
    private enum Format: Sendable {
        case pattern(DateTimePattern)
        /// A number of this many nanoseconds since 1970.
        case epoch(nanoseconds: Double)
    }

    private static let epochs: [String: Double] = [
        "millis": 1e6, "milliseconds": 1e6, "unixtimemillis": 1e6, "nanos": 1, "seconds": 1e9, "unixtime": 1e9,
        "unixtimeseconds": 1e9, "micros": 1e3, "microseconds": 1e3,
    ]

    private let format: Format
    private let zone: TimeZoneRules?

    init(_ call: BoundCall) throws(CallProblem) {
        self.zone = try call.timeZone()
        let text = call.text("format") ?? ""
        if let scale = Self.epochs[text.lowercased()] {
            self.format = .epoch(nanoseconds: scale)
        } else if let pattern = DateTimePattern(text, isCaseSensitive: call.isTrue("caseSensitive")) {
            self.format = .pattern(pattern)
        } else {
            throw call.problem(
                "'\(text)' is no format of times",
                of: "format",
                hint: "for example yyyy-MM-dd'T'HH:mm:ss.SSSXXX, millis or seconds"
            )
        }
    }

    /// Reads a whole text; `fieldZone` is the zone that the event names.
    func read(_ text: UnsafeRawBufferPointer, zone fieldZone: TimeZoneRules?, now: Timestamp) -> TimestampReading {
        let text = text.trimmed
        switch self.format {
        case .epoch(let scale):
            guard let number = NumberText.parse(text), (number * scale).magnitude < 9.2e18 else {
                return .failed("'\(text.text)' is no number of \(scale == 1e9 ? "seconds" : "milliseconds")")
            }
            let nanoseconds = Int64(exactly: number).map { $0 * Int64(scale) } ?? Self.nanoseconds(text, scale)
            return .found(Timestamp(nanoseconds: nanoseconds), zone: self.zone?.name ?? "Z")
        case .pattern(let pattern):
            guard let (reading, end) = pattern.read(text), end == text.count else {
                return .failed("could not parse timestamp '\(text.text)'")
            }
            return reading.found(given: self.zone, field: fieldZone, now: now, text: text)
        }
    }

    /// A number with a fraction, without a double's rounding of nanoseconds.
    private static func nanoseconds(_ text: UnsafeRawBufferPointer, _ scale: Double) -> Int64 {
        let value = text.text
        let parts = value.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let whole = Int64(parts[0]), let fraction = Double("0." + parts[1]) else {
            return Int64((NumberText.parse(text) ?? 0) * scale)
        }
        let rest = Int64((fraction * scale).rounded())
        return whole * Int64(scale) + (value.hasPrefix("-") ? -rest : rest)
    }
}

extension DateTimePattern.Reading {
    /// The moment; a zone that was given wins over one in the text, that over one that the event names.
    func found(
        given: TimeZoneRules?,
        field: TimeZoneRules?,
        now: Timestamp,
        text: UnsafeRawBufferPointer
    ) -> TimestampReading {
        let read = self.zone ?? self.offset.map { $0 == 0 ? .utc : TimeZoneRules.fixed($0) }
        guard let zone = given ?? read ?? field else {
            return .failed("no time zone for timestamp '\(text.text)': give 'timezone' or put it into the format")
        }
        guard let timestamp = self.timestamp(zone: zone, now: now) else {
            return .failed("'\(text.text)' is no valid time")
        }
        return .found(timestamp, zone: zone.name == "UTC" ? "Z" : zone.name)
    }
}
