internal import LeatCore

/// The functions that work event by event, made from their calls.
///
/// A function that is not here is a stage or an aggregate of its own.
public enum RowFunctions {
    typealias Maker = @Sendable (BoundCall, FunctionContext) throws(CallProblem) -> RowFunctionKind

    /// The function of a checked call; `nil` when the function does not work event by event.
    public static func make(_ call: BoundCall, context: FunctionContext) throws(CallProblem) -> RowFunctionKind? {
        try Self.makers[call.signature.name]?(call, context)
    }

    /// Whether a function works event by event.
    public static func has(_ name: String) -> Bool { Self.makers[name] != nil }

    private static let makers: [String: Maker] = {
        var makers: [String: Maker] = [:]
        for family in [
            textMakers, textFilterMakers, formatMakers, replaceMakers, mathMakers, numberMakers, timeMakers,
            timestampMakers, arrayMakers, parseMakers, structureMakers, digestMakers, networkMakers, filterMakers,
            fieldMakers, lookupMakers,
        ] {
            makers.merge(family) { first, _ in first }
        }
        return makers
    }()
}

/// A row function that computes one value, or none, from its inputs.
struct ValueFunction: RowFunction {
    let inputs: [RowOperand]
    let outputs: [String]
    /// The value; `nil` leaves the output as it is.
    let value: @Sendable (RowInputs) throws(QueryFailure) -> [UInt8]?

    init(
        _ inputs: [RowOperand],
        as output: String,
        _ value: @escaping @Sendable (RowInputs) throws(QueryFailure) -> [UInt8]?
    ) {
        self.inputs = inputs
        self.outputs = [output]
        self.value = value
    }

    func apply(_ inputs: RowInputs, _ outputs: inout RowOutputs) throws(QueryFailure) {
        if let value = try self.value(inputs) { outputs.set(0, to: value) }
    }
}

/// A row function whose names of fields depend on the event, or that writes several fields.
struct FieldsFunction: RowFunction {
    let inputs: [RowOperand]
    let outputs: [String]
    let keepsExisting: Bool
    let writesOtherNames: Bool
    let write: @Sendable (RowInputs, inout RowOutputs) throws(QueryFailure) -> Void

    init(
        _ inputs: [RowOperand],
        outputs: [String] = [],
        keepsExisting: Bool = false,
        writesOtherNames: Bool? = nil,
        _ write: @escaping @Sendable (RowInputs, inout RowOutputs) throws(QueryFailure) -> Void
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.keepsExisting = keepsExisting
        self.writesOtherNames = writesOtherNames ?? outputs.isEmpty
        self.write = write
    }

    func apply(_ inputs: RowInputs, _ outputs: inout RowOutputs) throws(QueryFailure) {
        try self.write(inputs, &outputs)
    }
}

/// A predicate made of a closure.
struct ValuePredicate: RowPredicate {
    let inputs: [RowOperand]
    let isTrue: @Sendable (RowInputs) throws(QueryFailure) -> Bool

    init(_ inputs: [RowOperand], _ isTrue: @escaping @Sendable (RowInputs) throws(QueryFailure) -> Bool) {
        self.inputs = inputs
        self.isTrue = isTrue
    }

    func test(_ inputs: RowInputs) throws(QueryFailure) -> Bool { try self.isTrue(inputs) }
}

extension BoundCall {
    /// The field that a parameter names.
    func field(_ parameter: String) -> RowOperand { .field(self.text(parameter) ?? "") }

    /// The fields that a parameter names.
    func fields(_ parameter: String) -> [RowOperand] { self.texts(parameter).map { .field($0) } }

    /// A parameter that is computed per event.
    func operand(_ parameter: String) -> RowOperand {
        switch self.values[parameter] {
        case .field(let name, _), .duration(let name, _): .field(name)
        case .some(let expression): .expression(expression)
        case nil: .expression(.string(self.text(parameter) ?? "", .none))
        }
    }

    /// The name of an array without `[]`.
    func arrayName(_ parameter: String) -> String? {
        guard let text = self.text(parameter) else { return nil }
        return text.hasSuffix("[]") ? String(text.dropLast(2)) : text
    }

    /// Where the function writes: the argument, the default, or the field that is read.
    var outputName: String { self.text("as") ?? self.text("field") ?? "" }

    /// A problem with an argument, or with the call when the argument was not given.
    func problem(_ message: String, of parameter: String, hint: String? = nil) -> CallProblem {
        CallProblem(message, at: self.values[parameter]?.range ?? self.call.nameRange, hint: hint)
    }

    /// The compiled regular expression of a parameter.
    func pattern(_ parameter: String, flags: String, defaultFlags: String = "") throws(CallProblem) -> PatternPool {
        var letters = flags.isEmpty ? defaultFlags : flags
        if case .regex(let literal) = self.values[parameter] { letters += literal.flags }
        do {
            return try PatternPool(self.text(parameter) ?? "", flags: letters)
        } catch {
            throw self.problem("the regular expression is not valid: \(error)", of: parameter)
        }
    }

    /// The zone that a parameter names, if it is given.
    func timeZone(_ parameter: String = "timezone") throws(CallProblem) -> TimeZoneRules? {
        guard let name = self.text(parameter), !name.isEmpty else { return nil }
        guard let zone = TimeZoneRules.named(name) else {
            throw self.problem(
                "unknown time zone '\(name)'",
                of: parameter,
                hint: "for example Europe/Copenhagen or +02:00"
            )
        }
        return zone
    }
}
