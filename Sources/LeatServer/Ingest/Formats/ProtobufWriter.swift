/// Writes the few protobuf messages that OpenTelemetry's clients get back (proto3 wire format).
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    /// A number; zero, the standard, is left out.
    mutating func number(_ field: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        self.bytes.append(field << 3)
        self.varint(value)
    }

    /// A text, or a message inside; an empty one is left out.
    mutating func content(_ field: UInt8, _ content: some Collection<UInt8>) {
        guard !content.isEmpty else { return }
        self.bytes.append(field << 3 | 2)
        self.varint(UInt64(content.count))
        self.bytes += content
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(rest))
    }
}
