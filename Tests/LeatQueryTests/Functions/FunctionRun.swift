import LeatCore
import Testing

@testable import LeatQuery

/// Runs one row function over one event, without a plan.
enum FunctionRun {
    /// The event after the function, or `nil` when a predicate drops it.
    static func apply(_ call: String, to event: [String: String]) throws -> [String: String]? {
        let options = QueryOptions(now: Timestamp(milliseconds: 1_700_000_000_000))
        let checked = try QueryCheck.check(QueryParser.parse(call), options: options)
        guard case .call(let written)? = checked.tree.pipeline.steps.first else {
            throw CallProblem("'\(call)' is no call", at: .none)
        }
        let bound = try #require(written.bound)
        let context = FunctionContext(options: options)
        let kind = try #require(try RowFunctions.make(bound, context: context), "\(call) is no row function")
        switch kind {
        case .predicate(let predicate):
            return try Self.withInputs(predicate.inputs, event) { try predicate.test($0) } ? event : nil
        case .function(let function):
            var outputs = RowOutputs(count: function.outputs.count)
            try Self.withInputs(function.inputs, event) { try function.apply($0, &outputs) }
            return Self.written(outputs, by: function, to: event)
        }
    }

    private static func written(
        _ outputs: RowOutputs,
        by function: any RowFunction,
        to event: [String: String]
    ) -> [String: String] {
        var result = event
        func set(_ name: String, _ value: [UInt8]?) {
            if function.keepsExisting && event[name] != nil { return }
            result[name] = value.map { String(decoding: $0, as: UTF8.self) }
        }
        for (name, value) in zip(function.outputs, outputs.values) where value != nil { set(name, value) }
        for other in outputs.others { set(other.name, other.value) }
        return result
    }

    private static func withInputs<Result>(
        _ operands: [RowOperand],
        _ event: [String: String],
        _ body: (RowInputs) throws -> Result
    ) throws -> Result {
        var owners: [ByteSlice] = []
        func bytes(_ text: String) -> UnsafeRawBufferPointer {
            owners.append(ByteSlice(text))
            return owners[owners.count - 1].unsafeBytes
        }
        var values: [UnsafeRawBufferPointer?] = []
        var elements: [(suffix: String, value: UnsafeRawBufferPointer)] = []
        var fields: [(name: String, value: UnsafeRawBufferPointer)] = []
        let names = event.keys.sorted()
        for operand in operands {
            switch operand {
            case .field(let name), .expression(.field(let name, _)): values.append(event[name].map(bytes))
            case .expression(let expression): values.append(expression.plainText.map(bytes))
            case .array(let name):
                values.append(nil)
                for field in names where field.hasPrefix(name + "[") {
                    elements.append((String(field.dropFirst(name.count)), bytes(event[field] ?? "")))
                }
            case .allFields:
                values.append(nil)
                fields = names.map { ($0, bytes(event[$0] ?? "")) }
            }
        }
        defer { withExtendedLifetime(owners) {} }
        return try body(RowInputs(values: values, arrayElements: elements, fields: fields))
    }
}
