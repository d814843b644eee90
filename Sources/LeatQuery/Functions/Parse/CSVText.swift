internal import LeatCore

/// Comma-separated values after RFC 4180: fields may be quoted, `""` within quotes is a quote.
public enum CSVText {
    /// The values of one record, the whole text.
    static func record(_ text: UnsafeRawBufferPointer, delimiter: UInt8 = UInt8(ascii: ",")) -> [[UInt8]] {
        var position = 0
        return Self.record(text, &position, delimiter: delimiter, endsAtNewline: false)
    }

    /// All records of a text, one a line unless quotes span lines; empty lines are left out.
    public static func records(_ text: UnsafeRawBufferPointer, delimiter: UInt8 = UInt8(ascii: ",")) -> [[[UInt8]]] {
        var records: [[[UInt8]]] = []
        var position = 0
        while position < text.count {
            let record = Self.record(text, &position, delimiter: delimiter, endsAtNewline: true)
            if record.count > 1 || record.first?.isEmpty == false { records.append(record) }
        }
        return records
    }

    private static func record(
        _ text: UnsafeRawBufferPointer,
        _ position: inout Int,
        delimiter: UInt8,
        endsAtNewline: Bool
    ) -> [[UInt8]] {
        var values: [[UInt8]] = []
        var value: [UInt8] = []
        while position < text.count {
            let byte = text[position]
            if byte == UInt8(ascii: "\"") && value.isEmpty {
                Self.quoted(text, &position, into: &value)
            } else if byte == delimiter {
                values.append(value)
                value = []
                position += 1
            } else if endsAtNewline && (byte == 0x0A || byte == 0x0D) {
                position += byte == 0x0D && position + 1 < text.count && text[position + 1] == 0x0A ? 2 : 1
                break
            } else {
                value.append(byte)
                position += 1
            }
        }
        return values + [value]
    }

    private static func quoted(_ text: UnsafeRawBufferPointer, _ position: inout Int, into value: inout [UInt8]) {
        position += 1
        while position < text.count {
            if text[position] == UInt8(ascii: "\"") {
                let isDoubled = position + 1 < text.count && text[position + 1] == UInt8(ascii: "\"")
                position += isDoubled ? 2 : 1
                if !isDoubled { return }
                value.append(UInt8(ascii: "\""))
            } else {
                value.append(text[position])
                position += 1
            }
        }
    }
}
