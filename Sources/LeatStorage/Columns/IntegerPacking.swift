internal import LeatCore

/// Keeps a list of integers in few bits.
///
/// `structure` gets the form: a byte for the mode, the common factor, and what the mode needs; `packed` gets the bits.
/// Modes: 0 all equal; 1 frame of reference; 2 differences, frame of reference; 3 runs of a start and a step; 4 and 5 are 1
/// and 2 with exceptions: of few numbers that are larger than the others the frames keep the lowest bits alone.
/// Frames hold 128 numbers with a minimum and a width of their own.
enum IntegerPacking {
    static let frameCount = 128

    enum Mode {
        static let constant: UInt8 = 0
        static let frame: UInt8 = 1
        static let delta: UInt8 = 2
        static let runs: UInt8 = 3
        static let patchedFrame: UInt8 = 4
        static let patchedDelta: UInt8 = 5
    }

    /// What exceptions must leave of the bits of frames, in percent: such numbers are unpacked before they are looked at,
    /// which differences are anyway.
    private static let patchedPercentMax = 92
    private static let patchedDeltaPercentMax = 97

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
        let frames = usesDeltas ? deltas : scaled
        let widths = Self.patchedWidths(
            frames,
            percentMax: usesDeltas ? Self.patchedDeltaPercentMax : Self.patchedPercentMax
        )
        let mode = usesDeltas ? Mode.delta : Mode.frame
        page.structure.append(byte: widths == nil ? mode : mode + Mode.patchedFrame - Mode.frame)
        page.structure.append(varint: UInt64(factor))
        if factor != 1 { page.structure.append(signed: first) }
        if usesDeltas { page.structure.append(signed: scaled[0]) }
        if let widths {
            Self.appendPatched(frames, widths, to: &page)
        } else {
            Self.appendFrames(frames, to: &page)
        }
    }

    /// Per frame the width with which it and its exceptions are smallest; `nil` when exceptions gain too little.
    private static func patchedWidths(_ values: [Int64], percentMax: Int) -> [Int]? {
        var widths: [Int] = []
        var plain = 0
        var patched = 0
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 65) { counts in
            for start in stride(from: 0, to: values.count, by: Self.frameCount) {
                let end = min(start + Self.frameCount, values.count)
                let (least, width) = Self.frame(values, start, end)
                counts.update(repeating: 0)
                for index in start..<end {
                    counts[64 - UInt64(bitPattern: values[index] &- least).leadingZeroBitCount] += 1
                }
                var best = (width: width, bitCount: (end - start) * width)
                plain += best.bitCount
                var exceptionCount = 0
                for smaller in stride(from: width - 1, through: 0, by: -1) {
                    exceptionCount += counts[smaller + 1]
                    // An exception takes about nine bits for its place.
                    let bitCount = (end - start) * smaller + exceptionCount * (9 + width - smaller)
                    if bitCount < best.bitCount { best = (smaller, bitCount) }
                }
                widths.append(best.width)
                patched += best.bitCount
            }
        }
        return patched * 100 <= plain * percentMax ? widths : nil
    }

    private static func appendPatched(_ values: [Int64], _ widths: [Int], to page: inout PageWriter) {
        var gaps: [Int64] = []
        var highs: [Int64] = []
        var before = 0
        for (frame, width) in widths.enumerated() {
            let start = frame * Self.frameCount
            let end = min(start + Self.frameCount, values.count)
            let least = Self.frame(values, start, end).least
            let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
            var lows: [Int64] = []
            lows.reserveCapacity(end - start)
            for index in start..<end {
                let distance = UInt64(bitPattern: values[index] &- least)
                lows.append(Int64(bitPattern: distance & mask))
                guard distance > mask else { continue }
                gaps.append(Int64(index - before))
                highs.append(Int64(bitPattern: distance >> UInt64(width)))
                before = index
            }
            page.structure.append(byte: UInt8(width))
            page.structure.append(signed: least)
            BitPacking.append(lows, 0..<lows.count, minus: 0, width: width, to: &page.packed.bytes)
        }
        page.structure.append(varint: gaps.count)
        Self.appendFrames(gaps, to: &page)
        Self.appendFrames(highs, to: &page)
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
}
