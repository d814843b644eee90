internal import LeatCore
internal import Synchronization

/// Columns of sealed blocks as queries have read them, kept for the next query up to a number of bytes.
///
/// What is kept is the encoded form: checked, expanded and taken apart, not the texts. Columns that were not used again
/// lately go first, and among equals any may go, so that scans of more than the cache holds find a part of it each time
/// instead of nothing, as they would if the oldest went.
///
/// Columns make room for rows that come in (`Claim`): both together have a limit, so that memory does not depend on what
/// was asked before. Any thread may call.
final class ColumnCache: Sendable {
    /// The cache of the process; its limits are those of the process, too.
    static let shared = ColumnCache(
        byteCountMax: StorageLimits.columnCacheByteCountMax,
        sharedByteCountMax: StorageLimits.sharedMemoryByteCountMax
    )

    private struct Entry {
        var column: Column
        var byteCount: Int
        var lastUse: UInt64
        var isUsedAgain = false
    }

    private struct State {
        /// By block, then by the offset of the page.
        var blocks: [UInt64: [Int: Entry]] = [:]
        var byteCount = 0
        /// Bytes of all claims.
        var claimedByteCount = 0
        var clock: UInt64 = 0
    }

    private static let blockNumbers = Atomic<UInt64>(0)
    /// A column that was used again is safe for so many calls per column of the cache.
    private static let usesRemembered: UInt64 = 8
    /// The ranks of those that stay begin here.
    private static let usedRank: UInt64 = 1 << 63

    /// A number that says nothing about its arguments.
    private static func scramble(_ block: UInt64, _ page: Int, _ clock: UInt64) -> UInt64 {
        var value = (block &* 0x9E37_79B9_7F4A_7C15) ^ (UInt64(truncatingIfNeeded: page) &+ clock)
        value = (value ^ (value >> 29)) &* 0xBF58_476D_1CE4_E5B9
        return value ^ (value >> 32)
    }

    /// Bytes of columns.
    let byteCountMax: Int
    /// Bytes of columns and claims together.
    let sharedByteCountMax: Int
    private let state = Mutex(State())

    init(byteCountMax: Int, sharedByteCountMax: Int = .max) {
        self.byteCountMax = byteCountMax
        self.sharedByteCountMax = sharedByteCountMax
    }

    /// Bytes that columns may take now: however much others claim, an eighth is left for the queries under way.
    private func limit(_ state: State) -> Int {
        max(self.byteCountMax / 8, min(self.byteCountMax, self.sharedByteCountMax - state.claimedByteCount))
    }

    /// A number for a block that no other block has.
    static func newBlockNumber() -> UInt64 { self.blockNumbers.add(1, ordering: .relaxed).newValue }

    /// Bytes of all columns that are kept.
    var byteCount: Int { self.state.withLock { $0.byteCount } }

    /// The column of a page, if it is kept.
    func column(block: UInt64, page: Int) -> Column? {
        self.state.withLock { state in
            state.clock += 1
            let clock = state.clock
            guard let column = state.blocks[block]?[page]?.column else { return nil }
            state.blocks[block]?[page]?.lastUse = clock
            state.blocks[block]?[page]?.isUsedAgain = true
            return column
        }
    }

    /// Keeps a column that holds `byteCount` bytes of memory.
    func insert(_ column: Column, block: UInt64, page: Int, byteCount: Int) {
        // One column must not drive out most of the others.
        guard byteCount <= self.byteCountMax / 4 else { return }
        self.state.withLock { state in
            state.clock += 1
            let entry = Entry(column: column, byteCount: byteCount, lastUse: state.clock)
            let replaced = state.blocks[block, default: [:]].updateValue(entry, forKey: page)
            state.byteCount += byteCount - (replaced?.byteCount ?? 0)
            self.shrink(&state)
        }
    }

    private func claim(_ change: Int) {
        self.state.withLock { state in
            state.claimedByteCount += change
            self.shrink(&state)
        }
    }

    /// Forgets the columns of a block.
    func removeAll(block: UInt64) {
        self.state.withLock { state in
            guard let entries = state.blocks.removeValue(forKey: block) else { return }
            for entry in entries.values { state.byteCount -= entry.byteCount }
        }
    }

    /// Drops columns until an eighth of the room is free, if there are too many, so that this is seldom done.
    private func shrink(_ state: inout State) {
        let limit = self.limit(state)
        guard state.byteCount > limit else { return }
        let count = state.blocks.values.reduce(0) { $0 + $1.count }
        let lately = state.clock - min(state.clock, UInt64(count) * Self.usesRemembered)
        var uses: [(rank: UInt64, block: UInt64, page: Int)] = []
        uses.reserveCapacity(count)
        for (block, entries) in state.blocks {
            for (page, entry) in entries {
                let isUsed = entry.isUsedAgain && entry.lastUse > lately
                let chance = Self.scramble(block, page, state.clock) & ~Self.usedRank
                uses.append((isUsed ? chance | Self.usedRank : chance, block, page))
            }
        }
        uses.sort { $0.rank < $1.rank }
        for use in uses {
            guard state.byteCount > limit / 8 * 7 else { return }
            guard let entry = state.blocks[use.block]?.removeValue(forKey: use.page) else { continue }
            state.byteCount -= entry.byteCount
            if state.blocks[use.block]?.isEmpty ?? false { state.blocks.removeValue(forKey: use.block) }
        }
    }
}

extension ColumnCache {
    /// Memory that somebody else holds and that columns make room for; given back with the object.
    final class Claim: Sendable {
        private let cache: ColumnCache
        private let byteCount = Mutex(0)

        init(on cache: ColumnCache) { self.cache = cache }

        /// Says how many bytes are held now.
        func set(_ byteCount: Int) {
            self.byteCount.withLock { held in
                self.cache.claim(byteCount - held)
                held = byteCount
            }
        }

        deinit { self.set(0) }
    }
}
