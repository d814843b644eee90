internal import CLeatPlatform
internal import Glibc
internal import LeatCore

/// Watches folders by inotify and reports what happens to names in them.
///
/// One watch serves a folder however many paths lead to it and however many files lie in it.
final class FolderWatch {
    /// What happened to a name in a folder.
    struct Event {
        /// `renamed` says that something that had another name appeared.
        enum Kind: Hashable { case appeared, renamed, vanished, attributes, folderGone }
        let kind: Kind
        /// Number of the folder's watch.
        let watch: Int32
        let name: String
    }

    /// Names appeared or vanished.
    var changed: (Event) -> Void = { _ in }
    /// The bytes of a file may have grown; the key is that of `key(watch:name:)`.
    var touched: (UInt64) -> Void = { _ in }
    /// Events were lost: everything must be looked at again.
    var overflowed: () -> Void = {}
    /// All events that had arrived were reported.
    var drained: () -> Void = {}

    /// Whether a folder could not be watched for lack of watches.
    private(set) var isShortOfWatches = false

    private static let names =
        LEAT_IN_CREATE | LEAT_IN_DELETE | LEAT_IN_MOVED_FROM | LEAT_IN_MOVED_TO | LEAT_IN_DELETE_SELF
        | LEAT_IN_MOVE_SELF
        | LEAT_IN_ATTRIB | LEAT_IN_ONLYDIR | LEAT_IN_MASK_ADD
    /// How long after a wake the next one waits: bursts of writes are then one read.
    private static let pause = Duration.milliseconds(5)
    private static let bufferByteCount = 64 << 10

    private let loop: EventLoop
    private let isActive: Bool
    private let descriptor: Int32
    /// The paths by which a watched folder was reached, the first for good.
    private var paths: [Int32: [String]] = [:]

    /// `isActive` says whether anything is watched; otherwise nobody is told of anything.
    init(loop: EventLoop, isActive: Bool) throws(FileSystemError) {
        self.loop = loop
        self.isActive = isActive
        self.descriptor = leat_inotify_create()
        if self.descriptor < 0 {
            throw FileSystemError(operation: "create", path: "inotify", code: -self.descriptor)
        }
        try loop.watch(self.descriptor, for: .read) { [weak self] _ in self?.read() }
    }

    /// Ends all watches.
    func close() {
        self.loop.unwatch(self.descriptor)
        _ = Glibc.close(self.descriptor)
    }

    /// Watches a folder, and with `contents` also the bytes of its files.
    ///
    /// The watch's number, or `nil` when there is no such folder or no right to read it.
    func add(_ folder: String, contents: Bool) -> Int32? {
        guard self.isActive else { return nil }
        let watch = leat_inotify_add(self.descriptor, folder, Self.names | (contents ? LEAT_IN_MODIFY : 0))
        if watch < 0 {
            if watch == -ENOSPC { self.isShortOfWatches = true }
            return nil
        }
        if self.paths[watch]?.contains(folder) != true { self.paths[watch, default: []].append(folder) }
        return watch
    }

    /// The paths by which a watched folder was reached.
    func folders(of watch: Int32) -> [String] { self.paths[watch] ?? [] }

    /// A number for a name in a watched folder, without keeping the name.
    static func key(watch: Int32, name: UnsafeRawBufferPointer) -> UInt64 {
        Digest.xxh3(name) &+ UInt64(bitPattern: Int64(watch)) &* 0x9E37_79B9_7F4A_7C15
    }

    /// A number for a name in a watched folder.
    static func key(watch: Int32, name: String) -> UInt64 {
        Array(name.utf8).withUnsafeBytes { self.key(watch: watch, name: $0) }
    }

    private func read() {
        self.readEvents()
        self.drained()
        self.loop.change(self.descriptor, to: [])
        self.loop.schedule(after: Self.pause) { [weak self] in
            guard let self else { return }
            self.loop.change(self.descriptor, to: .read)
        }
    }

    /// Reports what has happened until now.
    func readEvents() {
        withUnsafeTemporaryAllocation(byteCount: Self.bufferByteCount, alignment: 8) { buffer in
            while true {
                let count = leat_inotify_read(self.descriptor, buffer.baseAddress, buffer.count)
                if count <= 0 { break }
                self.report(buffer.baseAddress, count: Int(count))
                if count < Self.bufferByteCount / 2 { break }
            }
        }
    }

    private func report(_ buffer: UnsafeMutableRawPointer?, count: Int) {
        var offset = 0
        var event = leat_inotify_event()
        var last: UInt64 = 0
        while true {
            let next = leat_inotify_next(buffer, count, offset, &event)
            if next == 0 { return }
            offset = next
            if event.mask & LEAT_IN_Q_OVERFLOW != 0 {
                self.overflowed()
            } else if let name = event.name, event.mask & LEAT_IN_MODIFY != 0 {
                let bytes = UnsafeRawBufferPointer(start: name, count: strlen(name))
                let key = Self.key(watch: event.watch, name: bytes)
                if key != last { self.touched(key) }
                last = key
            } else {
                last = 0
                self.reportName(event)
            }
        }
    }

    private func reportName(_ event: leat_inotify_event) {
        let mask = event.mask
        let kind: Event.Kind
        if mask & LEAT_IN_CREATE != 0 {
            kind = .appeared
        } else if mask & LEAT_IN_MOVED_TO != 0 {
            kind = .renamed
        } else if mask & (LEAT_IN_DELETE | LEAT_IN_MOVED_FROM) != 0 {
            kind = .vanished
        } else if mask & (LEAT_IN_DELETE_SELF | LEAT_IN_MOVE_SELF | LEAT_IN_IGNORED) != 0 {
            kind = .folderGone
        } else {
            kind = .attributes
        }
        self.changed(
            Event(
                kind: kind,
                watch: event.watch,
                name: event.name.map { String(cString: $0) } ?? ""
            )
        )
        if mask & LEAT_IN_IGNORED != 0 { self.paths[event.watch] = nil }
        // A moved folder is known under its old name only; what is there now is found by a new watch.
        if mask & LEAT_IN_MOVE_SELF != 0 { _ = leat_inotify_remove(self.descriptor, event.watch) }
    }
}
