internal import Glibc
internal import LeatCore
internal import Synchronization

/// The line on standard error that says how far a query has come; it appears after 300 ms and vanishes at the end.
struct ProgressLine {
    /// How long a query runs before it says anything, and how often the line changes, in nanoseconds.
    private static let delayNanoseconds: UInt64 = 300_000_000
    private static let intervalNanoseconds: UInt64 = 100_000_000

    private let isShown: Bool
    private let width: Int
    private let clock = SystemTime()
    private let startedAt: UInt64
    private var changedAt: UInt64 = 0
    private var isVisible = false
    /// What was shown last.
    private var last = ""

    init(terminal: Terminal) {
        self.isShown = terminal.errorIsTerminal
        self.width = terminal.width
        self.startedAt = self.clock.monotonicNanoseconds()
    }

    /// Shows `progress` if it is time to.
    mutating func update(_ progress: AnswerProgress, rows: Int) {
        guard self.isShown else { return }
        let now = self.clock.monotonicNanoseconds()
        guard now - self.startedAt >= Self.delayNanoseconds, now - self.changedAt >= Self.intervalNanoseconds else {
            return
        }
        self.changedAt = now
        let text = Self.text(progress, rows: rows, nanoseconds: now - self.startedAt)
        self.last = "\r\u{1B}[K" + text.prefix(max(1, self.width - 1))
        self.redraw()
    }

    /// Shows again what was shown last.
    mutating func redraw() {
        guard !self.last.isEmpty else { return }
        self.isVisible = true
        Interrupts.isProgressVisible.store(true, ordering: .relaxed)
        Self.write(self.last)
    }

    /// Takes the line away, if there is one, before anything else is written.
    mutating func erase() {
        guard self.isVisible else { return }
        self.isVisible = false
        Interrupts.isProgressVisible.store(false, ordering: .relaxed)
        Self.write("\r\u{1B}[K")
    }

    /// The line: events, bytes, share, rows and time.
    static func text(_ progress: AnswerProgress, rows: Int, nanoseconds: UInt64) -> String {
        var parts = ["\(Amount.count(progress.events)) events", Amount.bytes(progress.bytes)]
        if progress.total > 0 {
            let done = max(progress.bytes, progress.events)
            parts.append("\(min(100, done * 100 / progress.total)) %")
        }
        if rows > 0 { parts.append("\(Amount.count(rows)) rows") }
        parts.append(Amount.seconds(nanoseconds))
        return parts.joined(separator: "  ")
    }

    private static func write(_ text: String) {
        let bytes = Array(text.utf8)
        // Progress is a courtesy: a standard error that takes no more is no reason to end the query.
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}

/// Amounts as people read them.
enum Amount {
    /// `950`, `12.3 k`, `4.1 M`.
    static func count(_ value: Int) -> String { Self.scaled(Double(value), 1_000, ["", " k", " M", " G", " T"]) }

    /// `512 B`, `3.4 KiB`, `1.2 GiB`.
    static func bytes(_ value: Int) -> String {
        Self.scaled(Double(value), 1_024, [" B", " KiB", " MiB", " GiB", " TiB"])
    }

    /// `0.42 s`, `12.3 s`, `3 min 20 s`.
    static func seconds(_ nanoseconds: UInt64) -> String {
        let seconds = Double(nanoseconds) / 1e9
        if seconds >= 60 { return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s" }
        let digits = seconds < 10 ? 100.0 : 10.0
        return "\((seconds * digits).rounded() / digits) s"
    }

    private static func scaled(_ value: Double, _ step: Double, _ units: [String]) -> String {
        var value = value
        var unit = 0
        while value >= step, unit < units.count - 1 {
            value /= step
            unit += 1
        }
        return (unit == 0 ? "\(Int(value))" : "\((value * 10).rounded() / 10)") + units[unit]
    }
}
