import Foundation

/// The 27 questions, asked of each system that is there over the same events.
struct QueryBench {
    let folder: String
    let options: BenchOptions
    let data: DataSet
    let truth: Truth

    private var questions: [Question] {
        let all = Question.all(needle: self.truth.needle, trace: self.truth.trace)
        let wanted = self.options.questions
        return wanted.isEmpty ? all : all.filter { question in wanted.contains { question.id.hasPrefix($0) } }
    }

    /// Questions per measurement: five warm ones, after one that is checked.
    private var runs: Int { self.options.isSmoke ? 1 : 5 }

    /// Asks a server everything, warm and, unless it is a smoke run, after a restart with cold caches.
    func measure(_ server: QueryServer, into report: inout BenchReport) throws {
        let stopSampling = server.process.samplePeak()
        for question in self.questions {
            var figures = QuestionFigures()
            do {
                try self.measureWarm(question, server, &figures)
            } catch let failure as BenchFailure where !server.isOurs {
                // Older versions of the peer lack some questions' syntax; the others are still worth comparing.
                figures.answer = String(failure.description.prefix(100))
            }
            if server.isOurs, let answer = figures.answer { report.fail("\(question.id): \(answer)") }
            report.add(figures, of: server.name, to: question)
        }
        report.add("query", "peak memory", server.name, stopSampling(), "MiB")
        guard self.options.asksCold, !self.options.isSmoke else { return }
        for question in self.questions where report.figures(of: server.name, for: question.id)?.warm != nil {
            try server.restartCold()
            let (read, cpu) = (server.process.readByteCount, server.process.cpuSeconds)
            let answer = try server.ask(question, keepsBody: false)
            report.update(server.name, question.id) {
                $0.cold = answer.seconds * 1e3
                $0.coldCPU = (server.process.cpuSeconds - cpu) * 1e3
                $0.coldRead = server.process.readByteCount - read
            }
        }
    }

    private func measureWarm(_ question: Question, _ server: QueryServer, _ figures: inout QuestionFigures) throws {
        let first = try server.ask(question, keepsBody: true)
        let answer = try Answer(ndjson: first.body, question, isOurs: server.isOurs)
        figures.byteCount = first.byteCount
        figures.answer = self.truth.answers[question.id].flatMap { answer.difference(from: $0, question.comparison) }
        var times: [Double] = []
        let cpu = server.process.cpuSeconds
        for _ in 0..<self.runs { times.append(try server.ask(question, keepsBody: false).seconds * 1e3) }
        figures.cpu = (server.process.cpuSeconds - cpu) * 1e3 / Double(self.runs)
        figures.warm = times.sorted()[times.count / 2]
    }

    // MARK: ClickHouse

    /// Asks ClickHouse, if `chdb` can be had from PyPI.
    func measureClickHouse(into report: inout BenchReport) throws {
        guard self.data.isFromVlgen, let python = try self.pythonWithClickHouse() else {
            report.add("query", "peer", "ClickHouse", 0, "", "chdb is not there: not measured")
            return
        }
        let folder = "\(self.folder)/clickhouse-\(self.options.events)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let asked = self.questions.filter { $0.clickHouse != nil }
        var lines = Data()
        for question in asked {
            lines += try JSONSerialization.data(withJSONObject: ["id": question.id, "sql": question.clickHouse ?? ""])
            lines.append(10)
        }
        let input = "\(folder)/questions.ndjson"
        try lines.write(to: URL(filePath: input))
        let program = "\(Bench.folder)/peers/clickhouse.py"
        let output = try Shell.output(
            "sh",
            "-c",
            "exec '\(python)' '\(program)' '\(folder)' '\(self.data.path)' \(self.runs) < '\(input)'"
        )
        for line in output.split(separator: "\n") {
            guard let value = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
                continue
            }
            if let question = asked.first(where: { $0.id == value["id"] as? String }) {
                report.add(self.clickHouseFigures(value, question), of: "ClickHouse", to: question)
            } else if let seconds = value["cpuSeconds"] as? Double, seconds > 1 {
                let gibibytes = Double(self.data.byteCount) / 1_073_741_824
                report.add("ingest", "CPU, in process, no HTTP", "ClickHouse", seconds / gibibytes, "s/GiB")
            }
        }
    }

    private func clickHouseFigures(_ value: [String: Any], _ question: Question) -> QuestionFigures {
        var figures = QuestionFigures()
        figures.answer = value["error"] as? String
        let times = (value["milliseconds"] as? [NSNumber] ?? []).map(\.doubleValue).sorted()
        guard !times.isEmpty else { return figures }
        figures.warm = times[times.count / 2]
        figures.cpu = (value["cpuMilliseconds"] as? NSNumber)?.doubleValue
        figures.byteCount = (value["byteCount"] as? NSNumber)?.intValue ?? 0
        if let rows = value["rows"] as? [[String: Any]], let truth = self.truth.answers[question.id] {
            figures.answer = Answer(rows, question, isOurs: false).difference(from: truth, question.comparison)
        }
        return figures
    }

    /// A Python that has chdb: in an environment of the benchmark's own, made when it is not there yet.
    private func pythonWithClickHouse() throws -> String? {
        guard !self.options.isSmoke, self.options.asksClickHouse, Shell.find("python3") != nil else { return nil }
        let folder = ProcessInfo.processInfo.environment["LEAT_BENCH_VENV"] ?? "\(self.folder)/clickhouse-venv"
        let python = "\(folder)/bin/python3"
        if (try? Shell.output(python, "-c", "import chdb")) != nil { return python }
        let command = "python3 -m venv '\(folder)' && '\(python)' -m pip -q install chdb==4.4.0"
        return (try? Shell.output("sh", "-c", command)) == nil ? nil : python
    }

    // MARK: ripgrep

    /// How long ripgrep takes to count in the raw text what a question looks for: near what the hardware allows.
    func measureRipgrep(into report: inout BenchReport) throws {
        guard Shell.find("rg") != nil, !self.options.isSmoke else { return }
        for question in self.questions {
            guard let pattern = question.ripgrep else { continue }
            var times: [Double] = []
            for _ in 0..<self.runs {
                let start = ContinuousClock.now
                // Not finding anything is an answer too.
                try Shell.run(["rg", "-c"] + pattern + [self.data.path], accepting: [0, 1])
                times.append(start.duration(to: .now) / .milliseconds(1))
            }
            var figures = QuestionFigures()
            figures.warm = times.sorted()[times.count / 2]
            report.add(figures, of: "ripgrep", to: question)
        }
    }
}
