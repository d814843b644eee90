import Glibc
import LeatCore
import LeatTesting

@testable import LeatAgent

/// A `tail` over real files and a clock that tests move; what it hands on is kept as text.
final class TailWorld: InputSink {
    let folder: TemporaryFolder
    let time = ManualTime(now: Timestamp(nanoseconds: Int64(Glibc.time(nil)) * 1_000_000_000))
    let counters = InputCounters(name: "tail.0")
    let loop: EventLoop
    private(set) var input: TailInput?
    /// The disk as the input sees it.
    var disk: any FileSystem = PosixFileSystem()
    /// Records in the order in which they came.
    private(set) var records: [String] = []
    /// How often each text of `log` came.
    private(set) var counts: [String: Int] = [:]
    /// Route tags in the order in which they were first seen.
    private(set) var tags: [String] = []
    /// How far sources are read, as a buffer would keep it.
    private(set) var positions: [UInt64: SourcePosition] = [:]
    private var sequence: UInt64 = 0
    /// Whether the buffer is full.
    var isFull = false
    /// How many files may be open.
    var openFileCountMax = Int.max

    init(_ folder: TemporaryFolder) throws {
        self.folder = folder
        self.loop = try EventLoop(time: self.time)
    }

    /// Starts a new `tail`, which knows what the last one has read.
    func start(_ change: (inout TailOptions) -> Void = { _ in }) throws {
        self.input?.stop()
        var options = TailOptions()
        options.paths = [self.folder.path("*.log")]
        options.readsFromHead = true
        change(&options)
        let input = try TailInput(
            options: options,
            counters: self.counters,
            sink: self,
            disk: self.disk,
            loop: self.loop,
            known: KnownSources(Array(self.positions.values)),
            claims: SourceClaims(openFileCountMax: self.openFileCountMax),
            log: AgentLog(level: nil, descriptor: 2, time: self.time)
        )
        self.input = input
        input.start()
    }

    func stop() {
        self.input?.stop()
        self.input = nil
    }

    /// Lets time pass, 50 ms at a turn, and everything happen that is due.
    func pass(_ duration: Duration = .milliseconds(200)) {
        let step = Duration.milliseconds(50)
        for _ in 0..<max(1, Int(duration / step)) {
            self.time.advance(by: step)
            for _ in 0..<4 { self.loop.turn(waitsAtMost: .zero) }
        }
    }

    /// The texts of `log`, which must hold nothing that JSON escapes.
    var texts: [String] { self.records.map(Self.text) }

    private static func text(_ record: String) -> String {
        guard record.hasPrefix("\"log\":\"") else { return record }
        return String(record.dropFirst(7).prefix { $0 != "\"" })
    }

    /// Appends text to a file of the folder, which is created if need be.
    func append(_ text: String, to name: String) throws { try self.append(Array(text.utf8), to: name) }

    /// The same for bytes that need be no text.
    func append(_ bytes: [UInt8], to name: String) throws {
        let disk = PosixFileSystem()
        let path = self.folder.path(name)
        try disk.createDirectory(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
        let file = try disk.open(path, .readWrite)
        defer { file.close() }
        try file.write([ByteSlice(bytes)], at: try file.status().byteCount)
    }

    /// Waits until a new file gets another time than one that was made before.
    func waitForFileTime() throws {
        func now() throws -> Timestamp? { try PosixFileSystem().status(try self.folder.write("clock", ""))?.modifiedAt }
        let start = try now()
        try eventually("the time of files goes on") { try now() != start }
    }

    func rename(_ name: String, to target: String) throws {
        try PosixFileSystem().rename(self.folder.path(name), to: self.folder.path(target))
    }

    func remove(_ name: String) throws { try PosixFileSystem().remove(self.folder.path(name)) }

    func truncate(_ name: String) throws {
        let file = try PosixFileSystem().open(self.folder.path(name), .readWrite)
        defer { file.close() }
        try file.truncate(to: 0)
    }

    // MARK: InputSink

    func whenDurable(_ body: @escaping () -> Void) { body() }

    var hasRoom: Bool { !self.isFull }

    func hasRoom(for input: InputCounters) -> Bool { self.hasRoom }

    func routeTag(_ text: String) -> RouteTag {
        if !self.tags.contains(text) { self.tags.append(text) }
        return RouteTag(text)
    }

    func newSource() -> UInt64 {
        self.sequence += 1
        return self.sequence
    }

    func accept(_ read: InputRead, from input: InputCounters) {
        for index in 0..<read.events.count {
            let record = read.events.withMembers(of: index) { String(decoding: $0, as: UTF8.self) }
            self.records.append(record)
            self.counts[Self.text(record), default: 0] += 1
        }
        if let position = read.position { self.positions[position.source] = position }
    }

    func caughtUp() {}

    func finish(source: UInt64) {
        self.positions[source]?.isFinished = true
        self.positions[source]?.pending = []
    }

    func inputEnded(exitCode: Int32) {}

    func forget(source: UInt64) { self.positions[source] = nil }
}
