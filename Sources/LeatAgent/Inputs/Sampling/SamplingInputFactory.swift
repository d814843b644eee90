internal import LeatCore
internal import LeatParsing

/// Makes the inputs that look at the machine by the clock.
struct SamplingInputFactory {
    /// Their names.
    static let names: Set<String> = ["cpu", "mem", "disk", "netif", "proc", "head", "random", "thermal"]

    let plugin: PluginConfiguration
    let disk: any FileSystem

    func input(
        _ tag: RouteTag,
        _ counters: InputCounters,
        _ sink: any InputSink,
        loop: EventLoop,
        log: AgentLog
    ) throws(Diagnostics) -> any Input {
        SamplingInput(
            tag: tag,
            source: try self.source(),
            interval: self.plugin.settings.interval,
            counters: counters,
            sink: sink,
            loop: loop,
            log: log
        )
    }

    /// What is read; says what its configuration lacks.
    func source() throws(Diagnostics) -> any SampleSource {
        let settings = self.plugin.settings
        let kernel = SystemFiles(root: "/proc", disk: self.disk)
        switch self.plugin.name {
        case "cpu": return CPUSource(kernel, pid: self.pid)
        case "mem": return MemorySource(kernel, pid: self.pid)
        case "disk": return DiskSource(kernel, deviceName: settings.text("dev_name"))
        case "netif":
            return NetworkSource(
                kernel,
                interface: try self.required("interface", "Interface eth0"),
                isVerbose: settings.flag("verbose"),
                mustExist: settings.flag("test_at_init")
            )
        case "proc":
            var options = ProcessSource.Options()
            options.name = try self.required("proc_name", "Proc_Name nginx")
            options.onlyWhenGone = settings.flag("alert")
            options.addsMemory = settings.flag("mem")
            options.addsFileCount = settings.flag("fd")
            return ProcessSource(kernel, options)
        case "head": return HeadSource(try self.headOptions(), disk: self.disk)
        case "random":
            return RandomSource(sampleCount: settings.integer("samples").flatMap { $0 >= 0 ? $0 : nil })
        default:
            return ThermalSource(
                SystemFiles(root: "/sys", disk: self.disk),
                namePattern: try self.pattern("name_regex"),
                typePattern: try self.pattern("type_regex")
            )
        }
    }

    /// The process to look at, if only one is wanted.
    private var pid: Int? { self.plugin.settings.integer("pid").flatMap { $0 > 0 ? $0 : nil } }

    private func headOptions() throws(Diagnostics) -> HeadSource.Options {
        let settings = self.plugin.settings
        var options = HeadSource.Options()
        options.path = try self.required("file", "File /proc/uptime")
        options.key = settings.text("key") ?? options.key
        options.byteCountMax = max(1, min(settings.byteCount("buf_size") ?? options.byteCountMax, 1 << 20))
        options.splitsLines = settings.flag("split_line")
        let lineCount = max(0, min(settings.integer("lines") ?? 0, 10_000))
        options.lineCount = options.splitsLines && lineCount == 0 ? 10 : lineCount
        options.addsPath = settings.flag("add_path")
        return options
    }

    private func required(_ key: String, _ example: String) throws(Diagnostics) -> String {
        if let text = self.plugin.settings.text(key), !text.isEmpty { return text }
        throw Diagnostics(
            self.plugin.mark.diagnostic("the input \(self.plugin.name) needs \(key)", hint: "add \(example)")
        )
    }

    private func pattern(_ key: String) throws(Diagnostics) -> Pattern? {
        guard let entry = self.plugin.settings.entries(key).last, !entry.value.isEmpty else { return nil }
        do throws(PatternError) {
            return try Pattern(entry.value, options: PatternOptions(flavour: .ruby))
        } catch {
            throw Diagnostics(entry.valueMark.diagnostic("\(error)"))
        }
    }
}
