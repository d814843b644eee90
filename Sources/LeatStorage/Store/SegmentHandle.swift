internal import LeatCore
internal import Synchronization

/// A segment of the catalog, whose footer is read when somebody needs it.
///
/// Whoever holds a handle can read the segment, also after a merge, a retention or a deletion has taken it out of the
/// catalog: its file goes with the last handle.
final class SegmentHandle: Sendable {
    let record: SegmentRecord
    private let objects: any ObjectStore
    private let footers: FooterCache
    /// Why the file cannot be read; held while it is read.
    private let damage = Mutex<FormatError?>(nil)
    private let isRemoved = Atomic<Bool>(false)

    init(_ record: SegmentRecord, objects: any ObjectStore, footers: FooterCache) {
        self.record = record
        self.objects = objects
        self.footers = footers
    }

    deinit {
        self.footers.remove(self.record.number)
        guard self.isRemoved.load(ordering: .relaxed) else { return }
        do {
            try self.objects.delete(self.record.key)
        } catch {
            // The catalog does not name it any more, so that the next start removes it.
        }
    }

    /// Has the file go when nobody holds the handle any more; the catalog has forgotten the segment.
    func removeWhenUnused() { self.isRemoved.store(true, ordering: .relaxed) }

    /// Where an operator finds the file.
    var location: String { self.objects.location(of: self.record.key) }

    /// The blocks in the order of the file.
    func blocks() throws(DamagedBlock) -> [StoredBlock] { try self.footer().blocks }

    /// What the footer says.
    func footer() throws(DamagedBlock) -> FooterCache.Footer {
        if let known = self.footers.footer(of: self.record.number) { return known }
        let result = self.damage.withLock { damage in
            Result { () throws(DamagedBlock) in try self.read(&damage) }
        }
        return try result.get()
    }

    /// Reads the footer, unless somebody else has just done so.
    private func read(_ damage: inout FormatError?) throws(DamagedBlock) -> FooterCache.Footer {
        if let known = self.footers.footer(of: self.record.number) { return known }
        if let damage { throw self.damaged(damage) }
        let file: ByteSlice
        do {
            file = try self.objects.get(self.record.key)
        } catch {
            // It may be there the next time.
            throw DamagedBlock(path: self.location, offset: 0, reason: error.description)
        }
        do {
            let read = try SegmentFooter(file: file)
            let blocks = read.storedBlocks(of: file, path: self.location)
            let footer = FooterCache.Footer(blocks: blocks, replaced: read.replaced)
            self.footers.insert(footer, of: self.record.number)
            return footer
        } catch {
            damage = error
            throw self.damaged(error)
        }
    }

    private func damaged(_ error: FormatError) -> DamagedBlock {
        DamagedBlock(path: self.location, offset: UInt64(error.offset), reason: error.reason)
    }
}
