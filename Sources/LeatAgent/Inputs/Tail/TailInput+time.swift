internal import LeatCore

extension TailInput {
    /// Every second while some file is detached, or when there is no notification; else every minute.
    func scheduleTick() {
        self.tick = self.loop.schedule(after: .seconds(1)) { [weak self] in self?.everySecond() }
    }

    func everySecond() {
        self.scheduleTick()
        self.secondsSinceScan += 1
        for file in Array(self.restless.values) where !file.isClosed {
            if file.state.isDetached {
                self.refreshDetached(file)
            } else if file.predecessor == nil, file.state.restByteCount == 0 {
                self.restless[ObjectIdentifier(file)] = nil
            }
            self.enqueue(file)
        }
        self.flushHeld()
        let growing = self.growing
        self.growing = []
        for path in growing { self.consider(path) }
        let polls = self.options.polls || self.watch.isShortOfWatches
        if polls || self.isLookDue || self.secondsSinceScan >= 60 { self.lookAtEverything() }
    }

    /// Hands out events whose next line did not come in time.
    func flushHeld() {
        for (key, file) in self.held {
            guard !file.isClosed, let deadline = file.shaper.deadline else {
                self.held[key] = nil
                continue
            }
            guard self.now >= deadline, self.sink.hasRoom(for: self.counters) else { continue }
            var events = EventList()
            file.shaper.flushIfDue(now: self.now, recordTail: file.recordTail, to: &events)
            if file.shaper.deadline == nil { self.held[key] = nil }
            self.noteHeld(file)
            if !events.isEmpty { self.handOn(events, file, start: file.state.offset) }
        }
    }

    /// Looks whether a detached file was deleted meanwhile, and whether its time is over.
    func refreshDetached(_ file: TailFile) {
        do throws(FileSystemError) {
            let isDeleted = try file.file.status().linkCount == 0
            if file.state.isDrained { self.apply(file.state.nextAtEnd(now: self.now), to: file) }
            if !file.isClosed, isDeleted { file.state.noteDeleted() }
        } catch {
            self.log.once("\(error)", .warning)
        }
    }

    /// The slow way to notice everything, for lost events, file systems without notification, and once a minute.
    func lookAtEverything() {
        self.secondsSinceScan = 0
        self.isLookDue = false
        self.finder.scan()
        for path in Array(self.newest.keys) {
            self.consider(path)
            // Files may have had the name for a moment without being noticed.
            if self.newest[path]?.names.contains(path) == false { _ = self.change(of: path) }
        }
        self.settle()
        for file in Array(self.files.values) {
            if self.options.leavesOldFiles { self.leaveIfOld(file) }
            self.enqueue(file)
        }
    }

    /// Whether a file was not written for so long that nobody can be expected to go on.
    func isQuiet(_ status: FileStatus) -> Bool {
        self.loop.time.now().nanoseconds - status.modifiedAt.nanoseconds > 60_000_000_000
    }

    /// Closes a file that has been read and was not written for too long; it is found again when it changes.
    func leaveIfOld(_ file: TailFile) {
        guard file.state.isDrained, file.state.restByteCount == 0, file.shaper.pendingByteCount == 0 else { return }
        do throws(FileSystemError) {
            if self.isTooOld(try file.file.status()) { self.close(file) }
        } catch {
            self.log.once("\(error)", .warning)
        }
    }
}
