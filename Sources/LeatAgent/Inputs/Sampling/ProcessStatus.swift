/// What `/proc/PID/stat` says of a process (proc_pid_stat(5)).
struct ProcessStatus: Hashable {
    /// Time on a processor in clock ticks: in its own code, and in the kernel for it.
    let userTicks: UInt64
    let systemTicks: UInt64
    /// Memory that it has in pages.
    let residentPageCount: UInt64

    init(_ files: SystemFiles, pid: Int) throws(InputError) {
        let text = try files.text("\(pid)/stat")
        // The name stands in parentheses and may hold any character, also those.
        let fields = text.lastIndex(of: ")").map { text[text.index(after: $0)...].split(separator: " ") } ?? []
        // The first field behind the name is number 3 of the manual.
        guard fields.count > 21, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else {
            throw InputError(description: "\(files.root)/\(pid)/stat has not the form of a process")
        }
        self.userTicks = user
        self.systemTicks = system
        self.residentPageCount = UInt64(fields[21]) ?? 0
    }
}
