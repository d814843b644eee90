internal import LeatCore

/// Notices that files of the configuration have changed, by looking at them from time to time.
///
/// Files of a mounted ConfigMap are links that are swapped; looking follows them, which a watch of the file would not.
final class ConfigurationWatch {
    /// What a file looks like without reading it.
    private struct Signature: Hashable {
        let device: UInt64
        let inode: UInt64
        let byteCount: UInt64
        let modifiedAt: Timestamp
    }

    private let paths: [String]
    private let interval: Duration
    private let disk: any FileSystem
    private let loop: EventLoop
    private let changed: () -> Void
    private var seen: [Signature?]
    private var timer: TimerQueue.ID?

    /// Watches files; `changed` is called once for each change that has settled for an interval.
    init(_ paths: [String], interval: Duration, disk: any FileSystem, loop: EventLoop, changed: @escaping () -> Void) {
        self.paths = paths
        self.interval = interval
        self.disk = disk
        self.loop = loop
        self.changed = changed
        self.seen = paths.map { Self.signature($0, disk) }
        self.plan(self.seen)
    }

    func stop() {
        if let timer { self.loop.cancel(timer) }
        self.timer = nil
    }

    private static func signature(_ path: String, _ disk: any FileSystem) -> Signature? {
        // A file that cannot be looked at is as good as missing: an editor may be about to put it back.
        guard let status = try? disk.status(path) else { return nil }
        return Signature(
            device: status.device,
            inode: status.inode,
            byteCount: status.byteCount,
            modifiedAt: status.modifiedAt
        )
    }

    /// Looks again; `last` is what was seen the time before, so that a file is not read while it is being written.
    private func plan(_ last: [Signature?]) {
        self.timer = self.loop.schedule(after: self.interval) { [weak self] in
            guard let self else { return }
            let now = self.paths.map { Self.signature($0, self.disk) }
            if now != self.seen, now == last, !now.contains(nil) {
                self.seen = now
                self.changed()
            }
            self.plan(now)
        }
    }
}
