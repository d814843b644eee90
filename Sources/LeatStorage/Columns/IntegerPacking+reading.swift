internal import LeatCore

extension IntegerPacking {
    static func read(count: Int, from page: inout PageReader) throws(FormatError) -> [Int64] {
        try self.list(count: count, from: &page).values
    }

    /// The numbers, left in their bits if each can be read by itself.
    static func list(count: Int, from page: inout PageReader) throws(FormatError) -> NumberList {
        guard count > 0 else { return .array([]) }
        switch try page.structure.readByte() {
        case Mode.constant:
            let value = try page.structure.readSigned()
            let frame = PackedNumbers.Frame(least: value, offset: 0, width: 0)
            let frames = [PackedNumbers.Frame](repeating: frame, count: Self.frames(of: count))
            return .packed(PackedNumbers(count: count, frames: frames, bytes: .empty, factor: 1, base: 0))
        case Mode.runs:
            return .array(try Self.readRuns(count: count, from: &page))
        case Mode.frame:
            let (factor, base) = try Self.readFactor(from: &page)
            return .packed(try Self.readFrames(count: count, factor: factor, base: base, from: &page))
        case Mode.delta:
            let (factor, base) = try Self.readFactor(from: &page)
            let first = try page.structure.readSigned()
            var values = try Self.readFrames(count: count, factor: 1, base: 0, from: &page).unpacked()
            Self.sum(&values, from: first, factor, base)
            return .array(values)
        case Mode.patchedFrame:
            let (factor, base) = try Self.readFactor(from: &page)
            return .packed(try Self.readPatched(count: count, factor: factor, base: base, from: &page))
        case Mode.patchedDelta:
            let (factor, base) = try Self.readFactor(from: &page)
            let first = try page.structure.readSigned()
            var values = try Self.readPatched(count: count, factor: 1, base: 0, from: &page).unpacked()
            Self.sum(&values, from: first, factor, base)
            return .array(values)
        case let mode:
            throw page.structure.fail("unknown integer mode \(mode)")
        }
    }

    /// Turns differences into numbers.
    private static func sum(_ values: inout [Int64], from first: Int64, _ factor: Int64, _ base: Int64) {
        var sum = first
        for index in values.indices {
            sum &+= values[index]
            values[index] = sum &* factor &+ base
        }
    }

    private static func readPatched(
        count: Int,
        factor: Int64,
        base: Int64,
        from page: inout PageReader
    ) throws(FormatError) -> PackedNumbers {
        let (frames, bytes) = try Self.readFrameList(count: count, from: &page)
        let exceptionCount = try page.structure.readCount(limit: count)
        let gaps = try Self.readFrames(count: exceptionCount, factor: 1, base: 0, from: &page).unpacked()
        let highs = try Self.readFrames(count: exceptionCount, factor: 1, base: 0, from: &page).unpacked()
        var exceptions: [PackedNumbers.Exception] = []
        exceptions.reserveCapacity(exceptionCount)
        var index = 0
        for (gap, high) in zip(gaps, highs) {
            // The first exception may be number 0, each further one lies behind the one before.
            guard gap >= (exceptions.isEmpty ? 0 : 1), gap < count - index else {
                throw page.structure.fail("exception beyond \(count) numbers")
            }
            index += Int(gap)
            guard frames[index / Self.frameCount].width < 64 else {
                throw page.structure.fail("exception of 64 bits")
            }
            exceptions.append(.init(index: Int32(index), high: UInt64(bitPattern: high)))
        }
        return PackedNumbers(
            count: count,
            frames: frames,
            bytes: bytes,
            factor: factor,
            base: base,
            exceptions: exceptions
        )
    }

    private static func frames(of count: Int) -> Int {
        (count + PackedNumbers.numbersPerFrame - 1) / PackedNumbers.numbersPerFrame
    }

    private static func readFactor(from page: inout PageReader) throws(FormatError) -> (Int64, Int64) {
        let factor = try page.structure.readVarint()
        guard factor >= 1, factor <= 1_000_000_000 else { throw page.structure.fail("factor \(factor)") }
        return (Int64(factor), factor == 1 ? 0 : try page.structure.readSigned())
    }

    private static func readRuns(count: Int, from page: inout PageReader) throws(FormatError) -> [Int64] {
        var values: [Int64] = []
        values.reserveCapacity(count)
        var start: Int64 = 0
        for _ in 0..<(try page.structure.readCount(limit: count)) {
            let length = try page.structure.readCount(limit: count - values.count)
            start &+= try page.structure.readSigned()
            let step = try page.structure.readSigned()
            var value = start
            for _ in 0..<length {
                values.append(value)
                value &+= step
            }
        }
        guard values.count == count else { throw page.structure.fail("runs of \(values.count) rows, not \(count)") }
        return values
    }

    private static func readFrames(
        count: Int,
        factor: Int64,
        base: Int64,
        from page: inout PageReader
    ) throws(FormatError) -> PackedNumbers {
        let (frames, bytes) = try Self.readFrameList(count: count, from: &page)
        return PackedNumbers(count: count, frames: frames, bytes: bytes, factor: factor, base: base)
    }

    private static func readFrameList(
        count: Int,
        from page: inout PageReader
    ) throws(FormatError) -> (frames: [PackedNumbers.Frame], bytes: ByteSlice) {
        var frames: [PackedNumbers.Frame] = []
        frames.reserveCapacity(Self.frames(of: count))
        var byteCount = 0
        var start = 0
        while start < count {
            let inFrame = min(Self.frameCount, count - start)
            let width = try page.structure.readByte()
            guard width <= 64 else { throw page.structure.fail("width of \(width) bits") }
            let least = try page.structure.readSigned()
            let frame = PackedNumbers.Frame(least: least, offset: UInt32(byteCount), width: width)
            byteCount += frame.byteCount(inFrame)
            guard byteCount <= page.packed.remaining else { throw page.packed.fail("numbers end early") }
            frames.append(frame)
            start += inFrame
        }
        return (frames, try page.packed.readSlice(byteCount))
    }
}
