internal import CLeatKernels

/// Whole numbers of a column, as an array or in the bits in which they are stored.
public enum NumberList: Sendable {
    case array([Int64])
    case packed(PackedNumbers)

    /// How many there are.
    public var count: Int {
        switch self {
        case .array(let values): values.count
        case .packed(let numbers): numbers.count
        }
    }

    @inlinable
    public subscript(index: Int) -> Int64 {
        switch self {
        case .array(let values): values[index]
        case .packed(let numbers): numbers[index]
        }
    }

    /// All of them; of packed ones a new array at each call.
    public var values: [Int64] {
        switch self {
        case .array(let values): values
        case .packed(let numbers): numbers.unpacked()
        }
    }

    /// A range that holds all of them, perhaps a wider one than needed.
    public var bounds: ClosedRange<Int64> {
        switch self {
        case .array(let values):
            guard var least = values.first else { return 0...0 }
            var most = least
            for value in values {
                least = min(least, value)
                most = max(most, value)
            }
            return least...most
        case .packed(let numbers): return numbers.bounds
        }
    }

    /// Bytes of memory that are held for them, those of a mapped file left out.
    public var byteCount: Int {
        switch self {
        case .array(let values): values.count * 8
        case .packed(let numbers): numbers.frameCount * 16
        }
    }
}

/// Numbers in frames of `numbersPerFrame`, each with a least number and a width in bits; any of them can be read by
/// itself.
///
/// Number `i` is `(least + bits) * factor + base`, where the bits of a frame begin at a byte and lie end to end, lowest
/// bit first.
public final class PackedNumbers: Sendable {
    public static let numbersPerFrame = 128

    /// Where a frame is.
    public struct Frame: Sendable {
        public var least: Int64
        /// Offset of its first byte.
        public var offset: UInt32
        /// Bits per number, 0...64.
        public var width: UInt8

        public init(least: Int64, offset: UInt32, width: UInt8) {
            self.least = least
            self.offset = offset
            self.width = width
        }

        /// Bytes that `count` numbers of the frame take.
        public func byteCount(_ count: Int) -> Int { (count * Int(self.width) + 7) / 8 }
    }

    public let count: Int
    private let frames: [Frame]
    private let bytes: ByteSlice
    private let factor: Int64
    private let base: Int64

    /// Numbers whose frames all lie within `bytes`.
    public init(count: Int, frames: [Frame], bytes: ByteSlice, factor: Int64, base: Int64) {
        precondition(
            frames.count == (count + Self.numbersPerFrame - 1) / Self.numbersPerFrame,
            "\(frames.count) frames for \(count) numbers"
        )
        for (index, frame) in frames.enumerated() {
            let inFrame = min(Self.numbersPerFrame, count - index * Self.numbersPerFrame)
            precondition(frame.width <= 64 && Int(frame.offset) + frame.byteCount(inFrame) <= bytes.count, "bad frame")
        }
        self.count = count
        self.frames = frames
        self.bytes = bytes
        self.factor = factor
        self.base = base
    }

    public var frameCount: Int { self.frames.count }

    public subscript(index: Int) -> Int64 {
        let frame = self.frames[index / Self.numbersPerFrame]
        let bit = Int(frame.offset) * 8 + (index % Self.numbersPerFrame) * Int(frame.width)
        let value = Self.load(self.bytes.unsafeBytes, bit: bit, width: Int(frame.width))
        return (frame.least &+ Int64(bitPattern: value)) &* self.factor &+ self.base
    }

    /// Asks for the memory in which a number is.
    func prefetch(_ index: Int) {
        let frame = self.frames[index / Self.numbersPerFrame]
        let bit = index % Self.numbersPerFrame * Int(frame.width)
        if let base = self.bytes.unsafeBytes.baseAddress { leat_prefetch(base + Int(frame.offset) + bit / 8) }
    }

    /// All numbers.
    public func unpacked() -> [Int64] {
        var values = [Int64](unsafeUninitializedCapacity: self.count) { target, count in
            self.bytes.withUnsafeBytes { bytes in
                for (index, frame) in self.frames.enumerated() {
                    let start = index * Self.numbersPerFrame
                    let end = min(start + Self.numbersPerFrame, self.count)
                    Self.unpack(bytes, frame, into: target, start..<end)
                }
            }
            count = self.count
        }
        if self.factor != 1 || self.base != 0 {
            for index in values.indices { values[index] = values[index] &* self.factor &+ self.base }
        }
        return values
    }

