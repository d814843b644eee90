internal import LeatCore
internal import Synchronization

extension Store {
    /// Seals and merges until nothing is due, and applies the retention.
    public func compact() throws(StorageError) {
        try self.seal()
        self.endJournalFile()
        try self.seal()
        try self.applyRetention()
        try self.mergeDue(all: true)
    }

    /// Has the journal begin a new file with its next frame, so that the one of today can go.
    func endJournalFile() {
        let wanted = self.queue.update { queue in
            queue.fileEndsWanted += 1
            return queue.fileEndsWanted
        }
        self.queue.wait { $0.endedFiles >= wanted || $0.isClosed ? () : nil }
    }

    /// Merges small segments; with `all` as far as it goes, else those of which there are many.
    func mergeDue(all: Bool) throws(StorageError) {
        let result: Result<Void, StorageError> = self.merging.withLock { _ in
            Result { () throws(StorageError) in
                for repository in self.repositories {
                    while let chosen = self.mergeable(in: repository.name, all: all) {
                        guard try self.merge(chosen, in: repository.name) else { break }
                        if self.state.withLock({ $0.isClosed }) { return }
                    }
                }
            }
        }
        try result.get()
    }

    /// Segments that should become one, oldest first; `nil` when none should.
    private func mergeable(in repository: String, all: Bool) -> [SegmentHandle]? {
        let segments = self.state.withLock { state in
            let damaged = state.unmergeable
            return (state.repositories[repository]?.segments ?? []).filter { segment in
                segment.record.byteCount < StorageLimits.mergedByteCountMin && !damaged.contains(segment.record.number)
            }
        }
        let sorted = segments.sorted { $0.record.arrivals.lowerBound < $1.record.arrivals.lowerBound }
        if all { return Self.bounded(sorted[...], least: 2) }
        for (_, group) in Dictionary(grouping: sorted, by: { Self.sizeClass($0.record.byteCount) })
        where group.count >= StorageLimits.mergedSegmentCount {
            return Self.bounded(group[...], least: 2)
        }
        return nil
    }

    private static func bounded(_ segments: ArraySlice<SegmentHandle>, least: Int) -> [SegmentHandle]? {
        var chosen: [SegmentHandle] = []
        var byteCount: Int64 = 0
        for segment in segments {
            byteCount += segment.record.byteCount
            if chosen.count >= least && byteCount > StorageLimits.mergeInputByteCountMax { break }
            chosen.append(segment)
        }
        return chosen.count >= least ? chosen : nil
    }

    /// Powers of four.
    private static func sizeClass(_ byteCount: Int64) -> Int { (64 - byteCount.leadingZeroBitCount) / 2 }

    /// Puts the rows of segments into one; says whether there is less to merge now.
    private func merge(_ segments: [SegmentHandle], in repository: String) throws(StorageError) -> Bool {
        let start = self.options.time.monotonicNanoseconds()
        var sources: [StoredBlock] = []
        var replaced: [Int64] = []
        for segment in segments {
            do {
                let footer = try segment.footer()
                sources += footer.blocks
                replaced += [segment.record.number] + footer.replaced
            } catch {
                self.setApart(segment, error)
                return true
            }
        }
        guard let encoded = self.merged(sources, of: segments) else { return true }
        let found = self.state.withLock { state -> (id: Int64, number: Int64)? in
            guard let record = state.repositories[repository]?.record else { return nil }
            defer { state.nextSegment += 1 }
            return (record.id, state.nextSegment)
        }
        guard let found, found.id == segments[0].record.repositoryID else { return false }
        let (parts, footer) = SegmentWriter.assemble(
            encoded,
            repositoryID: found.id,
            repository: repository,
            createdAt: self.options.time.now().milliseconds,
            replaced: replaced
        )
        let record = SegmentRecord(footer, number: found.number, byteCount: parts.reduce(0) { $0 + $1.count })
        try self.objects.put(record.key, parts)
        let isReplaced = try self.exchange(segments, for: record, in: repository)
        if !isReplaced { try self.objects.delete(record.key) }
        self.state.withLock { state in
            state.counters.mergedSegmentCount += UInt64(segments.count)
            state.counters.mergeNanoseconds += self.options.time.monotonicNanoseconds() &- start
        }
        return isReplaced
    }

