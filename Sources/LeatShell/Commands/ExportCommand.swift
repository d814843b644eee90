internal import Glibc
internal import LeatCore

/// All rows of a query to a file, in the format that its name says.
struct ExportCommand: Sendable {
    let query: QueryCommand
    let path: String

    /// Writes a new file beside the old one and puts it in its place once it is whole; returns the number of rows.
    ///
    /// A device or a pipe is written as it is: nothing may take its place.
    func run(terminal: Terminal) async throws -> Int {
        var status = stat()
        let isThere = stat(self.path, &status) == 0
        if isThere, status.st_mode & S_IFMT == S_IFDIR {
            throw CommandError(.inputOutput, "cannot write \(self.path): it is a folder")
        }
        let isInPlace = isThere && status.st_mode & S_IFMT != S_IFREG
        let target = isInPlace ? self.path : self.path + ".part"
        let descriptor = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw self.failure(errno) }
        defer { close(descriptor) }
        do {
            let count = try await self.write(to: descriptor, terminal: terminal)
            if isInPlace { return count }
            guard fsync(descriptor) == 0, rename(target, self.path) == 0 else { throw self.failure(errno) }
            return count
        } catch {
            if !isInPlace { unlink(target) }
            throw error
        }
    }

    private func failure(_ code: Int32) -> CommandError {
        CommandError(.inputOutput, "cannot write \(self.path): \(systemReason(code))")
    }

    private var format: AnswerFormat {
        if self.path.hasSuffix(".csv") { return .csv }
        return self.path.hasSuffix(".json") || self.path.hasSuffix(".jsonl") || self.path.hasSuffix(".ndjson")
            ? .json : .table
    }

    private func write(to descriptor: Int32, terminal: Terminal) async throws -> Int {
        var stream = OutputStream(descriptor: descriptor, name: self.path)
        var writer = self.format.writer(terminal: .pipe, isFolded: !self.query.showsFields)
        var progress = ProgressLine(terminal: terminal)
        var summary = AnswerSummary()
        var count = 0
        defer { progress.erase() }
        try await self.query.forEachRow { row in
            count += 1
            try writer.write(row, to: &stream)
            return true
        } onEvent: { event in
            if case .progress(let state) = event { progress.update(state, rows: count) }
        } onEnd: { end in
            summary = end
        }
        try writer.finish(summary, to: &stream)
        try stream.finish()
        progress.erase()
        for warning in summary.warnings { Notes.warn(warning) }
        return count
    }
}
