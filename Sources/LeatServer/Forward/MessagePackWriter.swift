/// Writes the few MessagePack values that the forward protocol answers with.
struct MessagePackWriter {
    private(set) var bytes: [UInt8] = []

    mutating func array(_ count: UInt8) { self.bytes.append(0x90 | count) }

    mutating func map(_ count: UInt8) { self.bytes.append(0x80 | count) }

    mutating func value(_ value: Bool) { self.bytes.append(value ? 0xC3 : 0xC2) }

    mutating func value(_ text: String) {
        let count = text.utf8.count
        if count < 32 {
            self.bytes.append(0xA0 | UInt8(count))
        } else {
            self.bytes += [0xDA, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
        }
        self.bytes += text.utf8
    }

    /// Binary of at most 255 bytes.
    mutating func value(_ binary: [UInt8]) { self.bytes += [0xC4, UInt8(binary.count)] + binary }
}
