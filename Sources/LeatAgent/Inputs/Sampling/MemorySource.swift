internal import Glibc

/// `[INPUT] mem`: memory and swap in KiB, and what one process has.
struct MemorySource: SampleSource {
    private let files: SystemFiles
    private let pageByteCount: UInt64
    /// The process to look at; its number may be another one's once it has ended.
    private var pid: Int?

    init(_ files: SystemFiles, pid: Int?, pageByteCount: Int = sysconf(Int32(_SC_PAGESIZE))) {
        self.files = files
        self.pid = pid
        self.pageByteCount = UInt64(max(1, pageByteCount))
    }

    mutating func sample(_ now: Moment, to events: inout EventList) throws(InputError) {
        var sizes: [Substring: UInt64] = [:]
        for words in try self.files.words("meminfo") where words.count >= 2 { sizes[words[0]] = UInt64(words[1]) }
        for name in ["Mem", "Swap"] {
            let total = sizes["\(name)Total:"] ?? 0
            let free = sizes["\(name)Free:"] ?? 0
            events.append("\(name).total", total)
            events.append("\(name).used", total >= free ? total - free : 0)
            events.append("\(name).free", free)
        }
        defer { events.endEvent(time: now.wall) }
        guard let pid else { return }
        do throws(InputError) {
            let byteCount = try ProcessStatus(self.files, pid: pid).residentPageCount &* self.pageByteCount
            events.append("proc_bytes", byteCount)
            events.append("proc_hr", text: Self.sizeText(byteCount))
        } catch {
            self.pid = nil
            throw InputError(description: "\(error); the process is not looked at any more")
        }
    }

    /// A size as people read it: `512 b`, `1.50K`, `12.25M`.
    static func sizeText(_ byteCount: UInt64) -> String {
        if byteCount < 1_024 { return "\(byteCount) b" }
        var size = Double(byteCount)
        var unit: Character = "b"
        for next in "KMGTPE" where size >= 1_024 {
            size /= 1_024
            unit = next
        }
        let hundredths = Int((size * 100).rounded())
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)\(unit)"
    }
}
