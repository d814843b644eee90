import Glibc
import LeatCore
import LeatTesting

/// A log of numbered lines that is written and rotated, one system call at a time.
///
/// What was not delivered is never destroyed, so that whoever follows the log must deliver each line once.
final class RotatedLog {
    /// How the log is rotated.
    enum Style: CaseIterable {
        /// `a.log.1`, `a.log.2`, … for ever.
        case numbered
        /// The same in another folder, logrotate's `olddir`.
        case moved
        /// `a.log.2` becomes `a.log.3` before `a.log.1` becomes `a.log.2`; the oldest is removed.
        case cascading
        /// The same, and `a.log.2` is compressed.
        case compressed
    }

    /// One call of the writer or of whoever rotates.
    private enum Step {
        case write(lineCount: Int)
        case writeHalf
        case writeOtherHalf
        case rename(from: String, to: String)
        case reopen
        case beginCompression(of: String)
        case endCompression(of: String)
        case remove(String)
    }

    private static let keptCount = 3
    /// Where files go that are moved away; the test makes it.
    static let movedFolder = "old"

    private let disk = PosixFileSystem()
    private let folder: String
    private let name: String
    private let style: Style
    private var random: SeededRandom
    private let isDelivered: (_ line: String) -> Bool
    /// Whether nobody reads, so that a file may be compressed before it was read: it is found again by its contents.
    var isUnobserved = false {
        didSet { self.history.append("\(self.name): the agent \(self.isUnobserved ? "ends" : "begins")") }
    }

    private var plan: [Step] = []
    private var handle: (any File)?
    private var handleName = ""
    private var rotationCount = 0
    /// Lines of each file, by its name.
    private var contents: [String: [String]] = [:]
    /// When each file was last written, in seconds since 1970, and the present.
    private var times: [String: Int] = [:]
    private var time = Glibc.time(nil)
    private var archive: (file: any File, bytes: [UInt8], count: Int)?
    /// All lines that were written.
    private(set) var lines: [String] = []
    /// What was done, for the message of a failure.
    private(set) var history: [String] = []

    init(
        folder: String,
        name: String,
        style: Style,
        random: SeededRandom,
        isDelivered: @escaping (_ line: String) -> Bool
    ) {
        self.folder = folder
        self.name = name
        self.style = style
        self.random = random
        self.isDelivered = isDelivered
    }

    /// Writes the first line.
    func begin() throws { try self.perform(.write(lineCount: 1)) }

    /// Does the next thing.
    func step() throws {
        if self.plan.isEmpty { self.makePlan() }
        let step = self.plan.removeFirst()
        self.history.append("\(self.name): \(step)")
        try self.perform(step)
    }

    /// Does what was begun, and ends the line under way.
    func finish() throws {
        while !self.plan.isEmpty { try self.step() }
    }

    private func makePlan() {
        switch Int.random(in: 0..<10, using: &self.random) {
        case 0..<4: self.plan = [.write(lineCount: Int.random(in: 1...3, using: &self.random))]
        case 4: self.plan = [.writeHalf, .writeOtherHalf]
        default: self.plan = self.rotation()
        }
    }

    private func rotation() -> [Step] {
        guard self.contents[self.name] != nil else { return [.write(lineCount: 1)] }
        var steps: [Step] = []
        self.rotationCount += 1
        if self.style == .numbered || self.style == .moved {
            let folder = self.style == .moved ? "\(Self.movedFolder)/" : ""
            steps.append(.rename(from: self.name, to: "\(folder)\(self.name).\(self.rotationCount)"))
        } else if let cascade = self.cascade() {
            steps = cascade
        } else {
            return [.write(lineCount: 1)]
        }
        // The writer does not notice at once.
        if Bool.random(using: &self.random) { steps.append(.write(lineCount: 1)) }
        steps.append(.reopen)
        if Bool.random(using: &self.random) { steps.append(.write(lineCount: 1)) }
        if self.style == .compressed, let compression = self.compression(of: "\(self.name).2") { steps += compression }
        return steps
    }

