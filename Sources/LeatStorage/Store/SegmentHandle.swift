internal import LeatCore
internal import Synchronization

/// A segment of the catalog, whose footer is read when somebody needs it.
///
/// Whoever holds a handle can read the segment, also after a merge, a retention or a deletion has taken it out of the
/// catalog: its file goes with the last handle.
final class SegmentHandle: Sendable {
    private enum Contents {
        case unread
        case read([StoredBlock], replaced: [Int64])
        case damaged(offset: Int, reason: String)
        /// The file could not be read now; tried again the next time.
        case unreadable(String)
    }

    let record: SegmentRecord
    private let objects: any ObjectStore
    private let contents = Mutex<Contents>(.unread)
    private let isRemoved = Atomic<Bool>(false)

    init(_ record: SegmentRecord, objects: any ObjectStore) {
        self.record = record
        self.objects = objects
    }

    deinit {
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
    func blocks() throws(DamagedBlock) -> [StoredBlock] { try self.read().blocks }

    /// The blocks, and the numbers of the segments that were merged into this one.
    func read() throws(DamagedBlock) -> (blocks: [StoredBlock], replaced: [Int64]) {
        let contents = self.contents.withLock { contents in
            if case .unread = contents { contents = self.load() }
            defer { if case .unreadable = contents { contents = .unread } }
            return contents
        }
        switch contents {
        case .read(let blocks, let replaced): return (blocks, replaced)
        case .damaged(let offset, let reason):
            throw DamagedBlock(path: self.location, offset: UInt64(offset), reason: reason)
        case .unreadable(let reason): throw DamagedBlock(path: self.location, offset: 0, reason: reason)
        case .unread: preconditionFailure("loaded just now")
        }
    }

    private func load() -> Contents {
        let file: ByteSlice
        do {
            file = try self.objects.get(self.record.key)
        } catch {
            return .unreadable(error.description)
        }
        do {
            let footer = try SegmentFooter(file: file)
            return .read(footer.storedBlocks(of: file, path: self.location), replaced: footer.replaced)
        } catch {
            return .damaged(offset: error.offset, reason: error.reason)
        }
    }
}
