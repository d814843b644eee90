internal import LeatCore

extension RowFunctions {
    /// Functions that take times apart, and those that say when the query runs.
    static let timeMakers: [String: Maker] = {
        var makers = Self.momentMakers
        for (name, part) in Self.timeParts { makers["time:\(name)"] = Self.timePartMaker(part) }
        return makers
    }()

    private static let momentMakers: [String: Maker] = [
        "formatTime": { call, _ throws(CallProblem) in try Self.formatTime(call) },
        "now": { call, context in Self.moment(call, context.now) },
        "start": { call, context in Self.moment(call, context.start) },
        "end": { call, context in Self.moment(call, context.end ?? context.now) },
        "duration": { call, _ throws(CallProblem) in try Self.duration(call) },
        "formatDuration": { call, _ throws(CallProblem) in try Self.formatDuration(call) },
    ]

    private static func duration(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        let text = call.text("duration") ?? ""
        guard let span = RelativeTime.span(text) else {
            throw call.problem("'\(text)' is no length of time", of: "duration", hint: "for example 14d or 1h30m")
        }
        let milliseconds = Array(String(span / 1_000_000).utf8)
        return .function(ValueFunction([], as: call.outputName) { _ in milliseconds })
    }

    private static func timePartMaker(_ part: @escaping @Sendable (CivilTime) -> String) -> Maker {
        { call, context throws(CallProblem) in try Self.timePart(call, context, part) }
    }

    private static let timeParts: [String: @Sendable (CivilTime) -> String] = [
        "dayOfMonth": { String($0.day) }, "dayOfWeek": { String($0.weekday) },
        "dayOfWeekName": { TimeNames.weekdays[$0.weekday - 1] }, "dayOfYear": { String($0.dayOfYear) },
        "hour": { String($0.hour) }, "millisecond": { String($0.nanosecond / 1_000_000) },
        "minute": { String($0.minute) }, "month": { String($0.month) },
        "monthName": { TimeNames.months[$0.month - 1] }, "second": { String($0.second) },
        "weekOfYear": { String($0.isoWeek.week) }, "year": { String($0.year) },
    ]

    private static func moment(_ call: BoundCall, _ moment: Timestamp?) -> RowFunctionKind {
        let text = moment.map { Array(String($0.milliseconds).utf8) }
        return .function(ValueFunction([], as: call.outputName) { _ in text })
    }

    private static func timePart(
        _ call: BoundCall,
        _ context: FunctionContext,
        _ part: @escaping @Sendable (CivilTime) -> String
    ) throws(CallProblem) -> RowFunctionKind {
        let given = try call.timeZone()
        let standard = TimeZoneRules.named(context.timeZone) ?? .utc
        return .function(
            ValueFunction([call.field("field"), call.field("timezoneField")], as: call.outputName) { inputs in
                guard let number = inputs.number(0), let moment = Moment(number, perSecond: 1000) else { return nil }
                let zone = given ?? inputs.text(1).flatMap { TimeZoneRules.named($0) } ?? standard
                return Array(part(moment.civilTime(in: zone)).utf8)
            }
        )
    }

    private static func formatTime(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        guard let format = TimeTemplate(call.text("format") ?? "") else {
            throw call.problem(
                "the format has an unknown letter",
                of: "format",
                hint: "letters are those of strftime, such as %Y-%m-%d %H:%M:%S; a percent sign is '%%'"
            )
        }
        let zone = try call.timeZone() ?? .utc
        let unit = call.text("unit") ?? "auto"
        return .function(
            ValueFunction([call.field("field")], as: call.outputName) { inputs in
                guard let number = inputs.number(0) else { return nil }
                let isSeconds = unit == "seconds" || (unit == "auto" && number <= 100_000_000_000)
                guard let moment = Moment(number, perSecond: isSeconds ? 1 : 1000) else { return nil }
                return Array(format.text(moment, zone: zone).utf8)
            }
        )
    }

    /// `formatDuration`: the largest units first, such as `1d2h3m`.
    private static func formatDuration(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        let units: [(name: String, nanoseconds: Double)] = [
            ("d", 8.64e13), ("h", 3.6e12), ("m", 6e10), ("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1),
        ]
        let from = call.text("from") ?? "ms"
        let scale = units.first { $0.name == from }?.nanoseconds ?? 1e6
        let precision = call.integer("precision") ?? 0
        return .function(
            ValueFunction([call.field("field")], as: call.outputName) { inputs in
                // LogScale leaves what is no whole number as it is.
                guard let number = inputs.number(0), number == number.rounded() else { return nil }
                var rest = (number * scale).magnitude.rounded()
                var parts: [String] = []
                for unit in units {
                    let count = (rest / unit.nanoseconds).rounded(.down)
                    rest -= count * unit.nanoseconds
                    if count > 0 && (precision == 0 || parts.count < precision) {
                        parts.append(NumberText.text(count) + unit.name)
                    }
                }
                if parts.isEmpty { parts = ["0\(from)"] }
                return Array(((number < 0 ? "-" : "") + parts.joined()).utf8)
            }
        )
    }
}
