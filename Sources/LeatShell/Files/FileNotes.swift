internal import Synchronization

/// What the readers of a query's files have to say, gathered from all threads.
final class FileNotes: Sendable {
    private let badTimeCount = Atomic<Int>(0)

    func add(badTimeCount count: Int) {
        if count > 0 { self.badTimeCount.add(count, ordering: .relaxed) }
    }

    /// The notes as warnings.
    var warnings: [String] {
        let count = self.badTimeCount.load(ordering: .relaxed)
        guard count > 0 else { return [] }
        return [
            "\(count) event\(count == 1 ? "" : "s") with an '@timestamp' that is no time; the time of reading is used"
        ]
    }
}
