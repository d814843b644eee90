import Foundation

/// Where the benchmark's own files are.
enum Bench {
    static let folder = ProcessInfo.processInfo.environment["LEAT_BENCH_FOLDER"] ?? "Benchmarks"
}

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
            let asks = self.options.parts.contains("query")
            let truth = asks ? try Truth.of(data) : Truth()
            if asks && truth.answers.isEmpty { report.add("query", "answers", "", 0, "", "not known: not compared") }
            try ServerBench(programs: self.programs, folder: self.folder, options: self.options, data: data)
                .run(truth: truth, into: &report)
            if self.options.asksPeers {
                try PeerServerBench(folder: self.folder, options: self.options, data: data)
                    .run(truth: truth, into: &report)
                if asks {
                    let queries = QueryBench(folder: self.folder, options: self.options, data: data, truth: truth)
                    try queries.measureClickHouse(into: &report)
                    try queries.measureRipgrep(into: &report)
                }
            }
        }
        if self.options.parts.contains("load") {
            let data = try DataSet.bulk(options: self.options, folder: self.folder)
            report.dataSet = data.description
            try LoadBench(programs: self.programs, folder: self.folder, options: self.options, data: data)
                .run(into: &report)
        }
        if self.options.parts.contains("segments") {
            let data = try DataSet.bulk(options: self.options.limited(to: 200_000), folder: self.folder)
            if report.dataSet.isEmpty { report.dataSet = data.description }
            try SegmentsBench(programs: self.programs, folder: self.folder, options: self.options, data: data)
                .run(into: &report)
        }
        if self.options.parts.contains("sizes") {
            try SizesBench(programs: self.programs, folder: self.folder, options: self.options.limited(to: 300_000))
                .run(into: &report)
        }
        if self.options.parts.contains("growth") {
            try GrowthBench(programs: self.programs, folder: self.folder, options: self.options).run(into: &report)
        }
        if self.options.parts.contains("agent") {
            try AgentBench(programs: self.programs, folder: self.folder, options: self.options).run(into: &report)
        }
        if self.options.parts.contains("shell") {
            let data = try DataSet.bulk(options: self.options.limited(to: 1_000_000), folder: self.folder)
            if report.dataSet.isEmpty { report.dataSet = data.description }
            try ShellBench(programs: self.programs, folder: self.folder, options: self.options, data: data)
                .run(into: &report)
        }
        print(report.table)
        let path = try report.writeJSON()
        print("written to \(path)")
        if !report.failures.isEmpty {
            throw BenchFailure("wrong answers: " + report.failures.joined(separator: "; "))
        }
    }
}
