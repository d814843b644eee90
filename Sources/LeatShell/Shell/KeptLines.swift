internal import Glibc
internal import LeatCore
internal import Synchronization

/// The newest lines that a live tail has shown, for looking back through the pager.
final class KeptLines: Sendable {
    static let lineCountMax = 20_000
    static let byteCountMax = 32 << 20

    private struct State {
        var lines: [[UInt8]] = []
        var byteCount = 0
    }

    private let state = Mutex(State())

    /// Adds lines, ends included; the oldest go.
    func add(_ lines: [[UInt8]]) {
        self.state.withLock { state in
            state.lines += lines
            state.byteCount += lines.reduce(0) { $0 + $1.count }
            guard state.lines.count > Self.lineCountMax || state.byteCount > Self.byteCountMax else { return }
            // Half of them at once, so that this costs little per line.
            var kept = state.lines.count
            while kept > 1, kept > Self.lineCountMax / 2 || state.byteCount > Self.byteCountMax / 2 {
                state.byteCount -= state.lines[state.lines.count - kept].count
                kept -= 1
            }
            state.lines.removeFirst(state.lines.count - kept)
        }
    }

    /// Shows the lines in the user's pager, the newest first in view; returns once the user leaves it.
    func showInPager() {
        let environment = Environment.current()
        let command = environment["LEAT_PAGER"] ?? environment["PAGER"] ?? "less"
        let arguments = command.hasPrefix("less") ? "less -R +G" : command
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return }
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        let child = ChildProcess.start(["/bin/sh", "-c", "exec \(arguments)"], standardInput: ends[0])
        close(ends[0])
        let lines = self.state.withLock { $0.lines }
        if child != nil { self.write(lines, to: ends[1]) }
        close(ends[1])
        guard let child else { return }
        _ = ChildProcess.wait(child)
    }

    private func write(_ lines: [[UInt8]], to descriptor: Int32) {
        var stream = OutputStream(descriptor: descriptor, name: "the pager")
        do {
            for line in lines { try stream.write(line) }
            try stream.finish()
        } catch {
            // A pager that was left early wants no more.
        }
    }
}
