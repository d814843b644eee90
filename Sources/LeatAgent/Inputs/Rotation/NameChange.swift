internal import LeatCore

/// A followed name whose file has changed, until what had it in between has been found.
final class NameChange {
    /// The file that has the name now, not read yet; `nil` when nothing has it.
    private(set) var current: OpenLog?
    /// The number under which changes of its bytes are reported.
    private(set) var place: UInt64?
    /// Files that had the name for a moment.
    private(set) var passed: Set<FileKey> = []
    var siblings = Siblings()
    /// Whether something lost the name in this run.
    var hasVanished = false {
        didSet { if self.hasVanished != oldValue { self.search = nil } }
    }
    /// For what to look; made anew for another file.
    var search: TailResume.Search?

    var isCompressed: Bool { self.current?.isCompressed ?? false }

    /// The files that it holds open; none once they were begun with.
    var logs: [OpenLog] { self.siblings.found + [self.current].compactMap { $0 } }

    /// The name leads to this file now.
    func replaceCurrent(by log: OpenLog, place: UInt64?) {
        if let current {
            self.passed.insert(current.key)
            self.siblings.add(current)
        }
        // One that got the name while its folder was listed is not an earlier one.
        self.siblings.remove(log.key)
        self.current = log
        self.place = place
        self.search = nil
    }
}
