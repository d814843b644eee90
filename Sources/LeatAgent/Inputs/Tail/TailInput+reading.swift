internal import LeatCore

extension TailInput {
    /// One read; the number of bytes taken.
    func readOnce(_ file: TailFile) -> Int {
        if let predecessor = file.predecessor, !self.takeOver(from: predecessor, to: file) { return 0 }
        let start = file.state.offset
        var events = EventList()
        if !file.state.isDrained { events.reserve(byteCount: TailReader.readByteCount + TailReader.readByteCount / 4) }
        let mayMerge = file.recordTail.isEmpty && self.templates.mayMerge && file.replayed == nil
        file.shaper.earlyMerge = mayMerge ? self.sink.earlyMerge(for: file.tag) : nil
        defer { file.shaper.earlyMerge = nil }
        do throws(FileSystemError) {
            switch try self.reader.read(file, now: Moment(self.loop.time), into: &events) {
            case .otherContent:
                self.restart(file)
                return 0
            case .read(let consumed, let rest, let reachedEnd):
                let action = file.state.didRead(
                    consumed: UInt64(consumed),
                    rest: UInt64(rest),
                    reachedEnd: reachedEnd,
                    now: self.now
                )
                if consumed > 0 {
                    self.boundHeld(file, &events)
                    self.handOn(events, file, start: start)
                }
                self.apply(action, to: file)
                return consumed
            }
        } catch {
            self.log.once("\(error); the file is tried again when it changes", .error)
            return 0
        }
    }

    /// Waits until the file that had the name was read to its end, then takes its unfinished lines.
    func takeOver(from predecessor: TailFile, to file: TailFile) -> Bool {
        guard predecessor.isClosed || predecessor.state.isDrained else {
            self.enqueue(predecessor)
            return false
        }
        if !predecessor.isClosed, predecessor.shaper.pendingByteCount > 0, file.state.offset == 0 {
            file.shaper = predecessor.shaper.handOver()
            self.noteHeld(predecessor)
            self.noteHeld(file)
            // No line of this file may come to end the event, so that time must.
            if file.shaper.deadline != nil { self.held[ObjectIdentifier(file)] = file }
        }
        file.predecessor = nil
        if !file.state.isDetached { self.restless[ObjectIdentifier(file)] = nil }
        return true
    }

    /// Keeps the unfinished events of all files within their limit: a file that adds to too much hands out what it has.
    func boundHeld(_ file: TailFile, _ events: inout EventList) {
        self.noteHeld(file)
        guard self.heldByteCount > self.options.heldByteCountMax, file.replayed == nil else { return }
        // Small ones stay: cutting them would gain nothing.
        guard file.heldByteCount > self.options.heldByteCountMax / 64 else { return }
        self.log.once("\(file.path): too many unfinished lines are held; its own are cut", .warning)
        file.shaper.finishAll(now: self.now, recordTail: file.recordTail, isCut: true, to: &events)
        self.noteHeld(file)
    }

    /// Counts the bytes of a file's unfinished events.
    func noteHeld(_ file: TailFile) {
        let held = file.isClosed ? 0 : file.shaper.pendingByteCount
        self.heldByteCount += held - file.heldByteCount
        file.heldByteCount = held
    }

    func handOn(_ events: EventList, _ file: TailFile, start: UInt64) {
        if file.shaper.deadline != nil { self.held[ObjectIdentifier(file)] = file }
        self.counters.readBytes += file.state.offset - start
        self.noteStatus(file)
        let tally = file.shaper.tally
        file.shaper.tally = LineShaper.Tally()
        self.counters.longLinesCut += UInt64(tally.cutLines)
        self.counters.longLinesSkipped += UInt64(tally.skippedLines)
        self.counters.invalidTexts += UInt64(tally.invalidTexts)
        // Until it is over, a replay makes no events and must not move the position back.
        if file.replayed != nil, file.state.offset < file.replayEnd { return }
        self.sink.accept(self.read(events, file, start: start), from: self.counters)
    }

    /// Notes when the file was written, and covers more of a young file's beginning.
    func noteStatus(_ file: TailFile) {
        do throws(FileSystemError) {
            let status = try file.file.status()
            file.modifiedAtNanoseconds = status.modifiedAt.nanoseconds
            guard file.identity.prefixByteCount < FileIdentity.prefixByteCountMax else { return }
            file.identity = try FileIdentity.of(file.file, status: status)
        } catch {
            self.log.once("\(error)", .warning)
        }
    }

