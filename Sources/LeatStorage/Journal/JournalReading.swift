internal import LeatCore

/// Reads the files of a journal one after the other and tells damage from what a crash leaves.
///
/// A gap between frames that follow each other, or at the end, is what a crash leaves of frames that nobody was told of.
struct JournalReading {
    /// The last frame so far, those of removed files included.
    private(set) var lastSequence: UInt64
    /// The last frame that some frame, or the catalog, knows to be on disk.
    private var durable: UInt64
    private var seen: Set<UInt64> = []
    /// Gaps with the number of the last frame before them, and what the first frame after them has as its previous one.
    private var gaps: [(path: String, gap: JournalReplay.Gap, after: UInt64, before: UInt64?)] = []
    private var unreadable: [(path: String, text: String)] = []

    /// `removedThrough` is the last frame in a file that was removed.
    init(removedThrough: UInt64) {
        self.lastSequence = removedThrough
        self.durable = removedThrough
    }

    /// The frames of the next file that were in none before it; a frame is in two files when the sync of the first failed.
    mutating func newFrames(in file: ByteSlice, path: String) -> [JournalFrame] {
        self.newFrames(in: JournalReplay(file: file), path: path)
    }

    mutating func newFrames(in replay: JournalReplay, path: String) -> [JournalFrame] {
        var frames: [JournalFrame] = []
        var gaps = replay.gaps[...]
        for (frame, offset) in zip(replay.frames, replay.offsets) {
            while let gap = gaps.first, gap.offset < offset {
                self.gaps.append((path, gap, self.lastSequence, nil))
                gaps.removeFirst()
            }
            for index in self.gaps.indices where self.gaps[index].before == nil {
                self.gaps[index].before = frame.meta.previous
            }
            self.durable = max(self.durable, frame.durable)
            guard self.seen.insert(frame.sequence).inserted else { continue }
            self.lastSequence = max(self.lastSequence, frame.sequence)
            frames.append(frame)
        }
        for gap in gaps { self.gaps.append((path, gap, self.lastSequence, nil)) }
        return frames
    }

    /// Notes a frame that cannot be used although its checksum is right.
    mutating func note(unreadable frame: JournalFrame, path: String, reason: String) {
        self.unreadable.append(
            (path, "\(path) is damaged in frame \(frame.sequence): \(reason); its rows are skipped")
        )
    }

    /// A line for each place where acknowledged rows are missing; complete once all files were read.
    var damage: [String] { self.damagedPlaces.map(\.text) }

    /// The files that `damage` speaks of.
    var damagedPaths: Set<String> { Set(self.damagedPlaces.map(\.path)) }

    private var damagedPlaces: [(path: String, text: String)] {
        self.gaps.filter { $0.after < $0.before ?? self.durable }.map { path, gap, _, _ in
            (path, "\(path) is damaged at byte \(gap.offset): \(gap.reason); \(gap.byteCount) bytes are skipped")
        } + self.unreadable
    }
}