    /// Renames from the oldest to the newest; `nil` when the oldest may not be removed yet.
    private func cascade() -> [Step]? {
        var steps: [Step] = []
        for suffix in ["", ".gz"] {
            let oldest = "\(self.name).\(Self.keptCount)\(suffix)"
            guard let lines = self.contents[oldest] else { continue }
            guard self.mayDestroy(lines) else { return nil }
            steps.append(.remove(oldest))
        }
        for number in (1..<Self.keptCount).reversed() {
            for suffix in ["", ".gz"] where self.contents["\(self.name).\(number)\(suffix)"] != nil {
                steps.append(
                    .rename(from: "\(self.name).\(number)\(suffix)", to: "\(self.name).\(number + 1)\(suffix)")
                )
            }
        }
        steps.append(.rename(from: self.name, to: "\(self.name).1"))
        return steps
    }

    /// Steps that compress what will be called so when the plan up to them is done.
    private func compression(of name: String) -> [Step]? {
        // It is called `.1` now.
        guard let lines = self.contents["\(self.name).1"], self.isUnobserved || self.mayDestroy(lines) else {
            return nil
        }
        return [.beginCompression(of: name), .endCompression(of: name), .remove(name)]
    }

    private func mayDestroy(_ lines: [String]) -> Bool { lines.allSatisfy(self.isDelivered) }

    private func path(_ name: String) -> String { "\(self.folder)/\(name)" }

    private func perform(_ step: Step) throws {
        switch step {
        case .write(let count):
            for _ in 0..<count { try self.write(self.newLine() + "\n") }
        case .writeHalf: try self.write(String(self.newLine().prefix(3)))
        case .writeOtherHalf: try self.write(String((self.lines.last ?? "").dropFirst(3)) + "\n")
        case .rename(let source, let target):
            try self.disk.rename(self.path(source), to: self.path(target))
            self.contents[target] = self.contents.removeValue(forKey: source)
            self.times[target] = self.times.removeValue(forKey: source)
            if self.handleName == source { self.handleName = target }
        case .reopen:
            self.handle?.close()
            self.handle = nil
            if Bool.random(using: &self.random) { try self.open() }
        case .beginCompression(let name): try self.beginCompression(of: name)
        case .endCompression(let name): try self.endCompression(of: name)
        case .remove(let name):
            try self.disk.remove(self.path(name))
            self.contents[name] = nil
        }
    }

    private func open() throws {
        self.handle = try self.disk.open(self.path(self.name), .readWrite)
        self.handleName = self.name
        guard self.contents[self.name] == nil else { return }
        self.contents[self.name] = []
        self.time += 1
        self.setTime(self.time, of: self.name)
    }

    private func newLine() -> String {
        self.lines.append("\(self.name) line \(self.lines.count)")
        return self.lines.last ?? ""
    }

    private func write(_ text: String) throws {
        if self.handle == nil { try self.open() }
        guard let handle = self.handle else { return }
        if text.hasPrefix(self.name) || text.count == 3, let line = self.lines.last {
            self.contents[self.handleName, default: []].append(line)
        }
        try handle.write([ByteSlice(Array(text.utf8))], at: try handle.status().byteCount)
        // Steps take no time, but no two files of a real log are written last in the same tick of the system's clock.
        self.time += 1
        self.setTime(self.time, of: self.handleName)
    }

    private func setTime(_ seconds: Int, of name: String) {
        let time = timeval(tv_sec: seconds, tv_usec: 0)
        utimes(self.path(name), [time, time])
        self.times[name] = seconds
    }

    /// As `gzip` does: the new file grows beside the old one, which goes when it is whole.
    private func beginCompression(of name: String) throws {
        let bytes = try self.disk.contents(self.path(name))
        let packed = bytes.withUnsafeBytes { Deflate.gzip($0) }
        let count = Int.random(in: 0...packed.count, using: &self.random)
        let file = try self.disk.open(self.path("\(name).gz"), .createNew)
        try file.write([ByteSlice(Array(packed[..<count]))], at: 0)
        self.archive = (file, packed, count)
    }

    private func endCompression(of name: String) throws {
        guard let archive = self.archive else { return }
        try archive.file.write([ByteSlice(Array(archive.bytes[archive.count...]))], at: UInt64(archive.count))
        archive.file.close()
        self.archive = nil
        // As old as what it was made of.
        self.setTime(self.times[name] ?? self.time, of: "\(name).gz")
        self.contents["\(name).gz"] = self.contents[name]
    }
}
