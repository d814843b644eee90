import Foundation

/// Figures of `leat-agent`, and of Fluent Bit with the same configuration when it is on the PATH.
struct AgentBench {
    let programs: String
    let folder: String
    let options: BenchOptions

    /// A pipeline to measure; the texts are the sections after `[INPUT]`.
    private struct Pipeline {
        let name: String
        let filters: String
        let output: String
        let waitsForSink: Bool
    }

    private static let kubernetes = """
        [FILTER]
            Name kubernetes
            Match kube.*
            Kube_Tag_Prefix kube.PREFIX.var.log.containers.
            Use_Tag_For_Meta On
            Merge_Log On
            Keep_Log Off

        """

    private static let bulk = """
        [OUTPUT]
            Name es
            Match *
            Host 127.0.0.1
            Port PORT
            Suppress_Type_Name On
            Buffer_Size False
            Retry_Limit False
        """

    private static let pipelines = [
        Pipeline(
            name: "tail to null, CRI",
            filters: "",
            output: "[OUTPUT]\n    Name null\n    Match *\n",
            waitsForSink: false
        ),
        Pipeline(name: "CRI to bulk, disk buffer", filters: "", output: Self.bulk, waitsForSink: true),
        Pipeline(
            name: "CRI, kubernetes, Merge_Log, bulk, disk buffer",
            filters: Self.kubernetes,
            output: Self.bulk,
            waitsForSink: true
        ),
    ]

    func run(into report: inout BenchReport) throws {
        let logs = try ContainerLogs(options: self.options, folder: self.folder)
        var systems = [("leat", "\(self.programs)/leat-agent")]
        if let peer = Shell.find("fluent-bit") {
            systems.append(("Fluent Bit", peer))
        } else {
            report.add("agent", "peer", "Fluent Bit", 0, "", "fluent-bit is not on the PATH: not measured")
        }
        for pipeline in Self.pipelines {
            for (system, program) in systems {
                try self.measure(pipeline, system: system, program: program, logs: logs, into: &report)
            }
        }
        for (system, program) in systems { try self.measureIdle(system: system, program: program, into: &report) }
    }

