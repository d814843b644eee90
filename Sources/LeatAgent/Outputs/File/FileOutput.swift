internal import Glibc
internal import LeatCore

/// `[OUTPUT] file`: appends events to files, whose names may be made of the events.
final class FileOutput: BatchSender {
    struct Options {
        var form = TextForm.out
        var makesFolder = false
        var rotation: FileRotation?
    }

    private let target: FileTarget
    private let options: Options
    private let files: any FileSystem
    private let loop: EventLoop
    private let log: AgentLog
    /// Compresses and removes rotated files; `nil` without rotation.
    private let tidying: DiskThread?

    init(_ target: FileTarget, _ options: Options, files: any FileSystem, loop: EventLoop, log: AgentLog)
        throws(FileSystemError)
    {
        self.target = target
        self.options = options
        self.files = files
        self.loop = loop
        self.log = log
        self.tidying = options.rotation == nil ? nil : try DiskThread(loop: loop)
    }

    /// The sections of all files, in the order of their first events.
    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8] {
        var order: [FilePlace] = []
        var sections: [FilePlace: (items: [UInt32], events: [Range<Int>], columns: [UInt8])] = [:]
        var item: UInt32 = 0
        chunk.forEachEvent(in: items) { event, record in
            let place = self.target.place(of: event, record)
            if sections[place] == nil {
                order.append(place)
                sections[place] = ([], [], self.options.form.columnNames(of: record))
            }
            sections[place]?.items.append(item)
            sections[place]?.events.append(event.number..<event.number + 1)
            item += 1
        }
        var bytes: [UInt8] = []
        for place in order {
            guard let section = sections[place] else { continue }
            var text: [UInt8] = []
            self.options.form.append(chunk, Self.joined(section.events), to: &text)
            FileSection(place: place, items: section.items, columns: section.columns, text: text).encode(to: &bytes)
        }
        return bytes
    }

    /// Neighbours as one range.
    private static func joined(_ ranges: [Range<Int>]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        for range in ranges {
            if let last = result.last, last.upperBound == range.lowerBound {
                result[result.count - 1] = last.lowerBound..<range.upperBound
            } else {
                result.append(range)
            }
        }
        return result
    }

    func send(_ body: [UInt8], batch: OutputBatch, completion: @escaping (DeliveryResult) -> Void) {
        let result = self.write(FileSection.all(in: body))
        self.loop.enqueue { completion(result) }
    }

    private func write(_ sections: [FileSection]) -> DeliveryResult {
        var again: [Int] = []
        var rejected: [(item: Int, reason: [UInt8])] = []
        var droppedCount = 0
        var failures: [String] = []
        for section in sections {
            switch self.target.admit(section.place) {
            case .path(let path, _):
                guard let failure = self.write(section, to: path) else { continue }
                failures.append(failure)
                again += section.items.map { Int($0) }
            case .refused(let reason):
                let text = OutputQueue.reasonText("no_file", reason)
                rejected += section.items.map { (Int($0), text) }
            case .dropped:
                droppedCount += section.items.count
                self.log.once("events without a file of their own are dropped", .warning)
            }
        }
        if let failure = failures.first, failures.count == sections.count { return .again(reason: failure) }
        for failure in failures { self.log.once(failure, .warning) }
        if again.isEmpty, rejected.isEmpty, droppedCount == 0 { return .delivered }
        rejected.sort { $0.item < $1.item }
        return .partly(again: again.sorted(), rejected: rejected, droppedCount: droppedCount)
    }

    /// Appends a section; why that is not possible.
    private func write(_ section: FileSection, to path: String) -> String? {
        if self.options.makesFolder { Self.makeFolders(path.parentFolder) }
        var (descriptor, byteCount) = Self.open(path)
        guard descriptor >= 0 else { return "cannot open \(path): \(PlainStream.reason(errno))" }
        // Opened for each batch, so that somebody else may rotate the file too.
        defer { _ = Glibc.close(descriptor) }
        if let rotation = self.options.rotation, byteCount >= rotation.byteCountMax {
            self.rotate(path, rotation)
            let renewed = Self.open(path)
            if renewed.descriptor >= 0 {
                _ = Glibc.close(descriptor)
                (descriptor, byteCount) = renewed
            }
        }
        let text = byteCount == 0 ? section.columns + section.text : section.text
        switch TextOutputs.write(text[...], to: descriptor) {
        case .again(let reason):
            // What was written of it would stand there twice.
            ftruncate(descriptor, off_t(byteCount))
            return "\(path): \(reason)"
        default: return nil
        }
    }

    /// A file to append to, and its length.
    private static func open(_ path: String) -> (descriptor: Int32, byteCount: UInt64) {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else { return (descriptor, 0) }
        return (descriptor, UInt64(max(0, status.st_size)))
    }

    /// Renames a file; a failure is tried again with the next batch.
    private func rotate(_ path: String, _ rotation: FileRotation) {
        let files = self.files
        do throws(FileSystemError) {
            try rotation.rename(path, now: self.loop.time.now(), files: files)
        } catch {
            return self.log.once("\(error); the file grows on", .warning)
        }
        var failure: FileSystemError?
        self.tidying?.run {
            do throws(FileSystemError) {
                try rotation.tidy(path, files: files)
            } catch {
                failure = error
            }
        } completion: { [log = self.log] in
            if let failure { log.once("\(failure); rotated files are tidied up with the next one", .warning) }
        }
    }

    private static func makeFolders(_ path: String) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part + "/"
            mkdir(made, 0o755)
        }
    }

    func close() { self.tidying?.wait() }
}

