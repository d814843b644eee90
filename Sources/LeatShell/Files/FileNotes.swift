internal import Synchronization

/// What the readers of a query's files have to say, gathered from all threads.
final class FileNotes: Sendable {
    /// Bytes at the beginning of a file in which a zero says that it is no text.
    private static let lookedAtByteCount = 64 << 10

    private let badTimeCount = Atomic<Int>(0)
    private let binaryNames = Mutex<[String]>([])

    func add(badTimeCount count: Int) {
        if count > 0 { self.badTimeCount.add(count, ordering: .relaxed) }
    }

    /// Notes a file whose beginning is no text; its lines are read all the same.
    func look(at bytes: UnsafeRawBufferPointer, of path: String) {
        guard bytes.prefix(Self.lookedAtByteCount).contains(0) else { return }
        self.binaryNames.withLock { $0.append(path == "-" ? "standard input" : path) }
    }

    /// The notes as warnings.
    var warnings: [String] {
        let binary = self.binaryNames.withLock { $0 }.map { "\($0) is no text: it has bytes of value 0" }
        let count = self.badTimeCount.load(ordering: .relaxed)
        guard count > 0 else { return binary }
        return binary + [
            "\(count) event\(count == 1 ? "" : "s") with an '@timestamp' that is no time; the time of reading is used"
        ]
    }
}
