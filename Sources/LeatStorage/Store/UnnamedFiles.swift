internal import LeatCore

/// Files among the segments that the catalog does not name, and what becomes of them when a store is opened.
///
/// A crash between writing a segment and publishing it leaves one. So does a catalog that lost its newest transactions, and
/// then the file may be all there is of its rows, since their journal is gone. A footer says what the lost entry said, so
/// such a segment is published again, which is as right after a crash: the rows are then sealed, and the journal's are
/// skipped. Numbers below the catalog's next one belong to segments that were merged away, deleted, or written again.
struct UnnamedFiles {
    private struct Segment {
        var record: SegmentRecord
        var footer: SegmentFooter
    }

    /// What was done that the owner should know, a line each.
    private(set) var notices: [String] = []
    /// Segments that cannot be read, a line each.
    private(set) var damaged: [String] = []
    /// The highest number of a segment that stays, so that no other one gets it.
    private(set) var numberMax: Int64 = 0

    private let objects: any ObjectStore
    private let catalog: any Catalog
    /// What the catalog says, what was published here included.
    private(set) var contents: CatalogContents
    private let present: Set<String>
    /// By number.
    private var segments: [Segment] = []
    private var removable: [String] = []

    /// Looks at all files; `folder` is that of the data, for messages.
    init(objects: any ObjectStore, catalog: any Catalog, folder: String) throws(StorageError) {
        self.objects = objects
        self.catalog = catalog
        self.contents = try catalog.contents()
        self.present = Set(try objects.list().map(\.key))
        let unnamed = self.present.subtracting(self.contents.segments.map(\.key)).sorted()
        let numbers = unnamed.map { key in
            key.hasSuffix(StorageFileNames.segmentSuffix) ? StorageFileNames.number(in: key) : nil
        }
        // A catalog that never saw a segment has not written these; it was lost and must be rebuilt.
        let segmentCount = numbers.count { $0 != nil }
        if self.contents.nextSegment == 1 && self.contents.repositories.isEmpty && segmentCount > 0 {
            throw .damaged(
                path: "\(folder)/\(StorageFileNames.catalog)",
                reason: "it is empty but there are \(segmentCount) segments; run 'leat-server rebuild-catalog'"
            )
        }
        for (key, number) in zip(unnamed, numbers) {
            if let number, number >= self.contents.nextSegment {
                self.numberMax.raise(to: number)
                try self.read(key, number: number)
            } else {
                self.removable.append(key)
            }
        }
        self.segments.sort { $0.record.number < $1.record.number }
    }

    private mutating func read(_ key: String, number: Int64) throws(StorageError) {
        let file = try self.objects.get(key)
        do throws(FormatError) {
            let footer = try SegmentFooter(file: file)
            let record = SegmentRecord(footer, number: number, byteCount: file.count)
            self.segments.append(Segment(record: record, footer: footer))
        } catch {
            // It stays where it is: what can be read of it may be all there is.
            self.damaged.append(
                "\(self.objects.location(of: key)) is damaged at byte \(error.offset): \(error.reason); "
                    + "the catalog does not name it"
            )
        }
    }

    /// Publishes the segments whose rows nothing else has and removes all other files.
    mutating func settle(now: Timestamp) throws(StorageError) {
        let merged = self.mergedToPublish()
        let replaced = Set(merged.flatMap(\.footer.replaced))
        let published = merged + self.sealedToPublish(without: replaced)
        if !published.isEmpty { try self.publish(published, replacing: replaced, now: now) }
        let kept = Set(published.map(\.record.number))
        self.removable += self.segments.map(\.record).filter { !kept.contains($0.number) }.map(\.key)
        for key in self.removable { try self.objects.delete(key) }
    }

    /// Merged segments whose parts are gone, or were never entered; the newest of those that are merged of each other.
    private func mergedToPublish() -> [Segment] {
        let named = Dictionary(uniqueKeysWithValues: self.contents.segments.map { ($0.number, $0.key) })
        var chosen: [Segment] = []
        var replaced: Set<Int64> = []
        for segment in self.segments.reversed()
        where !segment.footer.replaced.isEmpty && !replaced.contains(segment.record.number) && self.isWanted(segment) {
            let lacksParts = segment.footer.replaced.contains { part in
                named[part].map { !self.present.contains($0) } ?? false
            }
            guard lacksParts || segment.footer.parts.contains(where: { $0.rows.upperBound > self.sealed($0, segment) })
            else { continue }
            chosen.append(segment)
            replaced.formUnion(segment.footer.replaced)
        }
        return chosen
    }

    /// Segments of rows that no entry of the catalog has, oldest first.
    private func sealedToPublish(without replaced: Set<Int64>) -> [Segment] {
        var chosen: [Segment] = []
        var change = CatalogChange()
        change.sealedThrough = self.contents.sealedThrough
        var repositories: [Int64: RepositoryRecord] = [:]
        for segment in self.segments
        where segment.footer.replaced.isEmpty && !replaced.contains(segment.record.number) && self.isWanted(segment) {
            let sealed = change.sealedThrough[segment.record.repositoryID] ?? [:]
            // After a publication that failed the rows were written once more.
            guard segment.footer.parts.allSatisfy({ $0.rows.lowerBound > sealed[$0.tags] ?? -1 }) else { continue }
            chosen.append(segment)
            segment.footer.enter(in: &repositories, &change, now: Timestamp(nanoseconds: 0))
        }
        return chosen
    }

    /// Whether the segment's repository is there, or its entry was lost too; otherwise it was deleted.
    private func isWanted(_ segment: Segment) -> Bool {
        let id = segment.record.repositoryID
        return id >= self.contents.nextRepository || self.contents.repositories.contains { $0.id == id }
    }

    private func sealed(_ part: SegmentFooter.Part, _ segment: Segment) -> Int64 {
        self.contents.sealedThrough[segment.record.repositoryID]?[part.tags] ?? -1
    }

    private mutating func publish(
        _ segments: [Segment],
        replacing replaced: Set<Int64>,
        now: Timestamp
    ) throws(StorageError) {
        var change = CatalogChange()
        change.sealedThrough = self.contents.sealedThrough
        var repositories = Dictionary(uniqueKeysWithValues: self.contents.repositories.map { ($0.id, $0) })
        for segment in segments.sorted(by: { $0.record.number < $1.record.number }) {
            change.addedSegments.append(segment.record)
            segment.footer.enter(in: &repositories, &change, now: now)
            self.notices.append(
                "\(self.objects.location(of: segment.record.key)) was not in the catalog and is entered again"
            )
        }
        change.putRepositories = repositories.values.sorted { $0.id < $1.id }
        let parts = self.contents.segments.filter { replaced.contains($0.number) }
        change.removedSegments = parts.map(\.number)
        _ = try self.catalog.publish(change, expecting: self.contents.version)
        self.contents = try self.catalog.contents()
        self.removable += parts.map(\.key).filter { self.present.contains($0) }
    }
}
