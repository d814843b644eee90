internal import LeatCore

/// Puts frames on disk; used by the journal's thread alone.
final class JournalWriter: @unchecked Sendable {
    // Sound as Sendable: after its creation only the journal's thread uses it.
    private let fileSystem: any FileSystem
    private let files: JournalFiles
    private let folder: String
    private let time: any TimeSource
    private var nextNumber: UInt64
    private var current: (number: UInt64, file: any File, byteCount: UInt64)?

    /// What syncs took, in nanoseconds, since the last `takeSyncs`.
    private var syncs: [UInt64] = []
    private var failureCount: UInt64 = 0

    init(fileSystem: any FileSystem, files: JournalFiles, folder: String, time: any TimeSource, nextNumber: UInt64) {
        self.fileSystem = fileSystem
        self.files = files
        self.folder = folder
        self.time = time
        self.nextNumber = nextNumber
    }

    /// Writes frames; they are on stable storage when the call returns.
    ///
    /// After a failed write or sync the file is abandoned, since the system may have dropped what was not written, and
    /// the frames go to a new one. When that fails too, the frames count as not written.
    func write(_ frames: [JournalFrame]) throws(FileSystemError) -> Int {
        do {
            return try self.writeOnce(frames)
        } catch {
            self.failureCount += 1
            self.abandon()
        }
        do {
            return try self.writeOnce(frames)
        } catch {
            self.failureCount += 1
            self.abandon()
            throw error
        }
    }

    private func writeOnce(_ frames: [JournalFrame]) throws(FileSystemError) -> Int {
        let current = try self.openFile()
        var parts: [ByteSlice] = []
        var byteCount: UInt64 = 0
        for frame in frames {
            let (frameParts, frameByteCount) = frame.parts()
            parts += frameParts
            byteCount += UInt64(frameByteCount)
        }
        do throws(FileSystemError) {
            try current.file.write(parts, at: current.byteCount)
            let start = self.time.monotonicNanoseconds()
            try current.file.sync()
            self.syncs.append(self.time.monotonicNanoseconds() &- start)
        } catch {
            self.cut(current.file, to: current.byteCount)
            throw error
        }
        self.current?.byteCount += byteCount
        self.files.wrote(current.number, byteCount: current.byteCount + byteCount, frames)
        if current.byteCount + byteCount >= StorageLimits.journalFileByteCountMax { self.closeFile() }
        return Int(byteCount)
    }

    private func openFile() throws(FileSystemError) -> (number: UInt64, file: any File, byteCount: UInt64) {
        if let current = self.current { return current }
        let number = self.nextNumber
        // A number is used once even when the creation fails half-way.
        self.nextNumber += 1
        let file = try self.fileSystem.open(self.files.path(number), .createNew)
        let header = ByteSlice(JournalReplay.fileMagic)
        do throws(FileSystemError) {
            try file.write([header], at: 0)
            try self.fileSystem.syncDirectory(self.folder)
        } catch {
            file.close()
            throw error
        }
        let opened = (number: number, file: file, byteCount: UInt64(header.count))
        self.current = opened
        self.files.opened(number)
        return opened
    }

    private func abandon() { self.closeFile() }

    /// Takes frames out again that nobody will be told of.
    private func cut(_ file: any File, to byteCount: UInt64) {
        do {
            try file.truncate(to: byteCount)
        } catch {
            // They may stay: replay knows a frame that is in two files, and a batch that was sent again.
            self.failureCount += 1
        }
    }

    /// Ends the current file; the next frames begin a new one.
    func closeFile() {
        guard let current = self.current else { return }
        current.file.close()
        self.files.closed(current.number)
        self.current = nil
    }

    /// The durations of the syncs since the last call, and how many writes or syncs failed.
    func takeSyncs() -> (nanoseconds: [UInt64], failureCount: UInt64) {
        defer {
            self.syncs = []
            self.failureCount = 0
        }
        return (self.syncs, self.failureCount)
    }
}
