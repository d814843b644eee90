public import LeatCore
internal import Synchronization

/// What a deletion has done.
public struct DeletionOutcome: Sendable {
    public var rowCount = 0
    public var segmentCount = 0
    /// Files, or parts of files, that could not be read, so that rows in them may be left.
    public var damaged: [String] = []
    /// Whether it was told to stop before it had seen everything.
    public var isStopped = false

    public init() {}
}

extension Store {
    /// The number that the next row of a repository gets at the earliest, once all rows that are stored now are sealed.
    public func sealedRowBound(of repository: String) throws(StorageError) -> Int64 {
        try self.seal()
        let bound = self.state.withLock { $0.repositories[repository]?.record.nextRow }
        guard let bound else { throw self.unknown(repository) }
        return bound
    }

    /// Removes rows with numbers below `bound`, for ever: those that `choose` picks of each block.
    ///
    /// Segments are rewritten one by one; each changes from old to new in one step, so that a crash leaves every segment
    /// whole, and the same call made again goes on where it was. Rows that are not sealed are not looked at; call
    /// `sealedRowBound` first. What `choose` throws ends the deletion, except for `DamagedBlock`, which is noted.
    ///
    /// - Parameters:
    ///   - repository: Whose rows.
    ///   - bound: Rows with this number and later ones stay.
    ///   - times: Blocks without an event of these times, in nanoseconds, are left out.
    ///   - shouldStop: Asked between segments.
    ///   - choose: The rows of a block that go; `nil` for none.
    /// - Returns: What was done.
    /// - Throws: `StorageError`, or what `choose` throws.
    public func deleteRows(
        of repository: String,
        below bound: Int64,
        times: ClosedRange<Int64>,
        shouldStop: () -> Bool,
        choose: (any BlockSource) throws -> Bitmap?
    ) throws -> DeletionOutcome {
        var outcome = DeletionOutcome()
        var seen: Set<Int64> = []
        var segments = self.segments(of: repository)
        while !segments.isEmpty {
            for segment in segments {
                if shouldStop() {
                    outcome.isStopped = true
                    return outcome
                }
                seen.insert(segment.record.number)
                try self.deleteRows(of: repository, in: segment, below: bound, times, choose, &outcome)
            }
            // Merges may have made new segments of old ones meanwhile, which are looked at as well.
            segments = self.segments(of: repository).filter { !seen.contains($0.record.number) }
        }
        // Rows of the journal are in segments by now; without its files nothing can bring them back.
        if outcome.rowCount > 0 {
            self.endJournalFile()
            try self.seal()
        }
        return outcome
    }

    /// Rewrites one segment, if `choose` picks rows of it.
    private func deleteRows(
        of repository: String,
        in segment: SegmentHandle,
        below bound: Int64,
        _ times: ClosedRange<Int64>,
        _ choose: (any BlockSource) throws -> Bitmap?,
        _ outcome: inout DeletionOutcome
    ) throws {
        guard segment.record.times.overlaps(times) else { return }
        do {
            let chosen = try Self.chosen(segment, below: bound, times, choose)
            // One that a merge was faster to take is in a new segment, which comes later.
            guard !chosen.isEmpty, try self.rewrite(segment, without: chosen, of: repository) else { return }
            outcome.rowCount += chosen.values.reduce(0) { $0 + $1.setCount }
            outcome.segmentCount += 1
        } catch let damage as DamagedBlock {
            outcome.damaged.append(damage.description)
        }
    }

    /// Per block, by its place in the segment, the rows that go.
    private static func chosen(
        _ segment: SegmentHandle,
        below bound: Int64,
        _ times: ClosedRange<Int64>,
        _ choose: (any BlockSource) throws -> Bitmap?
    ) throws -> [Int: Bitmap] {
        var chosen: [Int: Bitmap] = [:]
        for (index, block) in try segment.blocks().enumerated()
        where block.summary.rows.lowerBound < bound && block.timeRange.overlaps(times) {
            guard var rows = try choose(block), !rows.isEmpty else { continue }
            if block.summary.rows.upperBound >= bound { try Self.keep(from: bound, of: block, in: &rows) }
            if !rows.isEmpty { chosen[index] = rows }
        }
        return chosen
    }

    /// Takes rows that came later than the deletion out of those that go.
    private static func keep(from bound: Int64, of block: StoredBlock, in rows: inout Bitmap) throws(DamagedBlock) {
        guard let numbers = try block.read(keepingColumns: false).column(StoredFields.id)?.integers else { return }
        for (row, number) in numbers.enumerated() where number >= bound { rows.set(row, to: false) }
    }

    /// Puts a segment without some rows in the place of the segment; `false` when the segment went meanwhile.
    private func rewrite(
        _ segment: SegmentHandle,
        without chosen: [Int: Bitmap],
        of repository: String
    ) throws -> Bool {
        let result = Result<Bool, any Error> {
            try self.merging.withLock { _ in
                let footer = try segment.footer()
                var encoded: [EncodedBlock] = []
                for (index, block) in footer.blocks.enumerated() {
                    if let kept = try block.encoded(without: chosen[index]) { encoded.append(kept) }
                }
                guard try self.replace(segment, by: encoded, replaced: footer.replaced, in: repository) else {
                    return false
                }
                let rowCount = chosen.values.reduce(0) { $0 + $1.setCount }
                self.state.withLock { $0.counters.deletedRowCount += UInt64(rowCount) }
                return true
            }
        }
        return try result.get()
    }

    /// Publishes what is left of a segment; the caller holds `merging`.
    private func replace(
        _ segment: SegmentHandle,
        by encoded: [EncodedBlock],
        replaced: [Int64],
        in repository: String
    ) throws(StorageError) -> Bool {
        var record: SegmentRecord?
        if !encoded.isEmpty {
            let number = self.state.withLock { state in
                defer { state.nextSegment += 1 }
                return state.nextSegment
            }
            let (parts, footer) = SegmentWriter.assemble(
                encoded,
                repositoryID: segment.record.repositoryID,
                repository: repository,
                createdAt: self.options.time.now().milliseconds,
                replaced: [segment.record.number] + replaced
            )
            let written = SegmentRecord(footer, number: number, byteCount: parts.reduce(0) { $0 + $1.count })
            try self.objects.put(written.key, parts)
            record = written
        }
        let isPublished = try self.exchange([segment], for: record, in: repository)
        if !isPublished, let record { try self.objects.delete(record.key) }
        return isPublished
    }
}

extension StoredBlock {
    /// The block for another segment without some rows; `nil` when none are left.
    func encoded(without rows: Bitmap?) throws(DamagedBlock) -> EncodedBlock? {
        guard let rows else { return try self.encoded() }
        var kept: [Int] = []
        for row in 0..<self.rowCount where !rows[row] { kept.append(row) }
        if kept.isEmpty { return nil }
        return try BlockEncoder.encode(try self.read(keepingColumns: false).gathered(kept), tags: self.tags)
    }
}
