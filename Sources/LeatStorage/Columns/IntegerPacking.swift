internal import LeatCore

/// Keeps a list of integers in few bits.
///
/// `structure` gets the form: a byte for the mode, the common factor, and what the mode needs; `packed` gets the bits.
/// Modes: 0 all equal; 1 frame of reference; 2 differences, frame of reference; 3 runs of a start and a step.
/// Frames hold 128 numbers with a minimum and a width of their own.
enum IntegerPacking {
    static let frameCount = 128

    private enum Mode {
        static let constant: UInt8 = 0
        static let frame: UInt8 = 1
        static let delta: UInt8 = 2
        static let runs: UInt8 = 3
    }

    // MARK: writing

    static func append(_ values: [Int64], to page: inout PageWriter) {
        guard let first = values.first else { return }
        if values.allSatisfy({ $0 == first }) {
            page.structure.append(byte: Mode.constant)
            page.structure.append(signed: first)
            return
        }
        let runs = Self.runs(of: values, limit: min(values.count / 16, 1024))
        if let runs {
            page.structure.append(byte: Mode.runs)
            page.structure.append(varint: runs.count)
            var before: Int64 = 0
            for run in runs {
                page.structure.append(varint: run.count)
                page.structure.append(signed: run.start &- before)
                page.structure.append(signed: run.step)
                before = run.start
            }
            return
        }
        let factor = Self.commonFactor(of: values, base: first)
        let scaled = factor == 1 ? values : values.map { Self.divide($0 &- first, by: factor) }
        var deltas = scaled
        for index in stride(from: deltas.count - 1, to: 0, by: -1) {
            deltas[index] = deltas[index] &- deltas[index - 1]
        }
        deltas[0] = 0
        let usesDeltas = Self.bitCount(deltas) < Self.bitCount(scaled)
        page.structure.append(byte: usesDeltas ? Mode.delta : Mode.frame)
        page.structure.append(varint: UInt64(factor))
        if factor != 1 { page.structure.append(signed: first) }
        if usesDeltas { page.structure.append(signed: scaled[0]) }
        Self.appendFrames(usesDeltas ? deltas : scaled, to: &page)
    }

    private struct Run {
        var start: Int64
        var step: Int64
        var count: Int
    }

    private static func runs(of values: [Int64], limit: Int) -> [Run]? {
        var runs: [Run] = []
        var index = 0
        while index < values.count {
            guard runs.count < limit else { return nil }
            var run = Run(start: values[index], step: 0, count: 1)
            if index + 1 < values.count {
                run.step = values[index + 1] &- values[index]
                while index + run.count < values.count,
                    values[index + run.count] &- values[index + run.count - 1] == run.step
                {
                    run.count += 1
                }
            }
            index += run.count
            runs.append(run)
        }
        return runs
    }

    /// The greatest power of ten up to 10^9 that divides all distances from `base`.
    private static func commonFactor(of values: [Int64], base: Int64) -> Int64 {
        var factor: Int64 = 1_000_000_000
        for value in values {
            let (distance, overflow) = value.subtractingReportingOverflow(base)
            if overflow { return 1 }
            while factor > 1 && distance % factor != 0 { factor /= 10 }
            if factor == 1 { return 1 }
        }
        return factor
    }

    @inline(__always)
    private static func divide(_ value: Int64, by factor: Int64) -> Int64 { value / factor }

    /// Bits that the frames of `values` take.
    private static func bitCount(_ values: [Int64]) -> Int {
        var total = 0
        var start = 0
        while start < values.count {
            let end = min(start + Self.frameCount, values.count)
            let (least, width) = Self.frame(values, start, end)
            total += (end - start) * width + 8 + (64 - zigzag(least).leadingZeroBitCount)
            start = end
        }
        return total
    }

    private static func frame(_ values: [Int64], _ start: Int, _ end: Int) -> (least: Int64, width: Int) {
        var least = values[start]
        var most = values[start]
        for index in start..<end {
            least = min(least, values[index])
            most = max(most, values[index])
        }
        return (least, 64 - UInt64(bitPattern: most &- least).leadingZeroBitCount)
    }

    private static func appendFrames(_ values: [Int64], to page: inout PageWriter) {
        var start = 0
        while start < values.count {
            let end = min(start + Self.frameCount, values.count)
            let (least, width) = Self.frame(values, start, end)
            page.structure.append(byte: UInt8(width))
            page.structure.append(signed: least)
            BitPacking.append(values, start..<end, minus: least, width: width, to: &page.packed.bytes)
            start = end
        }
    }

    // MARK: reading

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
            var sum = try page.structure.readSigned()
            var values = try Self.readFrames(count: count, factor: 1, base: 0, from: &page).unpacked()
            for index in values.indices {
                sum &+= values[index]
                values[index] = sum &* factor &+ base
            }
            return .array(values)
        case let mode:
            throw page.structure.fail("unknown integer mode \(mode)")
        }
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
        let bytes = try page.packed.readSlice(byteCount)
        return PackedNumbers(count: count, frames: frames, bytes: bytes, factor: factor, base: base)
    }
}
