internal import LeatCore
internal import Synchronization

/// What the footers of segments say, kept for the next query up to a number of bytes and of segments.
///
/// A footer is a ten thousandth of the events that it describes. Kept for ever, footers would have the memory grow with
/// the disk, and the mapped files with their number; read for each query, they would be most of the work of a short one.
/// Those that were not used for the longest time go first. Kept columns make room for footers, without which no column is
/// found. Any thread may call.
final class FooterCache: Sendable {
    /// What a segment's footer says.
    struct Footer: Sendable {
        /// In the order of the file, which stays mapped as long as somebody holds one of them.
        let blocks: [StoredBlock]
        /// Numbers of the segments that were merged into this one.
        let replaced: [Int64]
    }

    private struct Entry {
        var footer: Footer
        var byteCount: Int
        var lastUse: UInt64
    }

    private struct State {
        /// By the number of the segment.
        var entries: [Int64: Entry] = [:]
        var byteCount = 0
        var clock: UInt64 = 0
    }

    private let byteCountMax: Int
    private let countMax: Int
    private let claim: ColumnCache.Claim
    private let state = Mutex(State())

    init(
        byteCountMax: Int = StorageLimits.footerCacheByteCountMax,
        countMax: Int = StorageLimits.footerCacheCountMax,
        columns: ColumnCache = .shared
    ) {
        self.byteCountMax = byteCountMax
        self.countMax = countMax
        self.claim = ColumnCache.Claim(on: columns)
    }

    /// Bytes of all footers that are kept.
    var byteCount: Int { self.state.withLock { $0.byteCount } }

    /// Footers that are kept.
    var count: Int { self.state.withLock { $0.entries.count } }

    /// The footer of a segment, if it is kept.
    func footer(of segment: Int64) -> Footer? {
        self.state.withLock { state in
            state.clock += 1
            state.entries[segment]?.lastUse = state.clock
            return state.entries[segment]?.footer
        }
    }

    /// Keeps a footer, unless it alone is too large.
    func insert(_ footer: Footer, of segment: Int64) {
        let byteCount = footer.byteCount
        guard byteCount <= self.byteCountMax else { return }
        let dropped = self.state.withLock { state in
            state.clock += 1
            let entry = Entry(footer: footer, byteCount: byteCount, lastUse: state.clock)
            let replaced = state.entries.updateValue(entry, forKey: segment)
            state.byteCount += byteCount - (replaced?.byteCount ?? 0)
            return self.shrink(&state)
        }
        // Outside of the lock: the columns of the blocks go with them.
        withExtendedLifetime(dropped) {}
        self.claim.set(self.byteCount)
    }

    /// Forgets the footer of a segment.
    func remove(_ segment: Int64) {
        let dropped = self.state.withLock { state in
            let entry = state.entries.removeValue(forKey: segment)
            state.byteCount -= entry?.byteCount ?? 0
            return entry
        }
        guard dropped != nil else { return }
        withExtendedLifetime(dropped) {}
        self.claim.set(self.byteCount)
    }

    /// Drops footers until an eighth of the room is free, if there are too many, so that this is seldom done.
    private func shrink(_ state: inout State) -> [Entry] {
        guard state.byteCount > self.byteCountMax || state.entries.count > self.countMax else { return [] }
        var dropped: [Entry] = []
        for (segment, entry) in state.entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
            guard state.byteCount > self.byteCountMax / 8 * 7 || state.entries.count > self.countMax / 8 * 7 else {
                break
            }
            state.entries[segment] = nil
            state.byteCount -= entry.byteCount
            dropped.append(entry)
        }
        return dropped
    }
}

extension FooterCache.Footer {
    /// Bytes that the footer takes in memory, about.
    var byteCount: Int {
        // The names of a segment's fields are shared by its blocks.
        let names = self.blocks.first?.names.reduce(0) { $0 + 96 + $1.utf8.count } ?? 0
        return self.blocks.reduce(names) { $0 + $1.footerByteCount }
    }
}
