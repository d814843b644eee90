import Foundation

/// One run: data, parts, report.
struct BenchRun {
    let options: BenchOptions
    let folder: String
    let programs: String

    init(options: BenchOptions) throws {
        self.options = options
        let environment = ProcessInfo.processInfo.environment
        self.programs = environment["LEAT_BIN"] ?? ".build/release"
        self.folder = options.keepFolder ?? NSTemporaryDirectory() + "leat-bench-\(getpid())"
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    func run() throws {
        defer { if self.options.keepFolder == nil { try? FileManager.default.removeItem(atPath: self.folder) } }
        var report = BenchReport(options: self.options)
        if !self.options.parts.isDisjoint(with: ["ingest", "query"]) {
            let data = try DataSet.bulk(options: self.options, folder: self.folder)
            report.dataSet = data.description
            try ServerBench(programs: self.programs, folder: self.folder, options: self.options, data: data)
                .run(into: &report)
            try PeerServerBench(folder: self.folder, options: self.options, data: data).run(into: &report)
        }
        if self.options.parts.contains("agent") {
            try AgentBench(programs: self.programs, folder: self.folder, options: self.options).run(into: &report)
        }
        print(report.table)
        let path = try report.writeJSON()
        print("written to \(path)")
        if !report.failures.isEmpty {
            throw BenchFailure("wrong answers: " + report.failures.joined(separator: "; "))
        }
    }
}
