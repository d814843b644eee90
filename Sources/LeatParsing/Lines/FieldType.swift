internal import LeatCore

/// A type that `Types` gives a field, and how its text is written as JSON.
///
/// A text that has no number at its start stays a string: nothing is invented for `-`.
public enum FieldType: Hashable, Sendable {
    case string, integer, hexadecimal, float, bool

    /// The type of a name as parser files write it.
    init?(_ name: some StringProtocol) {
        switch name.lowercased() {
        case "integer", "int": self = .integer
        case "hex": self = .hexadecimal
        case "float", "double": self = .float
        case "bool", "boolean": self = .bool
        case "string": self = .string
        default: return nil
        }
    }

    /// Appends the text as JSON of this type, or as a string when it is none.
    func append(_ text: UnsafeRawBufferPointer, to target: inout [UInt8]) {
        switch self {
        case .string: JSONWriter.append(string: text, to: &target)
        case .integer: Self.append(Self.integer(text), or: text, to: &target)
        case .hexadecimal: Self.append(Self.hexadecimal(text).map { String($0) }, or: text, to: &target)
        case .float: Self.append(Self.float(text), or: text, to: &target)
        case .bool:
            switch String(decoding: text, as: UTF8.self).lowercased() {
            case "true": target += "true".utf8
            case "false": target += "false".utf8
            default: JSONWriter.append(string: text, to: &target)
            }
        }
    }

    private static func append(_ number: String?, or text: UnsafeRawBufferPointer, to target: inout [UInt8]) {
        if let number { target += number.utf8 } else { JSONWriter.append(string: text, to: &target) }
    }

    /// The whole number at the start of a text, as C's `atoll` finds it.
    static func integer(_ text: UnsafeRawBufferPointer) -> String? {
        let trimmed = text.trimmed
        var digits = trimmed[...]
        let sign = digits.first
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { digits = digits.dropFirst() }
        let number = digits.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard !number.isEmpty, let value = Int64(String(decoding: number, as: UTF8.self)) else { return nil }
        return sign == UInt8(ascii: "-") && value != 0 ? "-\(value)" : "\(value)"
    }

    private static func hexadecimal(_ text: UnsafeRawBufferPointer) -> UInt64? {
        var digits = String(decoding: text.trimmed, as: UTF8.self).lowercased()
        if digits.hasPrefix("0x") { digits.removeFirst(2) }
        return UInt64(digits, radix: 16)
    }

    /// The number at the start of a text, as JSON has it.
    private static func float(_ text: UnsafeRawBufferPointer) -> String? {
        let number = text.trimmed.prefix { byte in
            (byte >= 0x30 && byte <= 0x39) || "+-.eE".utf8.contains(byte)
        }
        guard let value = Double(String(decoding: number, as: UTF8.self)), value.isFinite else { return nil }
        var writer = JSONWriter()
        writer.value(value)
        return writer.text
    }
}
