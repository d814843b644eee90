internal import Glibc
internal import LeatCore

/// A live tail on a terminal: events as they arrive above a line that says how it goes.
///
/// Space pauses and resumes, `/` changes the query without losing the place, `s` looks back through the pager, `q` and
/// Ctrl-C end. While it is paused the terminal's own scroll-back can be used, as nothing is written.
final class TailView {
    private var text: String
    private let settings: ShellSettings
    private let terminal: Terminal
    var showsFields = false
    var keyStyle = LineEditor.KeyStyle.emacs
    /// How far back the first events lie; `nil`: only new ones.
    var since: String?
    /// What was shown, for looking back.
    private let kept = KeptLines()

    init(text: String, settings: ShellSettings, terminal: Terminal) {
        self.text = text
        self.settings = settings
        self.terminal = terminal
    }

    /// Shows until the user ends it.
    func run(raw: RawTerminal) async throws {
        let place = TailPlace()
        while true {
            raw.enter()
            let state = TailState(terminal: self.terminal, kept: self.kept)
            let end: TailState.Wish
            do {
                end = try await self.follow(state, place, raw)
            } catch {
                state.eraseStatus()
                raw.leave()
                throw error
            }
            let endedAt = ContinuousClock.now
            state.eraseStatus()
            raw.leave()
            guard end == .newQuery else { return }
            if !self.readQuery(raw) { return }
            // What arrived while the query was written is shown too, if it matches.
            self.since = String(place.resumeMilliseconds(lostAt: endedAt, isSameQuery: false))
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
    private func follow(_ state: TailState, _ place: TailPlace, _ raw: RawTerminal) async throws -> TailState.Wish {
        let work = self.work(state, place)
        let keys = Background { () -> Bool in
            TailKeys.watch(state, raw) { work.cancel() }
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

    private func work(_ state: TailState, _ place: TailPlace) -> Task<Void, any Error> {
        let terminal = self.terminal
        if QueryCheck.isAggregate(self.text) {
            let window = self.since.flatMap { Int($0) == nil ? $0 : nil } ?? LiveAggregate.windowDefault
            let live = LiveAggregate(text: self.text, settings: self.settings, window: window)
            return Task { try await TailView.redraw(live, terminal, state) }
        }
        let line = EventLine(terminal: terminal, isFolded: !self.showsFields)
        let follower = LiveFollower(text: self.text, settings: self.settings, since: self.since, place: place)
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

    /// A live aggregate: the whole answer, drawn anew in its place every time that it comes.
    private static func redraw(_ live: LiveAggregate, _ terminal: Terminal, _ state: TailState) async throws {
        state.caption = "last \(live.window)"
        try await live.run { answer in
            var terminal = terminal
            if let size = Terminal.size(of: STDOUT_FILENO) { (terminal.width, terminal.height) = size }
            terminal.height -= 1
            var writer = AnswerFormat.auto.writer(terminal: terminal, rowCountMax: terminal.height - 1)
            var output = OutputStream()
            for row in answer.preview.rows { try row.withUnsafeBytes { try writer.write($0, to: &output) } }
            var summary = AnswerSummary()
            summary.columns = answer.preview.columns
            summary.isAggregate = true
            try writer.finish(summary, to: &output)
            let time = ShownTime.text(milliseconds: SystemTime().now().milliseconds, showsMilliseconds: false)
            let warning = answer.warnings.first.map { "  \($0)" } ?? ""
            state.caption = "\(time.dropFirst(11))  last \(live.window)\(warning)"
            state.replaceScreen(with: output.takeBytes(), rowCountMax: terminal.height - 1)
        } onNote: { note in
            state.caption = note
            state.updateStatus()
        }
    }
}
