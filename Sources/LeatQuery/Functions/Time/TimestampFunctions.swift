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
                case .found(let moment, let zone):
                    outputs.set(0, to: String(moment.milliseconds))
                    outputs.set(1, to: zone)
                    if target == "@timestamp" {
                        outputs.set(field: "@timestamp.nanos", to: String(moment.nanosecondOfMillisecond))
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
    case found(Moment, zone: String)
    case failed(String)
}

/// Reads times in the format of one call of `parseTimestamp`.
struct TimestampReader: Sendable {
    private enum Format: Sendable {
        case pattern(DateTimePattern)
        /// A number of units since 1970, of which a second has so many.
        case epoch(EpochUnit)
    }

    private static let epochs: [String: EpochUnit] = [
        "millis": .milliseconds, "milliseconds": .milliseconds, "unixtimemillis": .milliseconds,
        "nanos": .nanoseconds, "nanoseconds": .nanoseconds, "seconds": .seconds, "unixtime": .seconds,
        "unixtimeseconds": .seconds, "micros": .microseconds, "microseconds": .microseconds,
    ]

    private let format: Format
    private let zone: TimeZoneRules?

    init(_ call: BoundCall) throws(CallProblem) {
        self.zone = try call.timeZone()
        let text = call.text("format") ?? ""
        if let unit = Self.epochs[text.lowercased()] {
            self.format = .epoch(unit)
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
        case .epoch(let unit):
            guard let moment = unit.moment(text) else { return .failed("'\(text.text)' is no number of \(unit)") }
            return .found(moment, zone: self.zone?.name ?? "Z")
        case .pattern(let pattern):
            guard let (reading, end) = pattern.read(text), end == text.count else {
                return .failed("could not parse timestamp '\(text.text)'")
            }
            return reading.found(given: self.zone, field: fieldZone, now: now, text: text)
        }
    }
}

/// Units in which times are counted from 1970.
enum EpochUnit: String, Sendable {
    case seconds, milliseconds, microseconds, nanoseconds

    private var perSecond: Int64 {
        switch self {
        case .seconds: 1
        case .milliseconds: 1000
        case .microseconds: 1_000_000
        case .nanoseconds: 1_000_000_000
        }
    }

    /// The moment of a number, whose digits all count: a double has no room for nanoseconds.
    func moment(_ text: UnsafeRawBufferPointer) -> Moment? {
        guard let number = NumberText.parse(text) else { return nil }
        let parts = text.text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, number >= 0, let whole = Int64(parts[0]) else {
            return Moment(number, perSecond: self.perSecond)
        }
        let fraction = parts.count == 2 ? Double("0." + parts[1]) ?? 0 : 0
        let nanoseconds = (fraction * Double(1_000_000_000 / self.perSecond)).rounded(.down)
        return Moment(whole, perSecond: self.perSecond, nanoseconds: Int(nanoseconds))
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
        guard let moment = self.moment(zone: zone, now: now) else { return .failed("'\(text.text)' is no valid time") }
        return .found(moment, zone: zone.name == "UTC" ? "Z" : zone.name)
    }
}
