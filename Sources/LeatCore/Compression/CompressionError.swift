/// Bytes that cannot be expanded.
public enum CompressionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bytes are damaged, cut short, or not of this format.
    case damaged(format: String)
    /// The result would be larger than allowed.
    case tooLarge(byteCountMax: Int)

    public var description: String {
        switch self {
        case .damaged(let format): "the \(format) data is damaged or cut short"
        case .tooLarge(let limit): "the expanded data is larger than \(limit) bytes"
        }
    }
}
