internal import LeatCore

/// OpenTelemetry's `ExportLogsServiceRequest` in protobuf, as the tree that its JSON form has.
///
/// Field numbers: opentelemetry-proto, `logs/v1/logs.proto`, `common/v1/common.proto`.
enum OTLPMessage {
    private typealias Fault = ProtobufReader.Fault

    /// The deepest nesting of lists and maps in a value.
    private static let depthMax = 32

    /// The request as `IngestEndpoints.otlp` reads it.
    static func value(_ bytes: UnsafeRawBufferPointer) throws(ProtobufReader.Fault) -> JSONValue {
        .object([.init("resourceLogs", .array(try Self.list(1, of: bytes, Self.resourceLogs)))])
    }

    private static func resourceLogs(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> JSONValue {
        var members: [JSONValue.Member] = []
        try ProtobufReader.forEachField(of: bytes) { (number, value) throws(Fault) in
            guard number == 1 else { return }
            let attributes = try Self.list(1, of: value.message, Self.keyValue)
            members.append(.init("resource", .object([.init("attributes", .array(attributes))])))
        }
        members.append(.init("scopeLogs", .array(try Self.list(2, of: bytes, Self.scopeLogs))))
        return .object(members)
    }

    private static func scopeLogs(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> JSONValue {
        var members: [JSONValue.Member] = []
        try ProtobufReader.forEachField(of: bytes) { (number, scope) throws(Fault) in
            guard number == 1 else { return }
            try ProtobufReader.forEachField(of: scope.message) { (number, value) throws(Fault) in
                if number == 1 { members.append(.init("scope", .object([.init("name", .string(value.text))]))) }
            }
        }
        members.append(.init("logRecords", .array(try Self.list(2, of: bytes, Self.logRecord))))
        return .object(members)
    }

    private static func logRecord(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> JSONValue {
        var members: [JSONValue.Member] = []
        try ProtobufReader.forEachField(of: bytes) { (number, value) throws(Fault) in
            switch number {
            case 1: members.append(.init("timeUnixNano", .number("\(value.number)")))
            case 2: members.append(.init("severityNumber", .number("\(value.number)")))
            case 3: members.append(.init("severityText", .string(value.text)))
            case 5: members.append(.init("body", try Self.anyValue(value.message, depth: 0)))
            case 9: members.append(.init("traceId", .string(Self.hexadecimal(value.message))))
            case 10: members.append(.init("spanId", .string(Self.hexadecimal(value.message))))
            case 11: members.append(.init("observedTimeUnixNano", .number("\(value.number)")))
            case 12: members.append(.init("eventName", .string(value.text)))
            default: break
            }
        }
        members.append(.init("attributes", .array(try Self.list(6, of: bytes, Self.keyValue))))
        return .object(members)
    }

    private static func keyValue(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> JSONValue {
        try Self.keyValue(bytes, depth: 0)
    }

    private static func keyValue(_ bytes: UnsafeRawBufferPointer, depth: Int) throws(Fault) -> JSONValue {
        var members: [JSONValue.Member] = []
        try ProtobufReader.forEachField(of: bytes) { (number, value) throws(Fault) in
            if number == 1 { members.append(.init("key", .string(value.text))) }
            if number == 2 { members.append(.init("value", try Self.anyValue(value.message, depth: depth + 1))) }
        }
        return .object(members)
    }

    private static func anyValue(_ bytes: UnsafeRawBufferPointer, depth: Int) throws(Fault) -> JSONValue {
        guard depth < Self.depthMax else {
            throw Fault(reason: "a value nested more than \(Self.depthMax) levels deep")
        }
        var result: [JSONValue.Member] = []
        try ProtobufReader.forEachField(of: bytes) { (number, value) throws(Fault) in
            switch number {
            case 1: result = [.init("stringValue", .string(value.text))]
            case 2: result = [.init("boolValue", .bool(value.number != 0))]
            case 3: result = [.init("intValue", .number("\(Int64(bitPattern: value.number))"))]
            case 4: result = [.init("doubleValue", Self.number(Double(bitPattern: value.number)))]
            case 5:
                let values = try Self.list(1, of: value.message) { (bytes) throws(Fault) in
                    try Self.anyValue(bytes, depth: depth + 1)
                }
                result = [.init("arrayValue", .object([.init("values", .array(values))]))]
            case 6:
                let values = try Self.list(1, of: value.message) { (bytes) throws(Fault) in
                    try Self.keyValue(bytes, depth: depth + 1)
                }
                result = [.init("kvlistValue", .object([.init("values", .array(values))]))]
            case 7: result = [.init("bytesValue", .string(Self.hexadecimal(value.message)))]
            default: break
            }
        }
        return .object(result)
    }

    private static func list(
        _ wanted: Int,
        of bytes: UnsafeRawBufferPointer,
        _ element: (UnsafeRawBufferPointer) throws(Fault) -> JSONValue
    ) throws(Fault) -> [JSONValue] {
        var elements: [JSONValue] = []
        try ProtobufReader.forEachField(of: bytes) { (number, value) throws(Fault) in
            if number == wanted { elements.append(try element(value.message)) }
        }
        return elements
    }

    /// A number as JSON has it; infinities and "not a number" as text.
    private static func number(_ value: Double) -> JSONValue {
        guard value.isFinite else { return .string("\(value)") }
        return .number(value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)")
    }

    private static func hexadecimal(_ bytes: UnsafeRawBufferPointer) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
