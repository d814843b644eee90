import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// The journal's input over a journal in memory; what the system's library does is not tested here.
struct SystemdInputTests {
    /// A journal in memory, whose cursors are numbers behind a `c`.
    private final class MemoryJournal: JournalReader {
        var entries: [(microseconds: UInt64, fields: [String])] = []
        private var place = -1
        private let pipe: [Int32]

        init() {
            var ends: [Int32] = [0, 0]
            Glibc.pipe(&ends)
            self.pipe = ends
        }

        deinit { for end in self.pipe { Glibc.close(end) } }

        var descriptor: Int32 { self.pipe[0] }

        /// Adds an entry and wakes who waits.
        func add(_ fields: [String]) {
            self.entries.append((UInt64(1_700_000_000_000_000 + self.entries.count), fields))
            _ = write(self.pipe[1], "x", 1)
        }

        func process() {
            var byte: UInt8 = 0
            _ = read(self.pipe[0], &byte, 1)
        }

        func next() -> Bool {
            guard self.place + 1 < self.entries.count else { return false }
            self.place += 1
            return true
        }

        func seekToHead() { self.place = -1 }
        func seekToTail() { self.place = self.entries.count - 1 }
        func seek(behind cursor: String) { self.place = Int(cursor.dropFirst()) ?? -1 }
        func cursor() -> String { "c\(self.place)" }
        func realtimeMicroseconds() -> UInt64 { self.entries[self.place].microseconds }

        func fields(_ body: (UnsafeRawBufferPointer) -> Bool) {
            for field in self.entries[self.place].fields where !ByteSlice(field).withUnsafeBytes(body) { return }
        }

        func close() {}
    }

    /// What an input hands on.
    private final class Sink: InputSink {
        var hasRoom = true
        private(set) var reads: [InputRead] = []
        private var sources: UInt64 = 0

        func hasRoom(for input: InputCounters) -> Bool { self.hasRoom }
        func caughtUp() {}
        func routeTag(_ text: String) -> RouteTag { RouteTag(text) }
        func newSource() -> UInt64 {
            self.sources += 1
            return self.sources
        }
        func accept(_ read: InputRead, from input: InputCounters) { self.reads.append(read) }
        func whenDurable(_ body: @escaping () -> Void) { body() }
        func finish(source: UInt64) {}
        func inputEnded(exitCode: Int32) {}
        func forget(source: UInt64) {}

        var records: [String] {
            self.reads.flatMap { read in FilterRun.records(read.events).map { "\(read.tag.text) \($0)" } }
        }
    }

    private let loop: EventLoop
    private let journal = MemoryJournal()
    private let sink = Sink()

    init() throws { self.loop = try EventLoop(time: SystemTime()) }

    private func input(_ options: SystemdInput.Options, known: [SourcePosition] = []) -> SystemdInput {
        let journal = self.journal
        return SystemdInput(
            options,
            openJournal: { journal },
            counters: InputCounters(name: "systemd.0"),
            sink: self.sink,
            known: known,
            loop: self.loop,
            log: AgentLog(level: .error, descriptor: STDERR_FILENO, time: self.loop.time)
        )
    }

    private func turn(until condition: () -> Bool) throws {
        try eventually {
            self.loop.turn(waitsAtMost: .milliseconds(5))
            return condition()
        }
    }

    @Test
    func entriesBecomeRecordsUnderTheirUnit() throws {
        self.journal.add(["MESSAGE=a\"b", "_PID=1", "_SYSTEMD_UNIT=kubelet.service", "nothing", "X=1", "X=2"])
        self.journal.add(["MESSAGE=c=d"])
        var options = SystemdInput.Options()
        options.tag = "host.*"
        let input = self.input(options)
        try input.start()
        try self.turn { self.sink.reads.count == 2 }
        #expect(
            self.sink.records == [
                #"host.kubelet.service {"MESSAGE":"a\"b","_PID":"1","_SYSTEMD_UNIT":"kubelet.service","X":["1","2"]}"#,
                #"host.unknown {"MESSAGE":"c=d"}"#,
            ]
        )
        #expect(self.sink.reads[0].events.times == [1_700_000_000_000_000_000])
        self.journal.add(["MESSAGE=later"])
        try self.turn { self.sink.reads.count == 3 }
        input.stop()
    }

    @Test
    func namesAreChangedAndFieldsLimited() throws {
        self.journal.add(["_HOSTNAME=h", "MESSAGE=m", "C=3"])
        var options = SystemdInput.Options()
        options.tag = "t"
        options.lowersNames = true
        options.stripsUnderscores = true
        options.fieldCountMax = 2
        let input = self.input(options)
        try input.start()
        try self.turn { self.sink.reads.count == 1 }
        #expect(self.sink.records == [#"t {"hostname":"h","message":"m"}"#])
        input.stop()
    }

    @Test
    func readingGoesOnBehindTheLastEntry() throws {
        for index in 0..<5 { self.journal.add(["N=\(index)"]) }
        var options = SystemdInput.Options()
        options.tag = "t"
        let first = self.input(options)
        try first.start()
        try self.turn { self.sink.records.count == 5 }
        first.stop()
        let position = try #require(self.sink.reads.last?.position)
        #expect(position.offset == 5 && position.path == "systemd:systemd.0:c4")
        self.journal.add(["N=5"])
        options.readsFromTail = true
        let second = self.input(options, known: [position])
        try second.start()
        try self.turn { self.sink.records.count == 6 }
        #expect(self.sink.records.last == #"t {"N":"5"}"#)
        #expect(self.sink.reads.last?.position?.source == position.source)
        #expect(self.sink.reads.last?.position?.offset == 6)
        second.stop()
    }

    @Test
    func aFullBufferStopsReading() throws {
        for index in 0..<3 { self.journal.add(["N=\(index)"]) }
        self.sink.hasRoom = false
        let input = self.input(SystemdInput.Options())
        try input.start()
        for _ in 0..<3 { self.loop.turn(waitsAtMost: .milliseconds(1)) }
        #expect(self.sink.reads.isEmpty)
        self.sink.hasRoom = true
        input.resume()
        try self.turn { self.sink.records.count == 3 }
        input.stop()
    }
}
