import Foundation

/// A program on a terminal of its own, and when what it shows appears.
final class PseudoTerminal: @unchecked Sendable {
    // Sound as Sendable: `condition` guards what the reading thread changes.

    /// `TIOCSPTLCK` and `TIOCGPTN` of <asm-generic/ioctls.h>, which are macros that Swift does not see.
    private static let setLock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430

    let process = Process()
    private let master: Int32
    private let condition = NSCondition()
    private var shown: [UInt8] = []
    /// Per piece that was read: how many bytes were there then, and when.
    private var pieces: [(byteCount: Int, time: ContinuousClock.Instant)] = []
    private var hasEnded = false
    /// When the program was started.
    let startedAt: ContinuousClock.Instant

    /// Starts `program` on a terminal of that size.
    init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String],
        columns: UInt16 = 120,
        rows: UInt16 = 40
    ) throws {
        self.master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var isLocked: CInt = 0
        var number: CUnsignedInt = 0
        guard self.master >= 0, ioctl(self.master, Self.setLock, &isLocked) == 0,
            ioctl(self.master, Self.getNumber, &number) == 0
        else { throw BenchFailure("no pseudo-terminal: \(String(cString: strerror(errno)))") }
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(self.master, UInt(TIOCSWINSZ), &size)
        let name = "/dev/pts/\(number)"
        let slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard slave >= 0 else { throw BenchFailure("cannot open \(name)") }
        let handle = FileHandle(fileDescriptor: slave, closeOnDealloc: false)
        defer { close(slave) }
        self.process.executableURL = URL(filePath: program)
        self.process.arguments = arguments
        self.process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        self.process.standardInput = handle
        self.process.standardOutput = handle
        self.process.standardError = handle
        self.startedAt = .now
        try self.process.run()
        Thread { [self] in self.read() }.start()
    }

    private func read() {
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(self.master, &piece, piece.count)
            let time = ContinuousClock.now
            self.condition.withLock {
                if count > 0 {
                    self.shown += piece[..<count]
                    self.pieces.append((self.shown.count, time))
                } else {
                    self.hasEnded = true
                }
                self.condition.broadcast()
            }
            if count <= 0 { break }
        }
        close(self.master)
    }

    /// Sends keys.
    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(self.master, bytes, bytes.count)
    }

    /// When `text` was shown for the first time.
    func time(of text: String, within seconds: Double = 20) throws -> ContinuousClock.Instant {
        let needle = Data(text.utf8)
        let deadline = Date(timeIntervalSinceNow: seconds)
        self.condition.lock()
        defer { self.condition.unlock() }
        while true {
            if let end = Data(self.shown).range(of: needle)?.upperBound {
                return self.pieces.first { $0.byteCount >= end }?.time ?? .now
            }
            guard !self.hasEnded, self.condition.wait(until: deadline) else {
                let screen = String(decoding: self.shown.suffix(500), as: UTF8.self)
                throw BenchFailure("'\(text)' did not appear: \(screen)")
            }
        }
    }

    /// Forgets what was shown.
    func forget() {
        self.condition.withLock {
            self.shown = []
            self.pieces = []
        }
    }

    /// Ends the program.
    func stop() {
        if self.process.isRunning { self.process.terminate() }
        self.process.waitUntilExit()
    }
}
