internal import Glibc
internal import LeatCore
internal import LeatQuery
internal import LeatStorage

/// What an operator does with a data folder without a server: check it, mend it, copy it, and get the events out.
public struct MaintenanceProgram: Sendable {
    /// What a command has to say.
    public struct Report: Sendable {
        /// For standard output.
        public var lines: [String] = []
        /// What is damaged or missing, for standard error.
        public var problems: [String] = []
        /// 0, or 65 when something is damaged.
        public var exitCode: Int32 { self.problems.isEmpty ? 0 : 65 }
    }

    private let options: StoreOptions

    /// - Parameter dataPath: The data folder.
    public init(dataPath: String) {
        var options = StoreOptions(path: dataPath, fileSystem: PosixFileSystem(), time: SystemTime())
        options.runsInBackground = false
        self.options = options
    }

    /// Checks every checksum of every file and reads every column; a server may be running.
    public func verify() throws(ServerProgram.Failure) -> Report {
        do {
            let check = try Store.verify(self.options)
            var report = Report(problems: check.damaged)
            report.lines.append(
                "\(check.segmentCount) segments, \(check.blockCount) blocks, \(check.rowCount) events, "
                    + "\(check.byteCount) bytes; \(check.frameCount) journal frames"
            )
            if check.unnamedCount > 0 {
                report.lines.append(
                    "\(check.unnamedCount) files without a catalog entry; the next start enters or removes them"
                )
            }
            report.lines.append(check.damaged.isEmpty ? "all is well" : "\(check.damaged.count) problems")
            return report
        } catch {
            throw self.failure(error)
        }
    }

    /// Makes a new catalog from the segments; no server may be running.
    public func rebuildCatalog() throws(ServerProgram.Failure) -> Report {
        do {
            let check = try Store.rebuildCatalog(self.options)
            var report = Report(problems: check.damaged)
            report.lines = [
                "catalog made of \(check.segmentCount) segments with \(check.rowCount) events; the old one is beside it, "
                    + "named .old",
                "tokens and parsers are not in segments and must be made again; no repository has a retention until it "
                    + "is set with 'leat repo'",
            ]
            return report
        } catch {
            throw self.failure(error)
        }
    }

    /// Makes a copy that can be served as it is; a server may be running.
    public func backup(to target: String) throws(ServerProgram.Failure) -> Report {
        do {
            let backup = try Store.backup(self.options, to: target)
            let how = backup.copiedCount == 0 ? "linked" : "copied to another file system"
            return Report(lines: [
                "\(backup.segmentCount) segments with \(backup.rowCount) events, \(backup.byteCount) bytes, \(how); "
                    + "rows of the journal as well"
            ])
        } catch {
            throw self.failure(error)
        }
    }

    /// Writes events as NDJSON, oldest segment first, in the form of `leat query --json`; no server may be running.
    ///
    /// - Parameters:
    ///   - repository: Whose events; `nil`: those of all, one after the other.
    ///   - start: First moment, as in a query: `24h`, epoch milliseconds or ISO 8601; `nil`: from the first event.
    ///   - end: First moment that is not wanted; `nil`: to the last event.
    ///   - write: Takes the lines piece by piece; `false` ends the export.
    /// - Returns: What could not be read.
    /// - Throws: `ServerProgram.Failure`.
    public func export(
        repository: String?,
        start: String?,
        end: String?,
        to write: ([UInt8]) throws(ServerProgram.Failure) -> Bool
    ) throws(ServerProgram.Failure) -> Report {
        let now = self.options.time.now()
        let interval = (start: try Self.moment(start, now), end: try Self.moment(end, now))
        do {
            guard try Store.isDataFolder(self.options) else {
                throw StorageError.damaged(path: self.options.path, reason: "it has no catalog; is it a data folder?")
            }
            let store = try Store.open(self.options)
            let result = Result<Report, any Error> {
                try Self.export(store, repository: repository, interval, now: now, to: write)
            }
            try store.close()
            return try result.get()
        } catch {
            throw self.failure(error)
        }
    }

    private static func export(
        _ store: Store,
        repository: String?,
        _ interval: (start: Timestamp?, end: Timestamp?),
        now: Timestamp,
        to write: ([UInt8]) throws(ServerProgram.Failure) -> Bool
    ) throws -> Report {
        var report = Report()
        let options = QueryOptions(now: now, start: interval.start, end: interval.end)
        let plan = try QueryPlan(try QueryParser.parse("*"), options: options)
        for name in repository.map({ [$0] }) ?? store.repositories.map(\.name) {
            let snapshot = try store.snapshot(repository: name)
            report.problems += snapshot.damaged
            // One block at a time, so that memory does not grow with the events.
            for block in snapshot.blocks.reversed() {
                var result = try plan.run(over: [block])
                report.problems += result.warnings
                result.rows.order.reverse()
                var text = RowsText(result.rows, columns: nil, form: .ndjson)
                while let piece = try text.piece() {
                    guard try write(piece) else { return report }
                }
            }
        }
        return report
    }

    private static func moment(_ text: String?, _ now: Timestamp) throws(ServerProgram.Failure) -> Timestamp? {
        guard let text else { return nil }
        if let milliseconds = Int64(text) { return Timestamp(milliseconds: milliseconds) }
        if let moment = RelativeTime.moment(text, now: now) ?? TimestampParser.parse(text) { return moment }
        throw ServerProgram.Failure(
            description: "'\(text)' is no time; write 24h, 2026-11-20T08:00:00Z or epoch milliseconds",
            exitCode: 64
        )
    }

    private func failure(_ error: any Error) -> ServerProgram.Failure {
        switch error {
        case let error as ServerProgram.Failure: error
        case StorageError.dataFolderInUse(let path):
            .init(description: "a server uses \(path); ask it, or work on a copy: leat-server backup", exitCode: 73)
        case StorageError.unknownRepository: .init(description: "\(error)", exitCode: 66)
        case StorageError.damaged: .init(description: "\(error)", exitCode: 66)
        default: .init(description: "\(error)", exitCode: 74)
        }
    }
}
