import Foundation

/// Bulk NDJSON on disk, cut into request bodies at event borders.
struct DataSet: @unchecked Sendable {
    // Sound as Sendable: nobody changes the mapped file.

    let path: String
    let description: String
    let eventCount: Int
    let byteCount: Int
    /// Whether the events are vlgen's, which the 27 questions are about.
    let isFromVlgen: Bool
    /// Which events they are, for names of folders.
    let key: String
    /// The interval that the events cover, epoch milliseconds.
    let interval: Range<Int>
    private let data: NSData
    /// Where request bodies end; found before anything is timed.
    private let borders: [Int]

    /// What `--data` may name.
    static let kinds = ["vlgen", "loggen", "corpus"]

    /// The data that the options ask for; made when it is not there yet.
    static func bulk(options: BenchOptions, folder: String) throws -> DataSet {
        let path = "\(folder)/\(options.data)-\(options.events)-\(options.seed).ndjson"
        let isThere = FileManager.default.fileExists(atPath: path)
        guard let command = try self.command(options: options, folder: folder, path: path) else {
            if !isThere { try SmallGenerator.writeBulk(options.events, to: path) }
            return try DataSet(path: path, name: "built-in generator", options: options)
        }
        if !isThere { _ = try Shell.output("sh", "-c", command) }
        return try DataSet(path: path, name: options.data, options: options)
    }

    /// What writes the data to `path`; `nil` without the shared folder that has the generators and the corpus.
    private static func command(options: BenchOptions, folder: String, path: String) throws -> String? {
        guard let shared = ProcessInfo.processInfo.environment["LEAT_SHARED"] else { return nil }
        if options.data == "corpus" {
            guard FileManager.default.fileExists(atPath: "\(shared)/data/corpus") else { return nil }
            return "python3 \(Bench.folder)/peers/corpus_bulk.py \(shared)/data/corpus \(options.events) > \(path)"
        }
        let source = "\(shared)/tools/\(options.data)/\(options.data).c"
        guard FileManager.default.fileExists(atPath: source), Shell.find("gcc") != nil else { return nil }
        let program = "\(folder)/\(options.data)"
        _ = try Shell.output("gcc", "-O2", "-o", program, source, "-lm")
        return options.data == "vlgen"
            ? "\(program) \(options.events) \(options.seed) > \(path)"
            : "cd \(shared)/tools/loggen && \(program) -f bulk -o - -n \(options.events) -s 7 -M \(path).manifest > \(path)"
    }

    private init(path: String, name: String, options: BenchOptions) throws {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        self.path = path
        self.byteCount = (attributes[.size] as? NSNumber)?.intValue ?? 0
        self.data = try NSData(contentsOfFile: path, options: .mappedIfSafe)
        let all = UnsafeRawBufferPointer(start: self.data.bytes, count: self.data.length)
        self.eventCount = name == "corpus" ? all.count { $0 == UInt8(ascii: "\n") } / 2 : options.events
        self.description =
            "\(name), seed \(options.seed): \(self.eventCount) events, \(self.byteCount) bytes of bulk body"
        self.isFromVlgen = name == "vlgen"
        self.key = "\(options.data)-\(options.events)-\(options.seed)"
        self.interval = 0..<4_102_444_800_000
        self.borders = Self.borders(in: all, byteCount: 2 << 20)
    }

    /// Request bodies of about 2 MiB; calls `body` with each, from several threads at once.
    func forEachBody(
        connections: Int,
        _ body: @Sendable (Int, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let all = UnsafeRawBufferPointer(start: self.data.bytes, count: self.data.length)
        let borders = self.borders
        let next = NSLock()
        nonisolated(unsafe) var cursor = 0
        nonisolated(unsafe) var failure: (any Error)?
        nonisolated(unsafe) let bytes = all
        DispatchQueue.concurrentPerform(iterations: connections) { worker in
            while let index = next.withLock({ () -> Int? in
                guard cursor + 1 < borders.count, failure == nil else { return nil }
                cursor += 1
                return cursor - 1
            }) {
                do {
                    let range = borders[index]..<borders[index + 1]
                    try body(worker, UnsafeRawBufferPointer(rebasing: bytes[range]))
                } catch {
                    next.withLock { failure = error }
                }
            }
        }
        withExtendedLifetime(self.data) {}
        if let failure { throw failure }
    }

    /// Offsets where a body may end: after every second line, about `byteCount` apart.
    private static func borders(in bytes: UnsafeRawBufferPointer, byteCount: Int) -> [Int] {
        var borders = [0]
        var position = 0
        var lines = 0
        while position < bytes.count, let start = bytes.baseAddress {
            guard let newline = memchr(start + position, 10, bytes.count - position) else { break }
            position = UnsafeRawPointer(newline) - start + 1
            lines += 1
            if lines % 2 == 0, position - borders[borders.count - 1] >= byteCount { borders.append(position) }
        }
        if borders.last != bytes.count { borders.append(bytes.count) }
        return borders
    }
}

/// Plain bulk data for machines without the generators.
enum SmallGenerator {
    static func writeBulk(_ events: Int, to path: String) throws {
        var random = SystemSeed(state: 42)
        var text = ""
        let file = try Shell.create(path)
        let levels = ["INFO", "INFO", "INFO", "INFO", "WARN", "ERROR"]
        let words = ["order", "cart", "upstream", "timeout", "user", "cache", "retry", "payment", "status", "done"]
        for event in 0..<events {
            let message = (0..<8).map { _ in words[random.next(words.count)] }.joined(separator: " ")
            let seconds = 1_763_600_000 + event / 200
            text += """
                {"create":{}}
                {"@timestamp":\(seconds)\(String(format: "%03d", event % 200 * 5)),"level":"\(levels[random.next(6)])",\
                "service":"service-\(random.next(24))","duration_ms":\(random.next(3000)),\
                "trace_id":"\(String(random.next(.max), radix: 16))","message":"\(message) \(random.next(100_000))"}

                """
            if text.utf8.count > 1 << 20 {
                try file.write(contentsOf: Data(text.utf8))
                text = ""
            }
        }
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    struct SystemSeed {
        var state: UInt64
        mutating func next(_ bound: Int) -> Int {
            self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((self.state >> 33) % UInt64(bound == .max ? 1 << 31 : bound))
        }
    }
}