    /// The file was truncated or rewritten in place: what is in it now is a new source.
    func restart(_ file: TailFile) {
        if file.state.isDetached {
            // The next copy over the last one, as copytruncate makes them; its lines were read under the followed name.
            self.log.write(.info, "what was \(file.path) is written anew: it is not read again")
            return self.close(file)
        }
        self.counters.filesRotated += 1
        self.log.write(.info, "\(file.path) was truncated or rewritten; reading it from the start")
        var events = EventList()
        // Nothing can follow the unfinished lines of the old content.
        file.shaper.finishAll(now: self.now, recordTail: file.recordTail, to: &events)
        let start = file.state.offset
        if !events.isEmpty { self.sink.accept(self.read(events, file, start: start), from: self.counters) }
        self.sink.finish(source: file.source)
        self.sink.forget(source: file.source)
        _ = file.state.sawOtherContent(now: self.now)
        do throws(FileSystemError) {
            let status = try file.file.status()
            let log = OpenLog(path: file.path, handle: file.file, status: status)
            let successor = try self.makeFile(file.path, log, nil, isNew: true)
            self.replace(file, by: successor)
        } catch {
            self.log.write(.error, "\(error)")
        }
    }

    func read(_ events: EventList, _ file: TailFile, start: UInt64? = nil) -> InputRead {
        InputRead(
            tag: file.tag,
            events: events,
            position: file.position,
            startOffset: start ?? file.state.offset
        )
    }

    /// The same open file under a new source number.
    func replace(_ file: TailFile, by successor: TailFile) {
        file.isClosed = true
        self.noteHeld(file)
        successor.state = TailFileState(offset: 0, now: self.now)
        successor.marker = .none
        successor.mayBeginWithHole = true
        successor.names = file.names
        for (key, other) in self.files where other === file { self.files[key] = successor }
        for (path, other) in self.newest where other === file { self.newest[path] = successor }
        for key in file.places where self.places[key] === file { self.setPlace(successor, number: key) }
        for other in self.restless.values where other.predecessor === file { other.predecessor = successor }
        self.restless[ObjectIdentifier(file)] = nil
        if file.state.isDetached { self.detach(successor, from: "") }
        self.known.claims.sources.insert(successor.source)
        self.sink.accept(self.read(EventList(), successor), from: self.counters)
        self.enqueue(successor)
    }

    /// Does what the state machine decided.
    func apply(_ action: TailFileState.Action, to file: TailFile) {
        switch action {
        case .wait: return
        case .read: self.enqueue(file)
        case .restart: self.restart(file)
        case .deliverRest: self.deliverRest(file)
        case .close: self.close(file)
        }
    }

    func deliverRest(_ file: TailFile) {
        let start = file.state.offset
        var events = EventList()
        do throws(FileSystemError) {
            _ = try self.reader.readRest(file, now: Moment(self.loop.time), into: &events)
        } catch {
            self.log.once("\(error)", .error)
            return
        }
        let next = file.state.deliveredRest(now: self.now)
        self.handOn(events, file, start: start)
        self.apply(next, to: file)
    }

    /// Hands out the events of a file whose next lines will not come.
    func deliverUnfinished(_ file: TailFile) {
        guard file.shaper.pendingByteCount > 0 else { return }
        var events = EventList()
        file.shaper.finishAll(now: self.now, recordTail: file.recordTail, to: &events)
        self.noteHeld(file)
        self.handOn(events, file, start: file.state.offset)
    }

    func close(_ file: TailFile) {
        let hasSuccessor = self.restless.values.contains { $0.predecessor === file }
        if !hasSuccessor { self.deliverUnfinished(file) }
        file.isClosed = true
        self.noteHeld(file)
        self.counters.filesClosed += 1
        self.known.claims.openFileCount -= 1
        if self.isShortOfFiles {
            self.isShortOfFiles = false
            self.isLookDue = true
        }
        self.restless[ObjectIdentifier(file)] = nil
        if let key = self.key(of: file), self.files[key] === file { self.files[key] = nil }
        for key in file.places where self.places[key] === file { self.places[key] = nil }
        for path in file.names.union([file.path]) where self.newest[path] === file {
            self.newest[path] = nil
            self.finder.unfollow(path)
        }
        self.sink.finish(source: file.source)
        self.noteClosed(file)
        file.file.close()
        for path in file.copies { self.consider(path) }
    }

    /// A deleted file is remembered for a while, and a renamed one as read, should its new name be followed one day.
    func noteClosed(_ file: TailFile) {
        do throws(FileSystemError) {
            if try file.file.status().linkCount == 0 {
                for source in self.known.rememberDeleted(file.position) { self.sink.forget(source: source) }
                return
            }
        } catch {
            self.log.write(.warning, "\(error)")
        }
        var position = file.position
        position.isFinished = true
        self.known.remember(position)
    }
}
