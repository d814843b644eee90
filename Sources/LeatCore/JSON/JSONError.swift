/// Why bytes are not JSON, or more JSON than is allowed.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// The text ends inside a value.
        case cutShort
        /// Another byte was needed here; the text says which.
        case expected(String)
        /// Not a number as RFC 8259, section 6, has it.
        case badNumber
        /// A backslash is followed by something that RFC 8259, section 7, does not know.
        case badEscape
        /// A control character inside a string.
        case controlCharacter
        case invalidUTF8
        /// More than this many objects and arrays inside each other.
        case tooDeep(limit: Int)
        /// More than this many fields.
        case tooManyFields(limit: Int)
        /// A flattened name of more than this many bytes.
        case nameTooLong(limit: Int)
        /// Something follows the value.
        case trailingBytes
        /// The value is not an object.
        case notAnObject
    }

    public let reason: Reason
    /// Position of the offending byte, from the start of the text that was given.
    public let offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String { "\(self.explanation) at byte \(self.offset)" }

    private var explanation: String {
        switch self.reason {
        case .cutShort: "the JSON text is cut short"
        case .expected(let what): "expected \(what)"
        case .badNumber: "not a JSON number"
        case .badEscape: "unknown escape in a string"
        case .controlCharacter: "control character in a string"
        case .invalidUTF8: "invalid UTF-8"
        case .tooDeep(let limit): "nested more than \(limit) levels deep"
        case .tooManyFields(let limit): "more than \(limit) fields"
        case .nameTooLong(let limit): "a field name of more than \(limit) bytes"
        case .trailingBytes: "something follows the JSON value"
        case .notAnObject: "not a JSON object"
        }
    }
}

/// How much of a document is accepted; beyond it, an error says what was too much.
public struct JSONLimits: Hashable, Sendable {
    /// Objects and arrays inside each other, the outermost included; at most 1,024.
    public var depthMax: Int
    /// Fields after flattening.
    public var fieldCountMax: Int
    /// Bytes of a flattened name.
    public var nameByteCountMax: Int

    public init(depthMax: Int = 32, fieldCountMax: Int = 1000, nameByteCountMax: Int = 512) {
        self.depthMax = min(depthMax, 1024)
        self.fieldCountMax = fieldCountMax
        self.nameByteCountMax = nameByteCountMax
    }
}

/// What a JSON value is.
public enum JSONKind: UInt8, Hashable, Sendable {
    case string, number, bool, null, emptyObject, emptyArray, object, array

    /// The kinds that are fields with a text of their own.
    public var isScalar: Bool { self.rawValue <= Self.null.rawValue }
}
