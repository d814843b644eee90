internal import LeatCore
internal import LeatStorage
internal import ServiceLifecycle
internal import Synchronization

/// The server's log and its audit events, kept in the repository `leat-internal`, so that they can be asked like others.
///
/// Entries wait in memory, bounded, and are stored together; what cannot be stored is lost and counted, since a log of
/// that would have to be stored too. Nobody but the server writes to the repository.
final class OwnLog: Service, Sendable {
    /// What an entry is about.
    enum Kind: String, Sendable {
        /// A line of the server's log.
        case log
        /// Somebody did something, or was not allowed to.
        case audit
    }

    private struct Entry: Sendable {
        let time: Timestamp
        let kind: Kind
        let message: String
        let fields: [(name: String, value: String)]
    }

    private struct State {
        var waiting: [Entry] = []
        var lostCount: UInt64 = 0
        var digester: Digester?
    }

    private let time: any TimeSource
    private let state = Mutex(State())
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    /// Between two entries that are stored apart; entries that come closer are stored together.
    private static let gathering = Duration.milliseconds(200)

    init(time: any TimeSource) {
        self.time = time
        (self.signals, self.signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Entries that were lost.
    var lostCount: UInt64 { self.state.withLock { $0.lostCount } }

    /// Says where entries go; they wait until then.
    func begin(_ digester: Digester) { self.state.withLock { $0.digester = digester } }

    /// Takes an entry.
    func add(_ kind: Kind, _ message: String, _ fields: [(name: String, value: String)]) {
        let entry = Entry(time: self.time.now(), kind: kind, message: message, fields: fields)
        self.state.withLock { state in
            if state.waiting.count < ServerLimits.waitingOwnEventCount {
                state.waiting.append(entry)
            } else {
                state.lostCount += 1
            }
        }
        self.signal.yield()
    }

    /// Stores entries as they come, until the server stops.
    func run() async throws {
        await withGracefulShutdownHandler {
            for await _ in self.signals {
                do {
                    // Not a wait for something: entries come in bursts, and each flush is a batch with its own sync.
                    try await Task.sleep(for: Self.gathering)
                } catch {
                    return
                }
                await self.flush()
            }
        } onGracefulShutdown: {
            self.signal.finish()
        }
    }

    /// Stores what waits.
    func flush() async {
        let (waiting, digester) = self.state.withLock { state in
            guard state.digester != nil else { return ([Entry](), Digester?.none) }
            defer { state.waiting = [] }
            return (state.waiting, state.digester)
        }
        guard let digester, !waiting.isEmpty else { return }
        var writer = EventWriter(limits: IngestLimits(), arrivedAt: self.time.now())
        var lost = 0
        for entry in waiting {
            var event = EventWriter.Event(time: entry.time, text: entry.message, fields: entry.fields)
            event.textIsMessage = true
            event.tags = [.init(name: "#kind", value: entry.kind.rawValue)]
            do throws(ItemFault) {
                try writer.add(event)
            } catch {
                lost += 1
            }
        }
        do {
            _ = try await digester.digest(writer.batch(repository: RepositoryNames.own), parser: .unparsed, isOwn: true)
        } catch {
            lost = waiting.count
        }
        if lost > 0 { self.state.withLock { $0.lostCount += UInt64(lost) } }
    }
}
