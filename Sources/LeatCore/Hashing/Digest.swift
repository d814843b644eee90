internal import CXxhash

/// Fast digests (XXH3) that tell contents apart; they are no protection against somebody who wants a collision.
public enum Digest {
    /// XXH3, 64 bits.
    public static func xxh3(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        XXH3_64bits_withSeed(bytes.baseAddress, bytes.count, seed)
    }

    /// XXH3, 128 bits.
    public static func xxh128(_ bytes: UnsafeRawBufferPointer) -> Digest128 {
        let hash = XXH3_128bits(bytes.baseAddress, bytes.count)
        return Digest128(high: hash.high64, low: hash.low64)
    }
}

/// A digest of 128 bits.
public struct Digest128: Hashable, Sendable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The digest that 32 hexadecimal digits stand for, as `description` writes it.
    public init?(hexadecimal text: String) {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    /// 32 lower-case hexadecimal digits, the high half first (XXH3's canonical form).
    public var description: String { Self.padded(self.high) + Self.padded(self.low) }

    private static func padded(_ half: UInt64) -> String {
        let digits = String(half, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// XXH3 over pieces that come one after the other.
public final class DigestStream {
    private let state: OpaquePointer

    public init() {
        guard let state = XXH3_createState() else { preconditionFailure("out of memory") }
        self.state = state
        XXH3_128bits_reset(state)
    }

    deinit { XXH3_freeState(self.state) }

    public func update(_ bytes: UnsafeRawBufferPointer) {
        XXH3_128bits_update(self.state, bytes.baseAddress, bytes.count)
    }

    /// The digest of the bytes so far.
    public var digest: Digest128 {
        let hash = XXH3_128bits_digest(self.state)
        return Digest128(high: hash.high64, low: hash.low64)
    }
}
