internal import LeatCore
internal import LeatQuery

/// The rows of groups that were sorted each for itself, brought into one order: newest first.
///
/// Every group becomes a run of records: time in nanoseconds, length, the row as JSON. Runs lie end to end in memory while
/// they are small, else in a temporary file, so that an answer of any size takes the same memory. Of equal times the row
/// of the earlier run comes first, as groups are added from the one that arrived last.
struct RowRuns: ~Copyable {
    private static let headByteCount = 12

    private var spool = Spool()
    private var byteCount = 0
    private var runs: [Range<Int>] = []
    private var record: [UInt8] = []

    init() {}

    /// Adds the rows of a group, newest first.
    mutating func add(_ rows: QueryRows, columns: [String]?) throws {
        let start = self.byteCount
        let result = QueryResult(columns: columns, rows: rows, warnings: [], isAggregate: false)
        var index = 0
        try result.forEachRowAsJSON { row in
            let place = rows.order[index]
            index += 1
            let time = rows.batches[Int(place.batch)].timestamps[Int(place.row)]
            self.record.removeAll(keepingCapacity: true)
            withUnsafeBytes(of: time.littleEndian) { self.record.append(contentsOf: $0) }
            withUnsafeBytes(of: UInt32(row.count).littleEndian) { self.record.append(contentsOf: $0) }
            self.record += row
            self.byteCount += self.record.count
            try self.record.withUnsafeBytes { try self.spool.write($0) }
        }
        if self.byteCount > start { self.runs.append(start..<self.byteCount) }
    }

    /// Calls `body` with every row, newest first, until it returns `false`; the runs are gone afterwards.
    mutating func forEach(_ body: (UnsafeRawBufferPointer) throws -> Bool) throws {
        let bytes = try self.spool.finish()
        var heads = self.runs.map { Head($0, in: bytes.unsafeBytes) }
        self.runs = []
        while let best = Self.newest(of: heads) {
            // Fast path: a run goes on alone for as long as its rows are newer than the first of every other.
            let bound = Self.newestTime(of: heads, besides: best)
            repeat {
                guard try body(heads[best].row) else { return }
                heads[best].advance(in: bytes.unsafeBytes)
            } while heads[best].isThere && heads[best].time > bound
            if !heads[best].isThere { heads.remove(at: best) }
        }
    }

    /// The next row of a run.
    private struct Head {
        private var rest: Range<Int>
        private(set) var time: Int64 = 0
        private(set) var row = UnsafeRawBufferPointer(start: nil, count: 0)
        private(set) var isThere = true

        init(_ run: Range<Int>, in bytes: UnsafeRawBufferPointer) {
            self.rest = run
            self.advance(in: bytes)
        }

        mutating func advance(in bytes: UnsafeRawBufferPointer) {
            guard !self.rest.isEmpty else {
                self.isThere = false
                return
            }
            let start = self.rest.lowerBound
            self.time = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Int64.self))
            let count = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt32.self)))
            let end = start + RowRuns.headByteCount + count
            self.row = bytes.slice((start + RowRuns.headByteCount)..<end)
            self.rest = end..<self.rest.upperBound
        }
    }

    private static func newest(of heads: [Head]) -> Int? {
        guard var best = heads.indices.first else { return nil }
        for index in heads.indices where heads[index].time > heads[best].time { best = index }
        return best
    }

    private static func newestTime(of heads: [Head], besides best: Int) -> Int64 {
        var newest = Int64.min
        for index in heads.indices where index != best { newest = max(newest, heads[index].time) }
        return newest
    }
}
