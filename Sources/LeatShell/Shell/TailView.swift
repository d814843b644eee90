internal import Glibc
internal import LeatCore
internal import Synchronization

/// A live tail on a terminal: events as they arrive above a line that says how it goes.
///
/// Space pauses and resumes, `/` changes the query without losing the place, `q` and Ctrl-C end. While it is paused the
/// terminal's own scroll-back can be used, as nothing is written.
final class TailView {
    /// How often a live aggregate is asked for.
    private static let aggregateSeconds = 2.0

    private var text: String
    private let settings: ShellSettings
    private let terminal: Terminal
    var showsFields = false
    var keyStyle = LineEditor.KeyStyle.emacs
    /// How far back the first events lie; `nil`: only new ones.
    var since: String?

    init(text: String, settings: ShellSettings, terminal: Terminal) {
        self.text = text
        self.settings = settings
        self.terminal = terminal
    }

    /// Shows until the user ends it.
    func run(raw: RawTerminal) async throws {
        while true {
            raw.enter()
            let state = TailState(terminal: self.terminal)
            let end: TailState.Wish
            do {
                end = try await self.follow(state)
            } catch {
                state.eraseStatus()
                raw.leave()
                throw error
            }
            state.eraseStatus()
            raw.leave()
            guard end == .newQuery else { return }
            if !self.readQuery(raw) { return }
            self.since = nil
        }
    }

    /// Lets the user change the query; `false` to end.
    private func readQuery(_ raw: RawTerminal) -> Bool {
        let completer = ShellCompleter(names: RepositoryNames(settings: self.settings))
        let reader = PromptReader(raw: raw, terminal: self.terminal, completer: completer)
        while true {
            let outcome = reader.readLine(prompt: "tail> ", history: [], keyStyle: self.keyStyle, text: self.text)
            guard case .line(let line) = outcome else { return false }
            do throws(CommandError) {
                try QueryCheck.check(line)
                self.text = line
                return true
            } catch {
                Notes.write(error.description)
            }
        }
    }

    /// Follows until the user wants something else.
    private func follow(_ state: TailState) async throws -> TailState.Wish {
        let work = self.work(state)
        let keys = Background { () -> Bool in
            TailKeys.watch(state) { work.cancel() }
            return true
        }
        do {
            try await work.value
        } catch {
            state.finish()
            while keys.wait(milliseconds: 1_000) == nil {}
            if state.wish != .none { return state.wish }
            throw error
        }
        state.finish()
        while keys.wait(milliseconds: 1_000) == nil {}
        return state.wish
    }

    private func work(_ state: TailState) -> Task<Void, any Error> {
        let text = self.text
        let settings = self.settings
        let since = self.since
        if QueryCheck.isAggregate(text) {
            let terminal = self.terminal
            return Task { try await TailView.redraw(text, settings, since, terminal, state) }
        }
        let line = EventLine(terminal: self.terminal, isFolded: !self.showsFields)
        let follower = LiveFollower(text: text, settings: settings, since: since)
        return Task { try await TailView.follow(follower, line, state) }
    }

    private static func follow(_ follower: LiveFollower, _ line: EventLine, _ state: TailState) async throws {
        let row = AnswerRow()
        try await follower.run { bytes in
            guard row.read(bytes) else { return }
            var shown: [UInt8] = []
            line.append(row, to: &shown)
            state.add(shown)
        } onPause: {
            state.show()
        } onNote: { note in
            state.note(note)
        }
    }

    /// A live aggregate: the whole answer, drawn anew every few seconds.
    private static func redraw(
        _ text: String,
        _ settings: ShellSettings,
        _ since: String?,
        _ terminal: Terminal,
        _ state: TailState
    ) async throws {
        var command = QueryCommand(text: text, settings: settings)
        command.start = since ?? "10m"
        while !Task.isCancelled {
            var writer = AnswerFormat.auto.writer(terminal: terminal)
            var output = OutputStream()
            var summary = AnswerSummary()
            var count = 0
            try await command.forEachRow { row in
                count += 1
                if count < terminal.height { try writer.write(row, to: &output) }
                return true
            } onEnd: { end in
                summary = end
            }
            try writer.finish(summary, to: &output)
            state.replaceScreen(with: output.takeBytes())
            try await Task.sleep(for: .seconds(Self.aggregateSeconds))
        }
    }
}

/// What the follower and the keys of a live tail share: the lines that wait, and the screen.
final class TailState: Sendable {
    /// What the user wants instead of what is shown.
    enum Wish: Hashable, Sendable {
        case none, end, newQuery
    }

    private struct State {
        var waiting: [[UInt8]] = []
        var isPaused = false
        var hiddenCount = 0
        var tickCount = 0
        var tickStartedAt: UInt64 = 0
        var total = 0
        var recent: [(second: UInt64, count: Int)] = []
        var wish = Wish.none
        var isFinished = false
        var hasStatus = false
    }

    /// Lines that wait while the view is paused; older ones are dropped and counted.
    private static let waitingLineCountMax = 10_000
    /// Lines that a terminal is given within a tick; more are counted, not shown.
    private static let lineCountPerTick = 1_000
    private static let tickNanoseconds: UInt64 = 100_000_000

    private let terminal: Terminal
    private let state = Mutex<State>(State())

