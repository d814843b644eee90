internal import LeatCore

/// A thread that waits for the disk, so that the loop does not; jobs run one at a time, in the order in which they came.
final class DiskThread {
    /// A job and what follows it on the loop.
    private final class Job: @unchecked Sendable {
        // Sound as Sendable: `work` is called on the thread only, `completion` on the loop only.
        let work: () -> Void
        let completion: () -> Void

        init(work: @escaping () -> Void, completion: @escaping () -> Void) {
            self.work = work
            self.completion = completion
        }
    }

    /// Of its own, so that `wait` finds every job that is done: what the loop's has handed out is not there any more.
    private let mailbox: Mailbox
    private let loop: EventLoop
    /// Started by the first job: an agent without a disk buffer needs no thread.
    private lazy var thread = BlockingPool(name: "leat-disk", threadCount: 1)
    private var unfinishedCount = 0

    init(loop: EventLoop) throws(FileSystemError) {
        self.loop = loop
        self.mailbox = try Mailbox()
        try loop.watch(self.mailbox.descriptor, for: .read) { [weak self] _ in self?.complete() }
    }

    deinit { self.loop.unwatch(self.mailbox.descriptor) }

    /// Runs `work` on the thread, then `completion` on the loop.
    func run(_ work: @escaping () -> Void, completion: @escaping () -> Void) {
        self.unfinishedCount += 1
        let job = Job(work: work, completion: completion)
        let mailbox = self.mailbox
        self.thread.start {
            job.work()
            mailbox.post { job.completion() }
        }
    }

    /// Does what follows the jobs that are done.
    private func complete() {
        for completion in self.mailbox.take() {
            self.unfinishedCount -= 1
            completion()
        }
    }

    /// Waits until every job has run, and does what follows them.
    func wait() {
        while self.unfinishedCount > 0 {
            self.mailbox.wait()
            self.complete()
        }
    }
}
