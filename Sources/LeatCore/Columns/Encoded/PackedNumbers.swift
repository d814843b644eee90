internal import CLeatKernels

/// Numbers in frames of `numbersPerFrame`, each with a least number and a width in bits; any of them can be read by
/// itself.
///
/// Number `i` is `(least + bits) * factor + base`, where the bits of a frame begin at a byte and lie end to end, lowest
/// bit first. Of a few numbers that need more bits than their frame has for each, the upper ones are kept apart.
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

    /// A number with more bits than those of its frame.
    public struct Exception: Sendable {
        public var index: Int32
        /// The bits above the frame's width.
        public var high: UInt64

        public init(index: Int32, high: UInt64) {
            self.index = index
            self.high = high
        }
    }

    public let count: Int
    private let frames: [Frame]
    private let exceptions: [Exception]
    /// Per frame its first exception, and the end of the last; empty when there are no exceptions.
    private let firstExceptions: [Int32]
    private let bytes: ByteSlice
    private let factor: Int64
    private let base: Int64

    /// Numbers whose frames all lie within `bytes`; `exceptions` are in order, in frames of less than 64 bits.
    public init(
        count: Int,
        frames: [Frame],
        bytes: ByteSlice,
        factor: Int64,
        base: Int64,
        exceptions: [Exception] = []
    ) {
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
        self.exceptions = exceptions
        self.firstExceptions = Self.firstExceptions(exceptions, count: count, frames)
    }

    private static func firstExceptions(_ exceptions: [Exception], count: Int, _ frames: [Frame]) -> [Int32] {
        guard !exceptions.isEmpty else { return [] }
        var starts = [Int32](repeating: 0, count: frames.count + 1)
        var last = -1
        for exception in exceptions {
            let index = Int(exception.index)
            precondition(index > last && index < count, "exceptions out of order")
            precondition(frames[index / Self.numbersPerFrame].width < 64, "an exception of a full frame")
            last = index
            starts[index / Self.numbersPerFrame + 1] += 1
        }
        for frame in frames.indices { starts[frame + 1] += starts[frame] }
        return starts
    }

    /// Bytes of memory besides those that lie in a page.
    var byteCount: Int { self.frames.count * 16 + self.exceptions.count * 16 + self.firstExceptions.count * 4 }

    public subscript(index: Int) -> Int64 {
        let number = index / Self.numbersPerFrame
        let frame = self.frames[number]
        let bit = Int(frame.offset) * 8 + (index % Self.numbersPerFrame) * Int(frame.width)
        var value = Self.load(self.bytes.unsafeBytes, bit: bit, width: Int(frame.width))
        if !self.firstExceptions.isEmpty { value &+= self.high(of: index, frame: number) << UInt64(frame.width) }
        return (frame.least &+ Int64(bitPattern: value)) &* self.factor &+ self.base
    }

    /// The upper bits of a number; 0 for most.
    private func high(of index: Int, frame: Int) -> UInt64 {
        // A frame has a dozen exceptions at most, or it would be wider.
        for place in Int(self.firstExceptions[frame])..<Int(self.firstExceptions[frame + 1])
        where Int(self.exceptions[place].index) == index {
            return self.exceptions[place].high
        }
        return 0
    }

    /// Adds the upper bits of the exceptions of a frame to its numbers, the first of which lies at `start` of `target`.
    @inline(__always)
    private func patch(_ target: UnsafeMutableBufferPointer<Int64>, frame: Int, at start: Int) {
        guard !self.firstExceptions.isEmpty else { return }
        let width = UInt64(self.frames[frame].width)
        for place in Int(self.firstExceptions[frame])..<Int(self.firstExceptions[frame + 1]) {
            let exception = self.exceptions[place]
            target[start + Int(exception.index) % Self.numbersPerFrame] &+= Int64(bitPattern: exception.high << width)
        }
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
                    self.patch(target, frame: index, at: start)
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
                    self.patch(numbers, frame: index, at: 0)
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

    /// A range that holds all numbers, from the frames and exceptions alone.
    public var bounds: ClosedRange<Int64> {
        guard let first = self.frames.first else { return 0...0 }
        var least = first.least
        var most = first.least
        for (index, frame) in self.frames.enumerated() {
            guard let top = self.top(of: frame, index) else { return .min ... .max }
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

    /// A number that none of a frame exceeds, before factor and base; `nil` when there may be none.
    private func top(of frame: Frame, _ index: Int) -> Int64? {
        guard frame.width < 63 else { return nil }
        var span: UInt64 = (1 << UInt64(frame.width)) - 1
        if !self.firstExceptions.isEmpty {
            var high: UInt64 = 0
            for place in Int(self.firstExceptions[index])..<Int(self.firstExceptions[index + 1]) {
                high = max(high, self.exceptions[place].high)
            }
            guard high >> (63 - UInt64(frame.width)) == 0 else { return nil }
            span |= high << UInt64(frame.width)
        }
        let (top, overflows) = frame.least.addingReportingOverflow(Int64(span))
        return overflows ? nil : top
    }
}
