internal import Glibc
internal import LeatCore
internal import Synchronization

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
        /// Whether somebody else has the terminal.
        var isAway = false
        /// What the status line says instead of a rate.
        var caption = ""
        var drawnRowCount = 0
    }

    /// Lines that wait while the view is paused; older ones are dropped and counted.
    private static let waitingLineCountMax = 10_000
    /// Lines that a terminal is given within a tick; more are counted, not shown.
    private static let lineCountPerTick = 1_000
    private static let tickNanoseconds: UInt64 = 100_000_000

    private let terminal: Terminal
    private let kept: KeptLines
    private let state = Mutex<State>(State())

    init(terminal: Terminal, kept: KeptLines) {
        self.terminal = terminal
        self.kept = kept
    }

    /// What the status line says instead of how many events there are.
    var caption: String {
        get { self.state.withLock { $0.caption } }
        set { self.state.withLock { $0.caption = newValue } }
    }

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
            guard !state.isPaused, !state.isAway else { return self.drawStatus(&state) }
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
            self.kept.add(state.waiting)
            state.tickCount += state.waiting.count
            state.waiting.removeAll(keepingCapacity: true)
            if state.hiddenCount > 0, room > 0 {
                output.append(
                    "-- \(state.hiddenCount) events were not shown: too many at once --\n",
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
            var line: [UInt8] = []
            line.append(text + "\n", .warning, if: self.terminal.hasColor)
            self.kept.add([line])
            // Behind the pager it is among what is looked at next.
            guard !state.isAway else { return }
            var output = self.erasure(&state)
            output += line
            RawTerminal.send(output)
            self.drawStatus(&state)
        }
    }

    /// Puts an answer in place of the one before; the first time the screen is cleared for it.
    func replaceScreen(with bytes: [UInt8], rowCountMax: Int) {
        self.state.withLock { state in
            guard !state.isPaused, !state.isAway else { return }
            let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().prefix(rowCountMax)
            // Each line ends by erasing what the last answer had there: nothing flickers.
            var output = Array((state.drawnRowCount == 0 ? "\u{1B}[2J" : "").utf8) + Array("\u{1B}[H\u{1B}[?7l".utf8)
            for line in lines { output += line + Array("\u{1B}[K\n".utf8) }
            output += Array("\u{1B}[?7h\u{1B}[J".utf8)
            state.drawnRowCount = max(1, lines.count)
            state.hasStatus = false
            RawTerminal.send(output)
            self.drawStatus(&state)
        }
    }

    /// Gives the terminal to a pager with what was shown, and takes it back.
    func lookBack(_ raw: RawTerminal) {
        self.state.withLock { state in
            RawTerminal.send(self.erasure(&state))
            state.isAway = true
        }
        raw.leave()
        self.kept.showInPager()
        raw.enter()
        self.state.withLock { $0.isAway = false }
        self.show()
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
        guard !state.isAway else { return }
        let now = Self.now / 1_000_000_000
        let recent = state.recent.filter { $0.second + 5 > now }.reduce(0) { $0 + $1.count }
        let width = Terminal.size(of: STDOUT_FILENO)?.width ?? self.terminal.width
        let keys = ["[space] \(state.isPaused ? "resume" : "pause")", "[/] query", "[s] scroll", "[q] end"]
        var parts = state.isPaused ? ["PAUSED, \(state.waiting.count) waiting"] : []
        if state.caption.isEmpty {
            parts += ["\(Self.rate(recent))/s", "\(Amount.count(state.total)) events"]
        } else {
            // The keys stay in view beside what takes long to say.
            let room = max(min(20, width - 1), width - 1 - keys.reduce(0) { $0 + 2 + $1.count })
            parts.append(Self.shortened(state.caption, to: room, isUnicode: self.terminal.isUnicode))
        }
        parts += keys
        var output = Array("\r\u{1B}[K".utf8)
        // What does not fit is left out, whole.
        let text = TextWrapping.joined(parts, separator: "  ", width: max(1, width - 1))[0]
        output.append(String(text.prefix(max(1, width - 1))), .dim, if: self.terminal.hasColor)
        state.hasStatus = true
        RawTerminal.send(output)
    }

    private static func shortened(_ text: String, to width: Int, isUnicode: Bool) -> String {
        text.count <= width ? text : String(text.prefix(width - 1)).trimmedAtEnd + (isUnicode ? "…" : ">")
    }

    /// Events of five seconds as a rate.
    private static func rate(_ count: Int) -> String {
        (1..<50).contains(count) ? "\(count / 5).\(count % 5 * 2)" : "\(count / 5)"
    }

    private static var now: UInt64 { SystemTime().monotonicNanoseconds() }
}

/// Reads the keys of a live tail on a thread of its own.
enum TailKeys {
    /// Reads until the view ends; calls `onEnd` when it is a key that ends it.
    static func watch(_ state: TailState, _ raw: RawTerminal, onEnd: () -> Void) {
        var decoder = KeyDecoder()
        var ticks = 0
        while !state.isFinished {
            switch RawTerminal.read(milliseconds: 50) {
            case .bytes(let bytes):
                for key in decoder.add(bytes) {
                    switch key {
                    case .character("s"), .up, .pageUp: state.lookBack(raw)
                    default: if !state.handle(key) { return onEnd() }
                    }
                }
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