    /// Puts one segment, or none, in the place of some, unless one of these went meanwhile; says whether it did.
    ///
    /// The caller holds `merging`.
    func exchange(
        _ segments: [SegmentHandle],
        for record: SegmentRecord?,
        in repository: String
    ) throws(StorageError) -> Bool {
        let numbers = Set(segments.map(\.record.number))
        let isPublished = try self.whilePublishing { () throws(StorageError) in
            let present = self.state.withLock { state in
                state.repositories[repository]?.segments.filter { numbers.contains($0.record.number) }.count
            }
            guard present == segments.count else { return false }
            var change = CatalogChange()
            change.addedSegments = record.map { [$0] } ?? []
            change.removedSegments = numbers.sorted()
            try self.publish(change)
            self.state.withLock { state in
                state.repositories[repository]?.segments.removeAll { numbers.contains($0.record.number) }
                guard let record else { return }
                state.repositories[repository]?.segments.append(self.handle(of: record))
            }
            return true
        }
        if isPublished {
            for segment in segments { segment.removeWhenUnused() }
        }
        return isPublished
    }

    /// The blocks of a merged segment, full ones as they are, small ones joined; `nil` when one is damaged.
    private func merged(_ sources: [StoredBlock], of segments: [SegmentHandle]) -> [EncodedBlock]? {
        let sorted = sources.sorted { left, right in
            let names = (left.tags.description, right.tags.description)
            return names.0 == names.1 ? left.summary.rows.lowerBound < right.summary.rows.lowerBound : names.0 < names.1
        }
        var encoded: [EncodedBlock] = []
        var small: [StoredBlock] = []
        for (index, block) in sorted.enumerated() {
            do {
                let isLarge = block.rowCount >= StorageLimits.smallBlockRowCount
                if isLarge { encoded.append(try block.encoded()) } else { small.append(block) }
                let next = index + 1 < sorted.count ? sorted[index + 1] : nil
                let isNextSmall = next.map { $0.rowCount < StorageLimits.smallBlockRowCount } ?? false
                let fits = small.reduce(next?.rowCount ?? 0) { $0 + $1.rowCount } <= Batch.rowCountMax
                if !small.isEmpty, !isNextSmall || next?.tags != block.tags || !fits {
                    encoded.append(try self.joined(small))
                    small = []
                }
            } catch {
                for segment in segments where segment.location == error.path { self.setApart(segment, error) }
                return nil
            }
        }
        return encoded
    }

    private func joined(_ blocks: [StoredBlock]) throws(DamagedBlock) -> EncodedBlock {
        if blocks.count == 1 { return try blocks[0].encoded() }
        self.mergeClaim.set(blocks.reduce(0) { $0 + $1.byteCount } * StorageLimits.memoryPerOpenByte)
        defer { self.mergeClaim.set(0) }
        var batches: [Batch] = []
        for block in blocks { batches.append(try block.read(keepingColumns: false)) }
        let tags = blocks[0].tags
        let joined = try Batch.joining(batches) { !StoredFields.isImplied($0) && tags[$0] == nil }
        return try BlockEncoder.encode(joined, tags: tags)
    }

    /// Leaves a damaged segment as it is: what is readable stays readable, the rest may still be mended.
    private func setApart(_ segment: SegmentHandle, _ damage: DamagedBlock) {
        self.state.withLock { state in
            guard state.unmergeable.insert(segment.record.number).inserted else { return }
            state.counters.damagedCount += 1
            state.damaged.append(damage.description)
        }
    }
}

extension StoredBlock {
    /// The block for another segment, its pages checked.
    func encoded() throws(DamagedBlock) -> EncodedBlock {
        for page in self.summary.pages { _ = try self.verified(page) }
        var summary = self.summary
        var names: [String] = []
        for index in summary.pages.indices {
            names.append(self.names[summary.pages[index].name])
            summary.pages[index].name = index
        }
        return EncodedBlock(
            tags: self.tags,
            names: names,
            summary: summary,
            bytes: self.bytes,
            filter: try self.blockFilter()
        )
    }
}
