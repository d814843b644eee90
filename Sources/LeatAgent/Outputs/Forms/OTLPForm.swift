internal import LeatCore
internal import LeatParsing

/// Bodies of the output `opentelemetry`: `ExportLogsServiceRequest` of OTLP, as protobuf.
///
/// The messages are those of `opentelemetry/proto/logs/v1/logs.proto` and `common/v1/common.proto`.
struct OTLPForm: RequestForm {
    /// Fields that are the body, the first that a record has; without any, the whole record is.
    var bodyPaths: [FieldPath] = []
    /// Whether the other fields are attributes.
    var addsAttributes = false
    /// Fields that say how bad an event is, and to which trace it belongs; they stay in the body too.
    var severityText: FieldPath?
    var severityNumber: FieldPath?
    var traceID: FieldPath?
    var spanID: FieldPath?
    /// Attributes of the resource.
    var labels: [(name: String, value: String)] = []

    func append(_ chunk: LoadedChunk, _ items: [Range<Int>], to bytes: inout [UInt8]) {
        var records: [UInt8] = []
        chunk.forEachEvent(in: items) { event, record in
            let message = self.logRecord(event.time, record)
            Protobuf.append(field: 2, message: message, to: &records)
        }
        var resource: [UInt8] = []
        for label in self.labels {
            var value: [UInt8] = []
            Protobuf.append(field: 1, text: label.value.utf8, to: &value)
            Protobuf.append(field: 1, message: Self.keyValue(Array(label.name.utf8), value), to: &resource)
        }
        var resourceLogs: [UInt8] = []
        Protobuf.append(field: 1, message: resource, to: &resourceLogs)
        Protobuf.append(field: 2, message: records, to: &resourceLogs)
        Protobuf.append(field: 1, message: resourceLogs, to: &bytes)
    }

    private func logRecord(_ time: Int64, _ record: UnsafeRawBufferPointer) -> [UInt8] {
        var message: [UInt8] = []
        Protobuf.append(field: 1, fixed: UInt64(bitPattern: time), to: &message)
        Protobuf.append(field: 11, fixed: UInt64(bitPattern: time), to: &message)
        self.appendContext(of: record, to: &message)
        for path in self.bodyPaths {
            guard let range = path.find(in: record) else { continue }
            Protobuf.append(field: 5, message: Self.anyValue(record.slice(range)), to: &message)
            if self.addsAttributes {
                let rest = RecordEdit.removing(path.steps[...], from: record)
                rest.withUnsafeBytes { Self.append(members: $0, field: 6, to: &message) }
            }
            return message
        }
        var list: [UInt8] = []
        Self.append(members: record, field: 1, to: &list)
        var body: [UInt8] = []
        Protobuf.append(field: 6, message: list, to: &body)
        Protobuf.append(field: 5, message: body, to: &message)
        return message
    }

    /// Severity and trace, where the record has them in a form that OTLP allows.
    func appendContext(of record: UnsafeRawBufferPointer, to message: inout [UInt8]) {
        if let value = Self.text(self.severityNumber, in: record, isString: false), let number = UInt64(value),
            (1...24).contains(number)
        {
            Protobuf.append(field: 2, number: number, to: &message)
        }
        if let text = Self.text(self.severityText, in: record, isString: true) {
            Protobuf.append(field: 3, text: text.utf8, to: &message)
        }
        for (field, path, byteCount) in [(9, self.traceID, 16), (10, self.spanID, 8)] {
            guard let digits = Self.text(path, in: record, isString: true),
                let id = Self.bytes(hexadecimal: digits), id.count == byteCount
            else { continue }
            Protobuf.append(field: field, message: id, to: &message)
        }
    }

    /// The bytes of an even number of hexadecimal digits.
    private static func bytes(hexadecimal digits: String) -> [UInt8]? {
        let values = digits.compactMap(\.hexDigitValue)
        guard values.count == digits.count, values.count % 2 == 0 else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }

