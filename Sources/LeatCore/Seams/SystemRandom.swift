internal import CLeatPlatform

/// Unpredictable bytes from the kernel, for tokens, series and ids.
public enum SystemRandom {
    /// `count` random bytes.
    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let result = leat_random(buffer.baseAddress, count)
            precondition(result == 0, "the kernel gives no random bytes: error \(-result)")
            initialized = count
        }
    }

    /// A random number of 64 bits.
    public static func uint64() -> UInt64 {
        var value: UInt64 = 0
        let result = leat_random(&value, 8)
        precondition(result == 0, "the kernel gives no random bytes: error \(-result)")
        return value
    }
}
