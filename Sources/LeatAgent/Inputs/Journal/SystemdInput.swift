internal import LeatCore

/// `[INPUT] systemd`: reads the journal, and goes on behind the last durable entry after a restart.
///
/// The place in the journal is kept like that of a file: in the frames and in `positions`, as a source whose path is
/// `systemd:` with the input's name and the cursor, and whose offset counts entries.
final class SystemdInput: Input {
    struct Options {
        /// With `*`, which becomes the entry's unit.
        var tag = ""
        var readsFromTail = false
        var lowersNames = false
        var stripsUnderscores = false
        var fieldCountMax = 8_000
        var entryCountMax = 5_000
        /// A cursor of Fluent Bit's database, for the first start.
        var importedCursor: String?
    }

    /// How the paths of sources of the journal begin.
    static let pathPrefix = "systemd:"
    private static let unknownUnit = "unknown"
    /// Bytes of records after which they are handed on.
    private static let readByteCountMax = 1 << 20

    private let options: Options
    private let openJournal: () throws(JournalFailure) -> any JournalReader
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private let log: AgentLog
    private let prefix: String
    private var journal: (any JournalReader)?
    private var source: UInt64?
    private var cursor: String?
    private var entryCount: UInt64 = 0
    private var isReadPlanned = false

    init(
        _ options: Options,
        openJournal: @escaping () throws(JournalFailure) -> any JournalReader,
        counters: InputCounters,
        sink: any InputSink,
        known: [SourcePosition],
        loop: EventLoop,
        log: AgentLog
    ) {
        self.options = options
        self.openJournal = openJournal
        self.counters = counters
        self.sink = sink
        self.loop = loop
        self.log = log
        self.prefix = Self.pathPrefix + counters.name + ":"
        self.cursor = options.importedCursor
        let prefix = self.prefix
        if let position = known.filter({ $0.path.hasPrefix(prefix) }).max(by: { $0.read < $1.read }) {
            self.source = position.source
            self.entryCount = position.offset
            self.cursor = String(position.path.dropFirst(prefix.count))
        }
    }

    func start() throws(InputError) {
        do throws(JournalFailure) {
            let journal = try self.openJournal()
            self.journal = journal
            if let cursor {
                try journal.seek(behind: cursor)
            } else if self.options.readsFromTail {
                try journal.seekToTail()
            } else {
                try journal.seekToHead()
            }
            try self.watch(journal)
        } catch {
            throw InputError(description: "\(error)")
        }
        self.planRead()
    }

    private func watch(_ journal: any JournalReader) throws(JournalFailure) {
        do throws(FileSystemError) {
            try self.loop.watch(journal.descriptor, for: .read) { [weak self] _ in self?.changed() }
        } catch {
            throw JournalFailure(description: "\(error)")
        }
    }

    func resume() {
        guard self.counters.isPaused else { return }
        self.counters.isPaused = false
        self.planRead()
    }

    func stop() {
        guard let journal else { return }
        self.loop.unwatch(journal.descriptor)
        journal.close()
        self.journal = nil
    }

    private func changed() {
        do throws(JournalFailure) {
            try self.journal?.process()
            self.planRead()
        } catch {
            self.log.once("\(error)", .error)
        }
    }

    private func planRead() {
        guard !self.isReadPlanned else { return }
        self.isReadPlanned = true
        self.loop.enqueue { [weak self] in self?.read() }
    }

    private func read() {
        self.isReadPlanned = false
        guard let journal else { return }
        guard self.sink.hasRoom(for: self.counters) else {
            self.counters.isPaused = true
            return
        }
        var batch: (tag: String, events: EventList)?
        var count = 0
        do throws(JournalFailure) {
            while count < self.options.entryCountMax, try journal.next() {
                count += 1
                let entry = try self.entry(journal)
                if let ready = batch, ready.tag != entry.tag {
                    self.hand(ready)
                    batch = nil
                }
                if batch == nil { batch = (entry.tag, EventList()) }
                entry.members.withUnsafeBytes { batch?.events.append(time: entry.time, members: $0) }
                self.entryCount += 1
                self.cursor = try journal.cursor()
                if let full = batch, full.events.openStart >= Self.readByteCountMax {
                    self.hand(full)
                    batch = nil
                }
            }
        } catch {
            self.log.once("\(error)", .error)
        }
        if let batch { self.hand(batch) }
        if count == self.options.entryCountMax { self.planRead() }
    }

    private func hand(_ batch: (tag: String, events: EventList)) {
        let source = self.source ?? self.sink.newSource()
        self.source = source
        self.counters.readBytes += UInt64(batch.events.openStart)
        var position = SourcePosition(
            source: source,
            path: self.prefix + (self.cursor ?? ""),
            identity: FileIdentity(device: 0, inode: 0, prefixByteCount: 0, prefixDigest: 0),
            offset: self.entryCount,
            marker: .none
        )
        position.modifiedAtNanoseconds = self.loop.time.now().nanoseconds
        let start = self.entryCount - UInt64(batch.events.count)
        self.sink.accept(
            InputRead(
                tag: self.sink.routeTag(batch.tag),
                events: batch.events,
                position: position,
                startOffset: start
            ),
            from: self.counters
        )
    }

    /// The current entry as a record; of a field that it has several times, an array.
    private func entry(_ journal: any JournalReader) throws(JournalFailure) -> (
        tag: String, time: Int64, members: [UInt8]
    ) {
        var unit = Self.unknownUnit
        var order: [[UInt8]] = []
        var values: [[UInt8]: [[UInt8]]] = [:]
        var count = 0
        try journal.fields { field in
            guard let equals = field.firstIndex(ofByte: UInt8(ascii: "="), from: 0) else { return true }
            let name = self.name(field.slice(0..<equals))
            let value = field.slice((equals + 1)..<field.count)
            if field.slice(0..<equals).isEqual(to: "_SYSTEMD_UNIT") { unit = String(decoding: value, as: UTF8.self) }
            if values[name] == nil { order.append(name) }
            values[name, default: []].append(Array(value))
            count += 1
            return count < self.options.fieldCountMax
        }
        var members: [UInt8] = []
        for name in order {
            if !members.isEmpty { members.append(UInt8(ascii: ",")) }
            name.withUnsafeBytes { JSONWriter.append(string: $0, to: &members) }
            members.append(UInt8(ascii: ":"))
            Self.append(values[name] ?? [], to: &members)
        }
        let time = Int64(clamping: try journal.realtimeMicroseconds()) &* 1_000
        return (self.options.tag.replacingStars(by: unit), time, members)
    }

    private func name(_ name: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes = Array(name)
        if self.options.stripsUnderscores, bytes.first == UInt8(ascii: "_") { bytes.removeFirst() }
        if self.options.lowersNames { bytes = bytes.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 } }
        return bytes
    }

    private static func append(_ values: [[UInt8]], to members: inout [UInt8]) {
        if values.count > 1 { members.append(UInt8(ascii: "[")) }
        for (index, value) in values.enumerated() {
            if index > 0 { members.append(UInt8(ascii: ",")) }
            value.withUnsafeBytes { JSONWriter.append(string: $0, to: &members) }
        }
        if values.count > 1 { members.append(UInt8(ascii: "]")) }
    }
}

extension String {
    /// The text with a word in place of every `*`.
    fileprivate func replacingStars(by word: String) -> String {
        guard self.contains("*") else { return self }
        return self.split(separator: "*", omittingEmptySubsequences: false).joined(separator: word)
    }
}