    /// The text of a string, or the digits of what is none.
    private static func text(_ path: FieldPath?, in record: UnsafeRawBufferPointer, isString: Bool) -> String? {
        guard let range = path?.find(in: record) else { return nil }
        let value = record.slice(range)
        guard (value.first == UInt8(ascii: "\"")) == isString else { return nil }
        let bytes = isString ? JSONText.unescaped(value.slice(1..<value.count - 1)) : Array(value)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(members: UnsafeRawBufferPointer, field: Int, to bytes: inout [UInt8]) {
        var scanner = MemberScanner(members)
        while let member = scanner.next() {
            let name = JSONText.unescaped(members.slice(member.name))
            let value = Self.anyValue(members.slice(member.value))
            Protobuf.append(field: field, message: Self.keyValue(name, value), to: &bytes)
        }
    }

    private static func keyValue(_ name: [UInt8], _ value: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        Protobuf.append(field: 1, text: name, to: &bytes)
        Protobuf.append(field: 2, message: value, to: &bytes)
        return bytes
    }

    /// A JSON value as `AnyValue`; null is one without a value.
    private static func anyValue(_ json: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes: [UInt8] = []
        let contents = json.count >= 2 ? json.slice(1..<json.count - 1) : json
        switch json.first {
        case UInt8(ascii: "\""): Protobuf.append(field: 1, text: JSONText.unescaped(contents), to: &bytes)
        case UInt8(ascii: "t"): Protobuf.append(field: 2, number: 1, to: &bytes)
        case UInt8(ascii: "f"): Protobuf.append(field: 2, number: 0, to: &bytes)
        case UInt8(ascii: "n"), nil: break
        case UInt8(ascii: "{"):
            var list: [UInt8] = []
            Self.append(members: contents, field: 1, to: &list)
            Protobuf.append(field: 6, message: list, to: &bytes)
        case UInt8(ascii: "["):
            var list: [UInt8] = []
            var scanner = MemberScanner(contents)
            while let element = scanner.nextElement() {
                Protobuf.append(field: 1, message: Self.anyValue(contents.slice(element)), to: &list)
            }
            Protobuf.append(field: 5, message: list, to: &bytes)
        default:
            let text = String(decoding: json, as: UTF8.self)
            if let integer = Int64(text) {
                Protobuf.append(field: 3, number: UInt64(bitPattern: integer), to: &bytes)
            } else {
                Protobuf.append(field: 4, fixed: (Double(text) ?? 0).bitPattern, to: &bytes)
            }
        }
        return bytes
    }
}

/// Appends fields of protobuf messages (protobuf.dev/programming-guides/encoding).
enum Protobuf {
    static func append(field: Int, number: UInt64, to bytes: inout [UInt8]) {
        Self.append(varint: UInt64(field << 3), to: &bytes)
        Self.append(varint: number, to: &bytes)
    }

    static func append(field: Int, fixed: UInt64, to bytes: inout [UInt8]) {
        Self.append(varint: UInt64(field << 3 | 1), to: &bytes)
        withUnsafeBytes(of: fixed.littleEndian) { bytes.append(contentsOf: $0) }
    }

    static func append(field: Int, message: [UInt8], to bytes: inout [UInt8]) {
        Self.append(field: field, text: message, to: &bytes)
    }

    static func append(field: Int, text: some Collection<UInt8>, to bytes: inout [UInt8]) {
        Self.append(varint: UInt64(field << 3 | 2), to: &bytes)
        Self.append(varint: UInt64(text.count), to: &bytes)
        bytes.append(contentsOf: text)
    }

    private static func append(varint: UInt64, to bytes: inout [UInt8]) {
        var rest = varint
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

extension OTLPForm {
    /// The options of an `[OUTPUT] opentelemetry`.
    init(_ plugin: PluginConfiguration) throws(Diagnostics) {
        let settings = plugin.settings
        let entries = settings.entries("logs_body_key")
        for entry in entries { self.bodyPaths.append(try FilterText.path(entry.value, entry)) }
        if entries.isEmpty { self.bodyPaths = [FieldPath(name: "log"), FieldPath(name: "message")] }
        self.addsAttributes = settings.flag("logs_body_key_attributes")
        self.severityText = try Self.path(settings, "logs_severity_text_message_key")
        self.severityNumber = try Self.path(settings, "logs_severity_number_message_key")
        self.traceID = try Self.path(settings, "logs_trace_id_message_key")
        self.spanID = try Self.path(settings, "logs_span_id_message_key")
        for entry in settings.entries("add_label") {
            let words = try FilterText.words(entry, 2, "a name and a text")
            self.labels.append((words[0], words[1]))
        }
    }
    private static func path(_ settings: Settings, _ key: String) throws(Diagnostics) -> FieldPath? {
        if let entry = settings.entries(key).last { return try FilterText.path(entry.value, entry) }
        return settings.text(key).flatMap { FieldPath($0) }
    }
}
