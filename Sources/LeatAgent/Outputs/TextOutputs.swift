internal import Glibc
internal import LeatCore

/// `[OUTPUT] stdout`: prints events.
final class StdoutOutput: BatchSender {
    private let form: TextForm
    private let loop: EventLoop

    init(form: TextForm, loop: EventLoop) {
        self.form = form
        self.loop = loop
    }

    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8] {
        var bytes: [UInt8] = []
        self.form.append(chunk, items, to: &bytes)
        return bytes
    }

    func send(_ body: [UInt8], batch: OutputBatch, completion: @escaping (DeliveryResult) -> Void) {
        let result = TextOutputs.write(body[...], to: STDOUT_FILENO)
        self.loop.enqueue { completion(result) }
    }

    func close() {}
}

/// `[OUTPUT] file`: appends events to files, one per route tag unless it has a name.
final class FileOutput: BatchSender {
    struct Options {
        var folder: String?
        /// `nil`: the route tag.
        var name: String?
        var form = TextForm.out
        var makesFolder = false
    }

    /// Files that stay open.
    private static let openFileCountMax = 64

    private let options: Options
    private let loop: EventLoop
    private var descriptors: [String: Int32] = [:]

    init(_ options: Options, loop: EventLoop) {
        self.options = options
        self.loop = loop
    }

    func batchEnd(of chunk: LoadedChunk, items: Range<Int>) -> Int {
        guard self.options.name == nil else { return items.upperBound }
        var end = items.upperBound
        var first: [UInt8] = []
        chunk.forEachEvent(in: [items]) { event, _ in
            if event.number == items.lowerBound { first = event.head.tag }
            if event.number < end, event.head.tag != first { end = event.number }
        }
        return end
    }

    /// The file's name in a line, the names of columns in a line, then the text.
    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8] {
        var bytes: [UInt8] = []
        let first = items.first.map { $0.lowerBound..<$0.lowerBound + 1 } ?? 0..<0
        chunk.forEachEvent(in: [first]) { event, record in
            let name = self.options.name ?? Self.fileName(of: event.head.tag)
            bytes += Array(name.utf8) + [UInt8(ascii: "\n")]
            let names = self.options.form.columnNames(of: record)
            bytes += names.isEmpty ? [UInt8(ascii: "\n")] : names
        }
        self.options.form.append(chunk, items, to: &bytes)
        return bytes
    }

    /// A tag as the name of a file, which leads nowhere else.
    private static func fileName(of tag: [UInt8]) -> String {
        let text = String(
            decoding: tag.map { $0 == UInt8(ascii: "/") || $0 < 0x20 ? UInt8(ascii: "_") : $0 },
            as: UTF8.self
        )
        return text.isEmpty || text == "." || text == ".." ? "_" : text
    }

    func send(_ body: [UInt8], batch: OutputBatch, completion: @escaping (DeliveryResult) -> Void) {
        let result = self.write(body)
        self.loop.enqueue { completion(result) }
    }

    private func write(_ body: [UInt8]) -> DeliveryResult {
        let lines = body.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
        guard lines.count == 3 else { return .delivered }
        let name = String(decoding: lines[0], as: UTF8.self)
        let path = self.options.folder.map { $0 + "/" + name } ?? name
        let descriptor = self.descriptor(path)
        if descriptor < 0 { return .again(reason: "cannot open \(path): \(PlainStream.reason(errno))") }
        var text = lines[2]
        if !lines[1].isEmpty {
            var status = stat()
            let isEmpty = fstat(descriptor, &status) == 0 && status.st_size == 0
            if isEmpty { text = (lines[1] + [UInt8(ascii: "\n")] + text)[...] }
        }
        return TextOutputs.write(text, to: descriptor)
    }

    private func descriptor(_ path: String) -> Int32 {
        if let known = self.descriptors[path] { return known }
        if self.descriptors.count >= Self.openFileCountMax { self.close() }
        if self.options.makesFolder, let folder = self.options.folder { Self.makeFolders(folder) }
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        if descriptor >= 0 { self.descriptors[path] = descriptor }
        return descriptor
    }

    private static func makeFolders(_ path: String) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part + "/"
            mkdir(made, 0o755)
        }
    }

    func close() {
        for descriptor in self.descriptors.values { _ = Glibc.close(descriptor) }
        self.descriptors = [:]
    }
}

/// What outputs of text have in common.
enum TextOutputs {
    /// Writes all bytes.
    static func write(_ body: ArraySlice<UInt8>, to descriptor: Int32) -> DeliveryResult {
        body.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let rest = bytes.slice(done..<bytes.count)
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count >= 0 {
                    done += count
                } else if errno == EPIPE {
                    // Nobody reads any more; as everywhere, that is no error.
                    return .delivered
                } else if errno == EAGAIN {
                    // A pipe that somebody made non-blocking.
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wait, 1, 1_000)
                } else if errno != EINTR {
                    return .again(reason: "cannot write: \(PlainStream.reason(errno))")
                }
            }
            return .delivered
        }
    }
}

/// `[OUTPUT] null` and `counter`: take events without a chunk.
final class DirectOutput {
    let name: String
    let counters = OutputCounters()
    /// Prints the number of events, if at all.
    private let prints: Bool
    private let loop: EventLoop

    init(name: String, prints: Bool, loop: EventLoop) {
        self.name = name
        self.prints = prints
        self.loop = loop
    }

    /// Takes the events of one read.
    func take(_ events: EventList) {
        self.counters.acceptedEvents += UInt64(events.count)
        self.counters.deliveredEvents += UInt64(events.count)
        self.counters.deliveredBytes += UInt64(events.openStart)
        guard self.prints else { return }
        let line = Array(
            "\(self.loop.time.now().seconds),\(events.count) (total = \(self.counters.deliveredEvents))\n".utf8
        )
        _ = Glibc.write(STDOUT_FILENO, line, line.count)
    }
}
