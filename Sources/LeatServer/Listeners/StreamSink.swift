internal import LeatCore
internal import LeatStorage
internal import Logging

/// Where the protocols without requests put their events: one repository, perhaps through a parser.
///
/// Such senders cannot be told to send again. While storage refuses for now, `store` waits, and with it the sender,
/// since nothing more is read from it meanwhile.
struct StreamSink: Sendable {
    /// For the metrics.
    let name: String
    let repository: String
    let parser: String?
    let digester: Digester
    let limits: IngestLimits
    let metrics: ServerMetrics
    let time: any TimeSource
    let logger: Logger

    /// A writer for the events that have just come.
    func writer() -> EventWriter { EventWriter(limits: self.limits, arrivedAt: self.time.now()) }

    /// Stores what was written; on return it is durable.
    ///
    /// - Throws: When the server stops, or storage is closed.
    func store(_ writer: inout EventWriter, byteCount: Int, refused: [String] = []) async throws {
        let count = writer.count
        let batch = writer.batch(repository: self.repository)
        let started = self.time.monotonicNanoseconds()
        var pause = Duration.milliseconds(50)
        while !batch.parts.isEmpty {
            do {
                _ = try await self.digester.digest(batch, parser: ParserChoice(self.parser))
                break
            } catch let error as StorageError where Self.isPassing(error) {
                self.metrics.streamFault(self.name, "storage_refused")
                self.logger.warning("storage refuses, the sender waits", metadata: ["error": "\(error)"])
                // Storage says that it refuses, not when it takes events again.
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(5))
            }
        }
        let key = ServerMetrics.IngestKey(name: self.name, repository: self.repository)
        self.metrics.ingested(key, items: count, bytes: byteCount, refused: refused)
        self.metrics.acknowledged(self.name, nanoseconds: self.time.monotonicNanoseconds() - started)
        if writer.textCutCount > 0 { self.metrics.textsCut(writer.textCutCount) }
    }

    private static func isPassing(_ error: StorageError) -> Bool {
        switch error {
        case .diskFull, .overloaded, .journalFailed: true
        default: false
        }
    }
}
