internal import LeatCore

/// Why the buffer takes no events, so that inputs do not read.
enum BufferFullness: CustomStringConvertible {
    /// Events in memory wait for a flush; over within a moment while the disk works.
    case memory
    /// The disk of the state folder has hardly more free than the reserve, in bytes.
    case disk(folder: String, free: UInt64, reserve: UInt64)
    /// The last flush failed.
    case failed(FileSystemError)

    /// Whether the deletion of delivered chunks helps.
    var endsWithDelivery: Bool {
        switch self {
        case .memory: false
        case .disk, .failed: true
        }
    }

    var description: String {
        switch self {
        case .memory: "events wait to be written"
        case .disk(let folder, let free, let reserve):
            "the disk of \(folder) has \(free >> 10) KiB free, of which \(reserve >> 10) KiB are kept in reserve"
        case .failed(let failure): failure.description
        }
    }
}

extension ChunkStore {
    /// Looks at the free space of the disk, so that reading stops before writes fail.
    func examineDisk() {
        do throws(FileSystemError) {
            let space = try self.disk.space(self.names.folder)
            // Some file systems of the network say 0 of 0.
            self.freeByteCount = space.total > 0 ? space.free : nil
        } catch {
            // Unknown is not full: the writes themselves will tell.
            self.freeByteCount = nil
        }
    }
}

/// Says when reading stops for want of room and when it goes on, once each, however often it stumbles in between.
struct FullnessNotes {
    /// How long there must be room before that is said, in nanoseconds.
    static let calmNanoseconds: UInt64 = 10_000_000_000

    private var lastFull: UInt64?

    /// What is to be logged now, if anything.
    mutating func note(_ fullness: BufferFullness?, now: UInt64) -> (level: AgentLog.Level, text: String)? {
        if let fullness, fullness.endsWithDelivery {
            let isNew = self.lastFull == nil
            self.lastFull = now
            return isNew ? (.error, "\(fullness): reading stops until there is room") : nil
        }
        guard let lastFull, now - lastFull >= Self.calmNanoseconds else { return nil }
        self.lastFull = nil
        return (.info, "the buffer has room again")
    }
}
