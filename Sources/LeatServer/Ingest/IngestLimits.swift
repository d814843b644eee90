internal import LeatCore

/// The limits of events and requests that settings may change; design 2.3.
struct IngestLimits: Hashable, Sendable {
    /// Bytes of a request's body, after decompression.
    var bodyByteCountMax = 100 << 20
    /// Bytes of one event; a longer text is cut, anything else that is longer is refused.
    var eventByteCountMax = 8 << 20
    /// Fields of an event after flattening.
    var fieldCountMax = 1_000
    /// Bytes of a flattened field name.
    var fieldNameByteCountMax = 512
    /// Objects and arrays inside each other.
    var depthMax = 32
}
