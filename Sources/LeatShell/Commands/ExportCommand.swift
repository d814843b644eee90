internal import Glibc
internal import LeatCore

/// All rows of a query to a file, in the format that its name says.
struct ExportCommand: Sendable {
    let query: QueryCommand
    let path: String

    /// Writes a new file beside the old one and puts it in its place once it is whole; returns the number of rows.
    func run() async throws -> Int {
        let temporary = self.path + ".part"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw CommandError(.inputOutput, "cannot write \(self.path): \(systemReason(errno))")
        }
        defer { close(descriptor) }
        do {
            let count = try await self.write(to: descriptor)
            guard fsync(descriptor) == 0, rename(temporary, self.path) == 0 else {
                throw CommandError(.inputOutput, "cannot write \(self.path): \(systemReason(errno))")
            }
            return count
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private var format: AnswerFormat {
        if self.path.hasSuffix(".csv") { return .csv }
        return self.path.hasSuffix(".json") || self.path.hasSuffix(".jsonl") || self.path.hasSuffix(".ndjson")
            ? .json : .table
    }

    private func write(to descriptor: Int32) async throws -> Int {
        var stream = OutputStream(descriptor: descriptor, name: self.path)
        var writer = self.format.writer(terminal: .pipe, isFolded: !self.query.showsFields)
        var summary = AnswerSummary()
        var count = 0
        try await self.query.forEachRow { row in
            count += 1
            try writer.write(row, to: &stream)
            return true
        } onEnd: { end in
            summary = end
        }
        try writer.finish(summary, to: &stream)
        try stream.finish()
        for warning in summary.warnings { Notes.warn(warning) }
        return count
    }
}