    /// All numbers as codes, the lowest 16 bits of each.
    public func unpackedCodes() -> [UInt16] {
        [UInt16](unsafeUninitializedCapacity: self.count) { target, count in
            self.forEachFrame { start, numbers in
                for index in numbers.indices {
                    target[start &+ index] = UInt16(truncatingIfNeeded: numbers[index])
                }
            }
            count = self.count
        }
    }

    /// Whether all numbers are at least 0 and below a limit.
    public func areCodes(below limit: Int) -> Bool {
        let bounds = self.bounds
        if bounds.lowerBound >= 0, bounds.upperBound < Int64(limit) { return true }
        // The frames say too little.
        var isSound = true
        self.forEachFrame { _, numbers in
            var most: UInt64 = 0
            for number in numbers { most = max(most, UInt64(bitPattern: number)) }
            isSound = isSound && most < UInt64(limit)
        }
        return isSound
    }

    /// Calls `body` with the index of the first number of each frame and its numbers.
    @inline(__always)
    private func forEachFrame(_ body: (Int, UnsafeBufferPointer<Int64>) -> Void) {
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: Self.numbersPerFrame) { numbers in
            self.bytes.withUnsafeBytes { bytes in
                for (index, frame) in self.frames.enumerated() {
                    let start = index * Self.numbersPerFrame
                    let count = min(Self.numbersPerFrame, self.count - start)
                    Self.unpack(bytes, frame, into: numbers, 0..<count)
                    if self.factor != 1 || self.base != 0 {
                        for index in 0..<count { numbers[index] = numbers[index] &* self.factor &+ self.base }
                    }
                    body(start, UnsafeBufferPointer(rebasing: numbers[..<count]))
                }
            }
        }
    }

    private static func unpack(
        _ bytes: UnsafeRawBufferPointer,
        _ frame: Frame,
        into target: UnsafeMutableBufferPointer<Int64>,
        _ range: Range<Int>
    ) {
        guard let target = target.baseAddress else { return }
        let width = Int(frame.width)
        let least = frame.least
        guard width > 0 else {
            for index in range { target[index] = least }
            return
        }
        var bit = Int(frame.offset) * 8
        // Fast path: each number lies within eight bytes that can be loaded at once.
        let lastFastBit = (bytes.count - 8) * 8
        var index = range.lowerBound
        if width <= 56, let base = bytes.baseAddress {
            let mask: UInt64 = (1 << UInt64(width)) - 1
            while index < range.upperBound, bit <= lastFastBit {
                let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self))
                target[index] = least &+ Int64(bitPattern: (word >> UInt64(bit & 7)) & mask)
                bit &+= width
                index &+= 1
            }
        }
        while index < range.upperBound {
            target[index] = least &+ Int64(bitPattern: self.load(bytes, bit: bit, width: width))
            bit &+= width
            index &+= 1
        }
    }

    /// A number of `width` bits that begins at `bit`.
    @inline(__always)
    private static func load(_ bytes: UnsafeRawBufferPointer, bit: Int, width: Int) -> UInt64 {
        guard width > 0 else { return 0 }
        let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
        let byte = bit >> 3
        let shift = UInt64(bit & 7)
        // Fast path: eight bytes are there and hold the whole number.
        if byte + 8 <= bytes.count && Int(shift) + width <= 64 {
            return (UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: byte, as: UInt64.self)) >> shift) & mask
        }
        // Slow path: near the end, or a number that spans nine bytes.
        var low: UInt64 = 0
        for index in 0..<8 where byte + index < bytes.count { low |= UInt64(bytes[byte + index]) << UInt64(8 * index) }
        let high: UInt64 = byte + 8 < bytes.count ? UInt64(bytes[byte + 8]) : 0
        return (shift == 0 ? low : (low >> shift) | (high << (64 - shift))) & mask
    }

    /// A range that holds all numbers, from the frames alone.
    public var bounds: ClosedRange<Int64> {
        guard let first = self.frames.first else { return 0...0 }
        var least = first.least
        var most = first.least
        for frame in self.frames {
            let span: Int64 = frame.width >= 63 ? .max : (1 << Int64(frame.width)) - 1
            let (top, overflows) = frame.least.addingReportingOverflow(span)
            if overflows || frame.width >= 63 { return .min ... .max }
            least = min(least, frame.least)
            most = max(most, top)
        }
        let low = least.multipliedReportingOverflow(by: self.factor)
        let high = most.multipliedReportingOverflow(by: self.factor)
        let first64 = low.partialValue.addingReportingOverflow(self.base)
        let last64 = high.partialValue.addingReportingOverflow(self.base)
        if low.overflow || high.overflow || first64.overflow || last64.overflow { return .min ... .max }
        return first64.partialValue...last64.partialValue
    }
}
