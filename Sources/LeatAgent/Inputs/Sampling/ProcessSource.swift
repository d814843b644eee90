/// `[INPUT] proc`: whether a program runs, how much memory it has and how many files it has open.
struct ProcessSource: SampleSource {
    /// What to say of the process.
    struct Options {
        /// Name of the program's file, without its folder.
        var name = ""
        /// Whether only a process that is gone makes events.
        var onlyWhenGone = false
        var addsMemory = true
        var addsFileCount = true
    }

    /// Lines of `/proc/PID/status` that are wanted (proc_pid_status(5)).
    private static let memoryKeys = [
        "VmPeak", "VmSize", "VmLck", "VmHWM", "VmRSS", "VmData", "VmStk", "VmExe", "VmLib", "VmPTE", "VmSwap",
    ]

    private let files: SystemFiles
    private let options: Options

    init(_ files: SystemFiles, _ options: Options) {
        self.files = files
        self.options = options
    }

    mutating func sample(_ now: Moment, to events: inout EventList) throws(InputError) {
        let pid = try self.find()
        if pid != nil, self.options.onlyWhenGone { return }
        events.append("alive", pid != nil)
        events.append("proc_name", text: self.options.name)
        events.bytes.appendMember("pid", json: pid ?? "-1", start: events.openStart)
        defer { events.endEvent(time: now.wall) }
        guard let pid else { return }
        if self.options.addsMemory { try self.appendMemory(of: pid, to: &events) }
        if self.options.addsFileCount { events.append("fd", UInt64(try self.files.list("\(pid)/fd").count)) }
    }

    /// The number of the first process that runs the program.
    private func find() throws(InputError) -> String? {
        for pid in try self.files.list("") where pid.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            // A process may end while we look.
            guard let line = (try? self.files.text("\(pid)/cmdline"))?.prefix(while: { $0 != "\0" }) else { continue }
            if line.split(separator: "/").last.map({ $0 == self.options.name }) == true { return pid }
        }
        return nil
    }

    /// In bytes, where the kernel's kB count as 1000, as in Fluent Bit; what the kernel does not say is 0.
    private func appendMemory(of pid: String, to events: inout EventList) throws(InputError) {
        var sizes: [String: UInt64] = [:]
        for words in try self.files.words("\(pid)/status", beginning: "Vm") where words.count >= 2 {
            sizes[String(words[0].dropLast())] = UInt64(words[1])
        }
        for key in Self.memoryKeys { events.append("mem.\(key)", (sizes[key] ?? 0) &* 1_000) }
    }
}
