internal import HummingbirdCore
internal import LeatCore
internal import LeatStorage
internal import NIOCore

/// `POST /upload` of systemd-journal-upload; `elasticsearch-bulk.md` 6.7.
extension IngestEndpoints {
    /// Stores the entries as they come, since an upload may go on for ever; answered once it ends.
    ///
    /// The text is `MESSAGE`, also called `message`. An entry that is sent again, as after a broken connection, is known
    /// by its cursor and stored once.
    func journald(_ call: Call, _ route: Route, repository: String, credential: Credential) async throws -> Reply {
        var export = JournalExport(byteCountMax: self.limits.eventByteCountMax)
        let codings = try call.contentCodings
        guard codings.isEmpty else {
            throw RequestFault(
                status: 415,
                type: "bad_encoding",
                reason: "send the journal without Content-Encoding",
                for: route
            )
        }
        let share = try IngestShare(self.budget, repository: repository, isStream: true)
        for try await piece in call.body {
            // The share is given back as soon as the piece is stored.
            try share.take(piece.readableBytes)
            let incoming = Incoming(
                call: call,
                route: route,
                body: Array(piece.readableBytesView),
                repository: repository,
                parser: credential.parser ?? call.target["parser"]
            )
            try await self.storeEntries(incoming) { (take) throws(JournalExport.Fault) in
                try export.consume(incoming.body, take)
            }
            share.giveBack()
        }
        let last = Incoming(
            call: call,
            route: route,
            body: [],
            repository: repository,
            parser: credential.parser ?? call.target["parser"]
        )
        try await self.storeEntries(last) { (take) throws(JournalExport.Fault) in try export.finish(take) }
        return Reply(202, text: "OK.\n")
    }

    private func storeEntries(
        _ incoming: Incoming,
        _ read: (([JournalExport.Field]) -> Void) throws(JournalExport.Fault) -> Void
    ) async throws {
        // The time of arrival is that of the piece, not that of a request which may be days old.
        var writer = EventWriter(limits: self.limits, arrivedAt: self.time.now())
        var refused: [String] = []
        do throws(JournalExport.Fault) {
            try read { fields in
                do throws(ItemFault) {
                    try writer.add(Self.journalEvent(fields))
                } catch {
                    refused.append(error.type)
                }
            }
        } catch {
            throw self.refusal("the body is no journal export: \(error.reason)", incoming)
        }
        if writer.count > 0 || !refused.isEmpty {
            try await self.store(&writer, incoming, .journald, refused: refused)
        }
    }

    static func journalEvent(_ fields: [JournalExport.Field]) -> EventWriter.Event {
        var event = EventWriter.Event(text: "")
        event.textIsMessage = true
        for field in fields {
            let text = String(decoding: field.value, as: UTF8.self)
            switch field.name {
            case "MESSAGE": event.text = text
            case "__REALTIME_TIMESTAMP":
                event.time = Int64(text).flatMap {
                    Timestamp(nanoseconds: $0.multipliedReportingOverflow(by: 1_000).partialValue)
                }
            case "__CURSOR":
                event.id = ByteSlice(text)
                event.fields.append((field.name, text))
            case "__MONOTONIC_TIMESTAMP", "__SEQNUM", "__SEQNUM_ID": break
            default: event.fields.append((field.name, text))
            }
        }
        return event
    }
}
