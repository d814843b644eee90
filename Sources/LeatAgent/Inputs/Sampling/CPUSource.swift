internal import Glibc

/// `[INPUT] cpu`: how busy the processors were, in percent, all together and each; or one process.
struct CPUSource: SampleSource {
    /// Time on a processor in clock ticks; `user` has that of nice processes too.
    private struct Ticks {
        var user: UInt64
        var system: UInt64
    }

    private struct Reading {
        /// Nanoseconds of the clock that never goes back.
        let time: UInt64
        let all: Ticks
        /// By the kernel's name of a processor: `cpu0`.
        let processors: [(name: String, ticks: Ticks)]
    }

    private let files: SystemFiles
    private let pid: Int?
    private let ticksPerSecond: Double
    private var before: Reading?

    /// `pid`: only this process.
    init(_ files: SystemFiles, pid: Int?, ticksPerSecond: Int = sysconf(Int32(_SC_CLK_TCK))) {
        self.files = files
        self.pid = pid
        self.ticksPerSecond = Double(max(1, ticksPerSecond))
    }

    mutating func prepare(_ now: Moment) throws(InputError) { self.before = try self.read(now) }

    mutating func sample(_ now: Moment, to events: inout EventList) throws(InputError) {
        // Without a reading in between, such as of a process that was gone, there is nothing to compare with.
        let before = self.before
        self.before = nil
        let reading = try self.read(now)
        self.before = reading
        guard let before, reading.time > before.time else { return }
        let ticks = Double(reading.time - before.time) / 1e9 * self.ticksPerSecond
        let count = Double(max(1, reading.processors.count))
        Self.append("cpu_p", "user_p", "system_p", before.all, reading.all, of: ticks * count, to: &events)
        if self.pid == nil {
            for (name, now) in reading.processors {
                guard let old = before.processors.first(where: { $0.name == name }) else { continue }
                let names = ("\(name).p_cpu", "\(name).p_user", "\(name).p_system")
                Self.append(names.0, names.1, names.2, old.ticks, now, of: ticks, to: &events)
            }
        }
        events.endEvent(time: now.wall)
    }

    private static func append(
        _ all: String,
        _ user: String,
        _ system: String,
        _ old: Ticks,
        _ now: Ticks,
        of ticks: Double,
        to events: inout EventList
    ) {
        // A processor that was off begins anew.
        let userTicks = now.user >= old.user ? Double(now.user - old.user) : 0
        let systemTicks = now.system >= old.system ? Double(now.system - old.system) : 0
        // The kernel counts whole ticks, and so sometimes one too many.
        let percent = { (used: Double) in min(100, used / ticks * 100) }
        events.append(all, rounded: percent(userTicks + systemTicks))
        events.append(user, rounded: percent(userTicks))
        events.append(system, rounded: percent(systemTicks))
    }

    private func read(_ now: Moment) throws(InputError) -> Reading {
        var all: Ticks?
        var processors: [(name: String, ticks: Ticks)] = []
        for words in try self.files.words("stat", beginning: "cpu") {
            // user, nice, system (proc_stat(5)).
            let counts = words[1...].prefix(3).compactMap { UInt64($0) }
            guard counts.count == 3 else { continue }
            let ticks = Ticks(user: counts[0] + counts[1], system: counts[2])
            if words[0] == "cpu" { all = ticks } else { processors.append((String(words[0]), ticks)) }
        }
        if let pid {
            let status = try ProcessStatus(self.files, pid: pid)
            all = Ticks(user: status.userTicks, system: status.systemTicks)
        }
        guard let all else { throw InputError(description: "\(self.files.root)/stat has no line cpu") }
        return Reading(time: now.monotonic, all: all, processors: processors)
    }
}
