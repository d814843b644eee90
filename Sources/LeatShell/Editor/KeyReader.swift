internal import Glibc
internal import LeatCore
internal import Synchronization

/// The keys of the terminal, for the prompt; what is typed or pasted while a query runs waits here for the next prompt.
///
/// A paste is one key, whether the terminal marks it or not.
final class KeyReader: Sendable {
    /// What waiting for a key gave.
    enum Reading: Hashable {
        case key(Key)
        case nothing
        /// The terminal has gone.
        case end
    }

    private struct State {
        var decoder = KeyDecoder()
        var waiting: [Key] = []
    }

    /// Keys that wait beyond which no more are taken: nobody types ahead so far.
    private static let waitingCountMax = 10_000

    private let state = Mutex(State())

    /// Whether keys wait.
    var hasKeys: Bool { self.state.withLock { !$0.waiting.isEmpty } }

    /// Whether the beginning of a key is there.
    var isWithinKey: Bool { self.state.withLock { $0.decoder.isWaiting } }

    /// The next key, waiting for it at most so long; bytes that were `typedAhead` are keys even where they come like a paste.
    func next(milliseconds: Int, typedAhead: Bool = false) -> Reading {
        if let key = self.take() { return .key(key) }
        let isThere = self.fill(milliseconds: milliseconds, typedAhead: typedAhead)
        return self.take().map { .key($0) } ?? (isThere ? .nothing : .end)
    }

    /// Takes what is there without waiting for more.
    func look() { _ = self.fill(milliseconds: 0, typedAhead: false) }

    /// Drops the next key if it is one of these.
    func drop(_ keys: Set<Key>) {
        self.state.withLock { if let key = $0.waiting.first, keys.contains(key) { $0.waiting.removeFirst() } }
    }

    /// Drops what was typed.
    func forget() { self.state.withLock { $0 = State() } }

    private func take() -> Key? {
        self.state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
    }

    /// Reads what is there, waiting for the first byte at most so long; `false` when the terminal has gone.
    fileprivate func fill(milliseconds: Int, typedAhead: Bool) -> Bool {
        switch RawTerminal.read(milliseconds: milliseconds) {
        case .bytes(let bytes): self.state.withLock { Self.add(bytes, to: &$0, typedAhead: typedAhead) }
        case .nothing: self.state.withLock { $0.waiting += $0.decoder.flush() }
        case .end: return false
        }
        return true
    }

    /// Takes bytes that came at once: keys, or a paste that the terminal did not mark.
    private static func add(_ bytes: [UInt8], to state: inout State, typedAhead: Bool) {
        guard state.waiting.count < Self.waitingCountMax else { return }
        guard !typedAhead, !state.decoder.isWaiting else {
            state.waiting += state.decoder.add(bytes)
            return
        }
        var bytes = bytes
        var mayGoOn = UnmarkedPaste.isPaste(bytes) || UnmarkedPaste.mayGoOn(bytes)
        while mayGoOn, bytes.count < KeyDecoder.pasteByteCountMax,
            case .bytes(let more) = RawTerminal.read(milliseconds: UnmarkedPaste.pauseMilliseconds)
        {
            bytes += more
            mayGoOn = UnmarkedPaste.isPaste(bytes)
        }
        if UnmarkedPaste.isPaste(bytes) {
            state.waiting.append(.paste(String(decoding: bytes, as: UTF8.self)))
        } else {
            state.waiting += state.decoder.add(bytes)
        }
    }
}

/// Reads the terminal on a thread of its own while something else runs, so that it is known what came at once.
final class KeyGathering: Sendable {
    /// How long a lone Escape waits for what makes it a sequence, and how often a pager's end is looked for.
    private static let pauseMilliseconds: Int32 = 40

    private let thread: WorkerThread
    /// Its other end is closed when the thread is to end.
    private let end: Int32
    private let otherEnd: Int32

    /// Begins to read, until `stop`; `nil` when the process has no descriptors left.
    init?(_ keys: KeyReader) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let end = ends[0]
        (self.end, self.otherEnd) = (end, ends[1])
        self.thread = WorkerThread(name: "leat-keys") {
            while Self.wait(for: end), keys.fill(milliseconds: 0, typedAhead: false) {}
        }
    }

    /// Ends the reading: from now on the terminal is the caller's.
    func stop() {
        close(self.otherEnd)
        self.thread.join()
        close(self.end)
    }

    /// Waits until there is something to read, or a moment; `false` once the end is wanted.
    private static func wait(for end: Int32) -> Bool {
        // A pager reads the terminal itself.
        while Interrupts.isTerminalLent.load(ordering: .relaxed) {
            var request = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
            if poll(&request, 1, Self.pauseMilliseconds) > 0 { return false }
        }
        var requests = [
            pollfd(fd: end, events: Int16(POLLIN), revents: 0),
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&requests, 2, Self.pauseMilliseconds)
        return requests[0].revents == 0
    }
}
