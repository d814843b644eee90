import Foundation

/// A program under measurement: CPU seconds, memory, output.
final class MeteredProcess: @unchecked Sendable {
    // Sound as Sendable: `lock` guards what the sampling thread changes.

    let process = Process()
    let outputPath: String

    /// Starts `program`, its output going to `outputPath`.
    init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        outputPath: String
    ) throws {
        self.outputPath = outputPath
        let output = try Shell.create(outputPath)
        self.process.executableURL = URL(filePath: program)
        self.process.arguments = arguments
        self.process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        self.process.standardOutput = output
        self.process.standardError = output
        self.process.standardInput = FileHandle.nullDevice
        try self.process.run()
    }

    /// A file of the process below `/proc`, whole: their size says 0, so that `String(contentsOfFile:)` stops early.
    private func procText(_ name: String) -> String? {
        let file = FileHandle(forReadingAtPath: "/proc/\(self.process.processIdentifier)/\(name)")
        guard let data = try? file?.readToEnd() else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    /// User and system time so far, in seconds, to the nanosecond and with that of threads that have ended.
    var cpuSeconds: Double {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(self.process.processIdentifier, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            return 0
        }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Bytes that the process has had read from the disk so far, mapped files included.
    var readByteCount: Int {
        let line = self.procText("io")?.split(separator: "\n").first { $0.hasPrefix("read_bytes:") }
        return line.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
    }

    /// Anonymous and shared memory and the pages of the program's own file, in MiB; mapped data does not count.
    var memoryMiB: Double {
        guard let text = self.procText("smaps") else { return 0 }
        let program = self.process.executableURL?.resolvingSymlinksInPath().path ?? ""
        var isProgram = false
        var isShared = false
        var kibibytes = 0.0
        for line in text.split(separator: "\n") {
            if line.hasPrefix("Rss:") {
                if isProgram || isShared { kibibytes += Self.number(line) }
            } else if line.hasPrefix("Anonymous:") {
                if !isProgram && !isShared { kibibytes += Self.number(line) }
            } else if line.first.map({ $0.isHexDigit && !$0.isUppercase }) == true, line.contains("-") {
                isProgram = !program.isEmpty && line.hasSuffix(program)
                isShared = line.contains("/dev/zero") || line.contains("/SYSV") || line.contains("/memfd:")
            }
        }
        return kibibytes / 1024
    }

    private static func number(_ line: Substring) -> Double { Double(line.split(separator: " ")[1]) ?? 0 }

    /// Notes the peak of `memoryMiB` from now on until the returned closure is called.
    func samplePeak() -> () -> Double {
        let peak = Peak()
        let thread = Thread { [weak self] in
            while let now = self?.memoryMiB, peak.note(now) { Thread.sleep(forTimeInterval: 0.1) }
        }
        thread.start()
        return { [self] in peak.end(self.memoryMiB) }
    }

    /// Text that the program has printed so far.
    var output: String { (try? String(contentsOfFile: self.outputPath, encoding: .utf8)) ?? "" }

    /// Ends the program in order, and waits for it.
    func stop() {
        if self.process.isRunning { self.process.terminate() }
        self.process.waitUntilExit()
    }

    deinit { if self.process.isRunning { kill(self.process.processIdentifier, SIGKILL) } }
}

/// The largest of the figures that one thread notes until another one ends that.
private final class Peak: @unchecked Sendable {
    // Sound as Sendable: `lock` guards the rest.
    private let lock = NSLock()
    private var largest = 0.0
    private var isOver = false

    /// Notes a figure; says whether more are wanted.
    func note(_ figure: Double) -> Bool {
        self.lock.withLock {
            self.largest = max(self.largest, figure)
            return !self.isOver
        }
    }

    /// Notes the last figure, and returns the largest.
    func end(_ figure: Double) -> Double {
        self.lock.withLock {
            self.isOver = true
            self.largest = max(self.largest, figure)
            return self.largest
        }
    }
}

/// Small programs run to their end.
enum Shell {
    /// Runs a program found on the PATH and returns its trimmed output.
    static func output(_ arguments: String...) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchFailure("\(arguments.joined(separator: " ")) ended with \(process.terminationStatus)")
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Runs a program found on the PATH; its output goes nowhere.
    static func run(_ arguments: [String], accepting statuses: Set<Int32>) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard statuses.contains(process.terminationStatus) else {
            throw BenchFailure("\(arguments.joined(separator: " ")) ended with \(process.terminationStatus)")
        }
    }

    /// A new, empty file, open for writing.
    static func create(_ path: String) throws -> FileHandle {
        guard FileManager.default.createFile(atPath: path, contents: nil) else {
            throw BenchFailure("cannot create \(path)")
        }
        return try FileHandle(forWritingTo: URL(filePath: path))
    }

    /// The full path of a program on the PATH.
    static func find(_ program: String) -> String? {
        let path = try? Self.output("sh", "-c", "command -v \(program)")
        return path?.isEmpty == false ? path : nil
    }

    /// Bytes of all files below a folder, as stored.
    static func byteCount(of folder: String) throws -> Double {
        guard let bytes = Double(try Self.output("du", "-sb", folder).split(separator: "\t").first ?? "") else {
            throw BenchFailure("du did not answer for \(folder)")
        }
        return bytes
    }

    static func wait(_ what: String, seconds: Double = 60, until condition: () throws -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while try !condition() {
            guard Date() < deadline else { throw BenchFailure("\(what) did not come within \(seconds) s") }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }
}
