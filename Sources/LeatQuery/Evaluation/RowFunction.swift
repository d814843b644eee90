public import LeatCore

/// A function of single events: reads values of one event and writes fields of the same event.
///
/// The engine calls it once per distinct combination of inputs where columns are dictionaries, on any thread, in any
/// order; so it must depend on its inputs alone. How it is made from a call is said in `Functions/RowFunctions.swift`.
public protocol RowFunction: Sendable {
    /// What is read, in the order in which `RowInputs` counts.
    var inputs: [RowOperand] { get }

    /// The fields that are written under names known beforehand, in the order in which `RowOutputs` counts.
    var outputs: [String] { get }

    /// Whether fields that the event already has stay as they are.
    var keepsExisting: Bool { get }

    /// Whether fields are written whose names are not among `outputs`.
    var writesOtherNames: Bool { get }

    /// Whether one call may take so long that a cancelled query should not wait for the next.
    var checksEachRow: Bool { get }

    /// Reads one event and writes what the function says; a field that is not written keeps what it has.
    ///
    /// `outputs` is empty at the call. Names that depend on the event go through `RowOutputs.set(field:to:)`.
    func apply(_ inputs: RowInputs, _ outputs: inout RowOutputs) throws(QueryFailure)
}

extension RowFunction {
    public var keepsExisting: Bool { false }
    public var writesOtherNames: Bool { self.outputs.isEmpty }
    public var checksEachRow: Bool { false }
}

/// A function of single events that keeps or drops them.
public protocol RowPredicate: Sendable {
    /// What is read, in the order in which `RowInputs` counts.
    var inputs: [RowOperand] { get }

    /// Whether the event stays.
    func test(_ inputs: RowInputs) throws(QueryFailure) -> Bool
}

/// What a function reads.
public enum RowOperand: Hashable, Sendable {
    /// The value of the field of that name.
    case field(String)
    /// The value of an expression, computed per event.
    case expression(Expression)
    /// All elements `name[0]`, `name[1]`, … of an array, in `RowInputs.array`; also elements' members.
    case array(String)
    /// All fields of the event, in `RowInputs.allFields`; for the few functions that look at names.
    case allFields
}

/// What a row function or predicate is, made from a call.
public enum RowFunctionKind: Sendable {
    case function(any RowFunction)
    case predicate(any RowPredicate)
}

/// What functions depend on besides arguments and events.
public struct FunctionContext: Sendable {
    /// The wall clock at which the query started.
    public var now: Timestamp
    /// First moment of the interval, if it is known.
    public var start: Timestamp?
    /// First moment after the interval, if it is known.
    public var end: Timestamp?
    /// The zone of the query, for times that name none.
    public var timeZone: String
    /// Whether this is a parser script, where failures leave `@error` fields.
    public var isParser: Bool
    /// Whether the query is only checked, so that files may be missing.
    public var isCheckOnly: Bool
    public var limits: QueryLimits
    public var lookupFiles: (any LookupFileProvider)?
    /// Name servers that may be asked.
    public var nameServers: [String] = []

    public init(options: QueryOptions, isParser: Bool = false) {
        self.now = options.now
        self.start = options.start
        self.end = options.end
        self.timeZone = options.timeZone
        self.isParser = isParser
        self.isCheckOnly = options.isCheckOnly
        self.limits = options.limits
        self.lookupFiles = options.lookupFiles
        self.nameServers = options.nameServers
    }
}

/// The values of one event that a function asked for; valid during the call.
public struct RowInputs {
    /// Per operand the value, `nil` where the field is absent or the expression has no value.
    let values: [UnsafeRawBufferPointer?]
    /// The elements of the array operand: what follows the array's name, such as `[0]` or `[1].key`, with the value.
    let arrayElements: [(suffix: String, value: UnsafeRawBufferPointer)]
    /// The fields of the event, when asked for.
    let fields: [(name: String, value: UnsafeRawBufferPointer)]

    init(
        values: [UnsafeRawBufferPointer?],
        arrayElements: [(suffix: String, value: UnsafeRawBufferPointer)] = [],
        fields: [(name: String, value: UnsafeRawBufferPointer)] = []
    ) {
        self.values = values
        self.arrayElements = arrayElements
        self.fields = fields
    }

    /// The value of operand `index`; `nil` where the field is absent or the expression has no value.
    public subscript(index: Int) -> UnsafeRawBufferPointer? { self.values[index] }

    /// The value of operand `index` as text.
    public func text(_ index: Int) -> String? { self.values[index].map { String(decoding: $0, as: UTF8.self) } }

    /// The value of operand `index` as a number.
    public func number(_ index: Int) -> Double? { self.values[index].flatMap { NumberText.parse($0) } }

    /// The elements `name[0]`, `name[1]`, … of the array operand, up to the first hole.
    public var array: [UnsafeRawBufferPointer] {
        var byIndex: [Int: UnsafeRawBufferPointer] = [:]
        for element in self.arrayElements where element.suffix.hasPrefix("[") && element.suffix.hasSuffix("]") {
            if let index = Int(element.suffix.dropFirst().dropLast()) { byIndex[index] = element.value }
        }
        var result: [UnsafeRawBufferPointer] = []
        while let value = byIndex[result.count] { result.append(value) }
        return result
    }

    /// Everything below the array operand: what follows its name, such as `[0]` or `[1].key`, with the value.
    public var arrayFields: [(suffix: String, value: UnsafeRawBufferPointer)] { self.arrayElements }

    /// All fields of the event, in their order, if `.allFields` was asked for.
    public var allFields: [(name: String, value: UnsafeRawBufferPointer)] { self.fields }
}

/// What a function writes into one event.
public struct RowOutputs {
    /// Per declared output the value, `nil` where nothing was written.
    var values: [[UInt8]?]
    /// Values under names that depend on the event, `nil` to take the field away.
    var others: [(name: String, value: [UInt8]?)] = []

    init(count: Int) { self.values = [[UInt8]?](repeating: nil, count: count) }

    /// Writes declared output `index`.
    public mutating func set(_ index: Int, to value: [UInt8]) { self.values[index] = value }

    public mutating func set(_ index: Int, to value: UnsafeRawBufferPointer) { self.values[index] = Array(value) }

    public mutating func set(_ index: Int, to value: String) { self.values[index] = Array(value.utf8) }

    /// Writes a number in the language's form.
    public mutating func set(_ index: Int, to value: Double) {
        var bytes: [UInt8] = []
        NumberText.append(value, to: &bytes)
        self.values[index] = bytes
    }

    /// Writes a field whose name depends on the event.
    public mutating func set(field name: String, to value: [UInt8]) { self.others.append((name, value)) }

    public mutating func set(field name: String, to value: UnsafeRawBufferPointer) {
        self.others.append((name, Array(value)))
    }

    public mutating func set(field name: String, to value: String) { self.others.append((name, Array(value.utf8))) }

    /// Takes a field from the event.
    public mutating func remove(field name: String) { self.others.append((name, nil)) }

    /// Forgets what was written, for the next event.
    mutating func clear() {
        for index in self.values.indices { self.values[index] = nil }
        self.others.removeAll(keepingCapacity: true)
    }
}