    private func measure(
        _ pipeline: Pipeline,
        system: String,
        program: String,
        logs: ContainerLogs,
        into report: inout BenchReport
    ) throws {
        let state = "\(self.folder)/agent-state"
        try? FileManager.default.removeItem(atPath: state)
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        let sink = try BulkSink()
        defer { sink.stop() }
        let prefix = logs.root.dropFirst().replacingOccurrences(of: "/", with: ".")
        let configuration =
            Self.service(state: state) + Self.input(logs.root, state: state, exits: !pipeline.waitsForSink)
            + pipeline.filters.replacingOccurrences(of: "PREFIX", with: prefix)
            + pipeline.output.replacingOccurrences(of: "PORT", with: String(sink.port))
        let path = "\(self.folder)/agent.conf"
        try configuration.write(toFile: path, atomically: true, encoding: .utf8)
        let start = ContinuousClock.now
        let agent = try MeteredProcess(
            program,
            ["-c", path],
            outputPath: "\(self.folder)/agent.out"
        )
        let stopSampling = agent.samplePeak()
        var cpu = 0.0
        try Shell.wait("\(system): \(pipeline.name)", seconds: 600) {
            let now = agent.cpuSeconds
            if now > 0 { cpu = now }
            return pipeline.waitsForSink ? sink.documentCount >= logs.eventCount : !agent.process.isRunning
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        let peak = stopSampling()
        agent.stop()
        let gibibytes = Double(logs.byteCount) / 1_073_741_824
        let note = pipeline.waitsForSink ? "\(sink.documentCount) documents for \(logs.eventCount) events" : ""
        report.add("agent", pipeline.name, system, cpu / gibibytes, "CPU s/GiB", note)
        report.add("agent", pipeline.name, system, Double(logs.byteCount) / 1e6 / seconds, "MB/s")
        report.add("agent", pipeline.name, system, peak, "MiB peak")
        if system == "leat", pipeline.waitsForSink, sink.documentCount != logs.eventCount {
            report.fail("\(pipeline.name): \(sink.documentCount) documents for \(logs.eventCount) events")
        }
    }

    private func measureIdle(system: String, program: String, into report: inout BenchReport) throws {
        for files in [0, 1000] {
            let root = "\(self.folder)/idle-\(files)"
            try FileManager.default.createDirectory(
                atPath: root + "/var/log/containers",
                withIntermediateDirectories: true
            )
            for file in 0..<files {
                try "2026-11-20T00:00:00.000000000Z stdout F line\n".write(
                    toFile: "\(root)/var/log/containers/pod-\(file)_ns_c-\(String(repeating: "0", count: 64)).log",
                    atomically: false,
                    encoding: .utf8
                )
            }
            let state = "\(self.folder)/idle-state"
            try? FileManager.default.removeItem(atPath: state)
            let path = "\(self.folder)/idle.conf"
            let text =
                Self.service(state: state) + Self.input(root, state: state, exits: false)
                + "[OUTPUT]\n    Name null\n    Match *\n"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let agent = try MeteredProcess(
                program,
                ["-c", path],
                outputPath: "\(self.folder)/idle.out"
            )
            Thread.sleep(forTimeInterval: 3)
            report.add("agent", "idle, \(files) files", system, agent.memoryMiB, "MiB")
            agent.stop()
            try FileManager.default.removeItem(atPath: root)
        }
    }

    private static func service(state: String) -> String {
        "[SERVICE]\n    Flush 1\n    Log_Level error\n    storage.path \(state)\n\n"
    }

    private static func input(_ root: String, state: String, exits: Bool) -> String {
        """
        [INPUT]
            Name tail
            Path \(root)/var/log/containers/*.log
            Tag kube.*
            Read_from_Head On
            multiline.parser cri
            storage.type filesystem
            DB \(state)/tail.db
            Exit_On_Eof \(exits ? "On" : "Off")


        """
    }
}

/// A tree of CRI files and what a perfect collector makes of it.
struct ContainerLogs {
    let root: String
    let byteCount: Int
    let eventCount: Int

    init(options: BenchOptions, folder: String) throws {
        self.root = "\(folder)/cri-\(options.agentEvents)"
        let containers = self.root + "/var/log/containers"
        let isNew = !FileManager.default.fileExists(atPath: containers)
        if isNew {
            try FileManager.default.createDirectory(atPath: containers, withIntermediateDirectories: true)
            try Self.write(options.agentEvents, to: containers)
        }
        self.eventCount = options.agentEvents
        self.byteCount = Int(try Shell.byteCount(of: containers))
    }

    /// JSON application lines in CRI form, over 20 containers: the data of the peer's own published figures.
    private static func write(_ events: Int, to folder: String) throws {
        var random = SmallGenerator.SystemSeed(state: 7)
        let pods = 20
        for pod in 0..<pods {
            let name = "pod-\(pod)_shop_app-\(String(repeating: "0123456789abcdef", count: 4)).log"
            let file = try Shell.create("\(folder)/\(name)")
            var text = ""
            for event in 0..<(events / pods + (pod < events % pods ? 1 : 0)) {
                text += String(
                    format: "2026-11-20T%02d:%02d:%02d.%09dZ",
                    event / 3600 % 24,
                    event / 60 % 60,
                    event % 60,
                    event
                )
                text += " stdout F {\"level\":\"info\",\"ts\":\"2026-11-20T00:00:00.000Z\",\"logger\":\"orders.http\","
                text +=
                    "\"msg\":\"request served\",\"user\":\"u\(random.next(5000))\",\"duration_ms\":\(random.next(900)),"
                text +=
                    "\"trace_id\":\"\(random.next(.max))\(random.next(.max))\",\"path\":\"/api/v1/orders/\(random.next(9999))\","
                text +=
                    "\"status\":\(200 + random.next(300)),\"remote\":\"10.\(random.next(255)).\(random.next(255)).7\"}\n"
                if text.utf8.count > 1 << 20 {
                    try file.write(contentsOf: Data(text.utf8))
                    text = ""
                }
            }
            try file.write(contentsOf: Data(text.utf8))
            try file.close()
        }
    }
}
