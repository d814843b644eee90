/// A token or password; it never appears in a message.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The text itself, for the request that needs it.
    public let value: String

    public init(_ value: String) { self.value = value }

    public var description: String { "•••" }
    public var debugDescription: String { "•••" }
}