    init(terminal: Terminal) { self.terminal = terminal }

    var wish: Wish { self.state.withLock { $0.wish } }
    var isFinished: Bool { self.state.withLock { $0.isFinished } }

    func finish() { self.state.withLock { $0.isFinished = true } }

    /// Takes a line that has arrived.
    func add(_ line: [UInt8]) {
        self.state.withLock { state in
            state.total += 1
            let second = Self.now / 1_000_000_000
            if state.recent.last?.second == second {
                state.recent[state.recent.count - 1].count += 1
            } else {
                state.recent.append((second, 1))
                if state.recent.count > 5 { state.recent.removeFirst() }
            }
            if state.waiting.count >= Self.waitingLineCountMax {
                state.waiting.removeFirst()
                state.hiddenCount += 1
            }
            state.waiting.append(line)
        }
    }

    /// Writes what waits, unless the view is paused.
    func show() {
        self.state.withLock { state in
            guard !state.isPaused else { return self.drawStatus(&state) }
            let now = Self.now
            if now - state.tickStartedAt > Self.tickNanoseconds {
                state.tickStartedAt = now
                state.tickCount = 0
            }
            var output = self.erasure(&state)
            // More than a terminal can show is said, not sent.
            let room = max(0, Self.lineCountPerTick - state.tickCount)
            let hidden = max(0, state.waiting.count - room)
            if hidden > 0 {
                state.hiddenCount += hidden
                state.waiting.removeFirst(hidden)
            }
            for line in state.waiting { output += line }
            state.tickCount += state.waiting.count
            state.waiting.removeAll(keepingCapacity: true)
            if state.hiddenCount > 0, room > 0 {
                output.append(
                    "… \(state.hiddenCount) events were not shown: too many at once\n",
                    .dim,
                    if: self.terminal.hasColor
                )
                state.hiddenCount = 0
            }
            RawTerminal.send(output)
            self.drawStatus(&state)
        }
    }

    /// Writes a line that is no event.
    func note(_ text: String) {
        self.state.withLock { state in
            var output = self.erasure(&state)
            output.append(text + "\n", .warning, if: self.terminal.hasColor)
            RawTerminal.send(output)
            self.drawStatus(&state)
        }
    }

    /// Puts an answer in place of the whole screen.
    func replaceScreen(with bytes: [UInt8]) {
        self.state.withLock { state in
            guard !state.isPaused else { return }
            state.hasStatus = false
            RawTerminal.send(Array("\u{1B}[H\u{1B}[2J".utf8) + bytes)
            self.drawStatus(&state)
        }
    }

    // MARK: keys

    /// Does what a key says; returns whether the view goes on.
    func handle(_ key: Key) -> Bool {
        switch key {
        case .character(" "), .character("p"):
            let isPaused = self.state.withLock { state in
                state.isPaused.toggle()
                self.drawStatus(&state)
                return state.isPaused
            }
            if !isPaused { self.show() }
        case .character("q"), .control("c"), .control("d"), .escape: return self.end(.end)
        case .character("/"), .character("f"): return self.end(.newQuery)
        case .enter: self.note("")
        default: break
        }
        return true
    }

    private func end(_ wish: Wish) -> Bool {
        self.state.withLock { $0.wish = wish }
        return false
    }

    // MARK: the status line

    func updateStatus() { self.state.withLock { self.drawStatus(&$0) } }

    func eraseStatus() {
        self.state.withLock { RawTerminal.send(self.erasure(&$0)) }
    }

    private func erasure(_ state: inout State) -> [UInt8] {
        defer { state.hasStatus = false }
        return state.hasStatus ? Array("\r\u{1B}[K".utf8) : []
    }

    private func drawStatus(_ state: inout State) {
        let now = Self.now / 1_000_000_000
        let recent = state.recent.filter { $0.second + 5 > now }.reduce(0) { $0 + $1.count }
        var text = "\(recent / 5)/s  \(Amount.count(state.total)) events"
        if state.isPaused { text += "  PAUSED, \(state.waiting.count) waiting" }
        text += "  [space] \(state.isPaused ? "resume" : "pause")  [/] query  [q] end"
        var output = Array("\r\u{1B}[K".utf8)
        output.append(String(text.prefix(max(1, self.terminal.width - 1))), .dim, if: self.terminal.hasColor)
        state.hasStatus = true
        RawTerminal.send(output)
    }

    private static var now: UInt64 { SystemTime().monotonicNanoseconds() }
}

/// Reads the keys of a live tail on a thread of its own.
enum TailKeys {
    /// Reads until the view ends; calls `onEnd` when it is a key that ends it.
    static func watch(_ state: TailState, onEnd: () -> Void) {
        var decoder = KeyDecoder()
        var ticks = 0
        while !state.isFinished {
            switch RawTerminal.read(milliseconds: 50) {
            case .bytes(let bytes):
                for key in decoder.add(bytes) where !state.handle(key) { return onEnd() }
            case .nothing:
                for key in decoder.flush() where !state.handle(key) { return onEnd() }
                ticks += 1
                if ticks % 10 == 0 { state.updateStatus() }
            case .end:
                _ = state.handle(.control("c"))
                return onEnd()
            }
        }
    }
}