/// The events of a batch that go to one file, as they stand in its body.
///
///     place u8 · path or reason (u16 · UTF-8) · items (u32 · u32*) · columns (u32 · text) · text (u32 · text)
struct FileSection {
    let place: FilePlace
    /// Numbers of the events in the batch.
    let items: [UInt32]
    /// First line of a new file.
    let columns: [UInt8]
    let text: [UInt8]

    private enum Kind {
        static let fixed: UInt8 = 0
        static let dynamic: UInt8 = 1
        static let refused: UInt8 = 2
        static let dropped: UInt8 = 3
    }

    init(place: FilePlace, items: [UInt32], columns: [UInt8], text: [UInt8]) {
        self.place = place
        self.items = items
        self.columns = columns
        self.text = text
    }

    func encode(to bytes: inout [UInt8]) {
        let (kind, name): (UInt8, String) =
            switch self.place {
            case .path(let path, let isDynamic): (isDynamic ? Kind.dynamic : Kind.fixed, path)
            case .refused(let reason): (Kind.refused, reason)
            case .dropped: (Kind.dropped, "")
            }
        bytes.append(kind)
        bytes.appendCounted(name.utf8.prefix(Int(UInt16.max)))
        bytes.appendInteger(UInt32(self.items.count))
        for item in self.items { bytes.appendInteger(item) }
        for text in [self.columns, self.text] {
            bytes.appendInteger(UInt32(text.count))
            bytes += text
        }
    }

    /// The sections of a body.
    static func all(in body: [UInt8]) -> [FileSection] {
        body.withUnsafeBytes { bytes in
            var reader = FieldReader(bytes)
            var sections: [FileSection] = []
            while let section = FileSection(from: &reader) { sections.append(section) }
            precondition(reader.remaining == 0, "a body is made of sections")
            return sections
        }
    }

    private init?(from reader: inout FieldReader) {
        guard let kind = reader.integer(UInt8.self), let name = reader.countedText(),
            let count = reader.integer(UInt32.self)
        else { return nil }
        self.place =
            switch kind {
            case Kind.refused: .refused(name)
            case Kind.dropped: .dropped
            default: .path(name, isDynamic: kind == Kind.dynamic)
            }
        var items: [UInt32] = []
        for _ in 0..<count {
            guard let item = reader.integer(UInt32.self) else { return nil }
            items.append(item)
        }
        self.items = items
        guard let columns = Self.text(from: &reader), let text = Self.text(from: &reader) else { return nil }
        self.columns = columns
        self.text = text
    }

    private static func text(from reader: inout FieldReader) -> [UInt8]? {
        reader.integer(UInt32.self).flatMap { reader.bytes(Int($0)) }.map { Array($0) }
    }
}
