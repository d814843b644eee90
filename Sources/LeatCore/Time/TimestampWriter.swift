/// Digits after the second.
public enum TimePrecision: Int, Hashable, Sendable {
    case seconds = 0
    case milliseconds = 3
    case microseconds = 6
    case nanoseconds = 9
}

/// Writes moments as ISO 8601 in UTC: `2023-11-14T22:13:20.123Z`.
public enum TimestampWriter {
    /// Appends a moment; what is beyond the precision is cut off.
    public static func append(
        _ timestamp: Timestamp,
        precision: TimePrecision = .milliseconds,
        to bytes: inout [UInt8]
    ) {
        let civil = CivilTime(timestamp)
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { buffer in
            // Years are 1677...2262, so four digits suffice.
            self.put(civil.year, 4, buffer, 0, "-")
            self.put(civil.month, 2, buffer, 5, "-")
            self.put(civil.day, 2, buffer, 8, "T")
            self.put(civil.hour, 2, buffer, 11, ":")
            self.put(civil.minute, 2, buffer, 14, ":")
            self.put(civil.second, 2, buffer, 17, precision == .seconds ? "Z" : ".")
            var length = 20
            if precision != .seconds {
                var fraction = civil.nanosecond
                for _ in precision.rawValue..<9 { fraction /= 10 }
                self.put(fraction, precision.rawValue, buffer, 20, "Z")
                length = 21 + precision.rawValue
            }
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<length]))
        }
    }

    /// A moment as text.
    public static func text(_ timestamp: Timestamp, precision: TimePrecision = .milliseconds) -> String {
        var bytes: [UInt8] = []
        self.append(timestamp, precision: precision, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @inline(__always)
    private static func put(
        _ value: Int,
        _ count: Int,
        _ buffer: UnsafeMutableRawBufferPointer,
        _ at: Int,
        _ separator: Unicode.Scalar
    ) {
        var rest = value
        for position in stride(from: at + count - 1, through: at, by: -1) {
            buffer[position] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        buffer[at + count] = UInt8(truncatingIfNeeded: separator.value)
    }
}

extension Timestamp: CustomStringConvertible {
    /// ISO 8601 in UTC with nanoseconds.
    public var description: String { TimestampWriter.text(self, precision: .nanoseconds) }
}
