internal import LeatCore

/// The name under which a server stores a batch once, however often it arrives.
struct BatchKey: Hashable, Sendable {
    /// 128 random bits, drawn per output at each start of the agent.
    var series: Series
    /// 1, 2, 3 … within the series, without gaps.
    var number: UInt64
}

/// The name of a run of batches.
struct Series: Hashable, Sendable {
    var high: UInt64
    var low: UInt64

    /// 32 hexadecimal digits.
    var text: String { hexadecimal(self.high) + hexadecimal(self.low) }
}

/// Sixteen hexadecimal digits.
func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

/// What one request carries: events of one chunk, fixed for ever.
struct OutputBatch: Hashable, Sendable {
    var key: BatchKey
    /// XXH3-128 of the request's body before compression.
    var digest: Digest128
    var chunk: UInt64
    /// Numbers of the events in the chunk, ascending.
    var items: [Range<Int>]
    /// Whether no event of the chunk is left for a later batch; the batches that follow a refused one repeat it.
    var endsChunk: Bool

    var itemCount: Int { self.items.reduce(0) { $0 + $1.count } }

    /// Appends the batch in the form that `init(from:)` reads.
    func encode(to bytes: inout [UInt8]) {
        for value in [self.key.series.high, self.key.series.low, self.key.number, self.digest.high, self.digest.low] {
            bytes.appendInteger(value)
        }
        bytes.appendInteger(self.chunk)
        bytes.appendInteger(UInt8(self.endsChunk ? 1 : 0))
        bytes.appendInteger(UInt32(self.items.count))
        for range in self.items {
            bytes.appendInteger(UInt32(range.lowerBound))
            bytes.appendInteger(UInt32(range.count))
        }
    }

    init(key: BatchKey, digest: Digest128, chunk: UInt64, items: [Range<Int>], endsChunk: Bool) {
        self.key = key
        self.digest = digest
        self.chunk = chunk
        self.items = items
        self.endsChunk = endsChunk
    }

    init?(from reader: inout FieldReader) {
        guard let key = BatchKey(from: &reader), let digestHigh = reader.integer(UInt64.self),
            let digestLow = reader.integer(UInt64.self), let chunk = reader.integer(UInt64.self),
            let flags = reader.integer(UInt8.self), let count = reader.integer(UInt32.self),
            Int(count) * 8 <= reader.remaining
        else { return nil }
        self.key = key
        self.digest = Digest128(high: digestHigh, low: digestLow)
        self.chunk = chunk
        self.endsChunk = flags & 1 != 0
        self.items = []
        for _ in 0..<count {
            guard let first = reader.integer(UInt32.self), let length = reader.integer(UInt32.self) else { return nil }
            self.items.append(Int(first)..<(Int(first) + Int(length)))
        }
    }
}

extension BatchKey {
    init?(from reader: inout FieldReader) {
        guard let high = reader.integer(UInt64.self), let low = reader.integer(UInt64.self),
            let number = reader.integer(UInt64.self)
        else { return nil }
        self.init(series: Series(high: high, low: low), number: number)
    }
}

extension OutputBatch {
    /// The events with these numbers in the batch, ascending, as numbers in the chunk.
    func ranges(of items: [Int]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var rangeIndex = 0
        var before = 0
        for item in items {
            while item - before >= self.items[rangeIndex].count {
                before += self.items[rangeIndex].count
                rangeIndex += 1
            }
            let number = self.items[rangeIndex].lowerBound + item - before
            if let last = result.last, last.upperBound == number {
                result[result.count - 1] = last.lowerBound..<(number + 1)
            } else {
                result.append(number..<(number + 1))
            }
        }
        return result
    }
}
