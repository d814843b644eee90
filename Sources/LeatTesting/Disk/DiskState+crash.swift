internal import LeatCore

/// What survives a crash, one decision after the other.
enum CrashChoices {
    case dropAll
    case random(SeededRandom)
    /// One bit per change: kept or dropped, never torn.
    case mask(UInt64, next: Int)

    /// Whether the next change is kept.
    mutating func keeps() -> Bool {
        switch self {
        case .dropAll: return false
        case .random(var random):
            defer { self = .random(random) }
            return Bool.random(using: &random)
        case .mask(let bits, let next):
            self = .mask(bits, next: next + 1)
            return bits >> UInt64(next) & 1 == 1
        }
    }

    /// How many of the bytes of a write that is kept are there: all, or as many as were written when the power went.
    mutating func keptByteCount(of byteCount: Int) -> Int {
        guard case .random(var random) = self else { return byteCount }
        defer { self = .random(random) }
        return Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 0...byteCount, using: &random) : byteCount
    }
}

extension DiskState {
    /// The disk after a power cut: durable bytes and names, and of the other changes those that `choices` keep.
    func crashed(_ choices: inout CrashChoices) -> DiskState {
        var disk = self
        disk.rule = nil
        disk.isPowerCut = false
        disk.operationCount = 0
        disk.keepEntries(&choices)
        for index in disk.inodes.indices { disk.inodes[index].crash(&choices) }
        disk.countLinks()
        return disk
    }

    private mutating func keepEntries(_ choices: inout CrashChoices) {
        var dropped: Set<EntryName> = []
        for change in self.pendingEntries {
            let names = change.names.map { EntryName(directory: $0.directory, name: $0.name) }
            // A change that builds on one that is gone is gone too.
            if choices.keeps(), dropped.isDisjoint(with: names) {
                self.makeDurable(change)
            } else {
                dropped.formUnion(names)
            }
        }
        self.pendingEntries = []
    }

    private mutating func countLinks() {
        for index in self.inodes.indices { self.inodes[index].linkCount = index == 0 ? 1 : 0 }
        for inode in self.inodes {
            for target in inode.entries.values { self.inodes[target].linkCount += 1 }
        }
    }
}

extension DiskState.Inode {
    mutating func crash(_ choices: inout CrashChoices) {
        for change in self.pending where choices.keeps() {
            var kept = change
            if let bytes = change.bytes {
                kept.bytes = Array(bytes.prefix(choices.keptByteCount(of: bytes.count)))
            }
            kept.apply(to: &self.durableBytes)
        }
        self.pending = []
        self.bytes = self.durableBytes
        self.entries = self.durableEntries
    }
}
