import Foundation

/// The figures of a run, as a table for people and as JSON for comparisons.
struct BenchReport {
    struct Row: Codable {
        let part: String
        let what: String
        let system: String
        let value: Double
        let unit: String
        let note: String
    }

    let options: BenchOptions
    var dataSet = ""
    private(set) var rows: [Row] = []
    private(set) var failures: [String] = []
    private var questions = QueryTable()

    init(options: BenchOptions) { self.options = options }

    mutating func add(
        _ part: String,
        _ what: String,
        _ system: String,
        _ value: Double,
        _ unit: String,
        _ note: String = ""
    ) {
        let row = Row(part: part, what: what, system: system, value: value, unit: unit, note: note)
        self.rows.append(row)
        FileHandle.standardError.write(Data("\(Self.line(row))\n".utf8))
    }

    mutating func add(_ figures: QuestionFigures, of system: String, to question: Question) {
        self.questions.update(system, question) { $0 = figures }
        let answer = figures.answer.map { ", " + $0 } ?? ""
        let line = "\(question.id) \(system) \(QueryTable.number(figures.warm)) ms\(answer)\n"
        FileHandle.standardError.write(Data(line.utf8))
    }

    mutating func update(_ system: String, _ id: String, _ change: (inout QuestionFigures) -> Void) {
        self.questions.update(system, id, change)
    }

    func figures(of system: String, for id: String) -> QuestionFigures? { self.questions.figures(of: system, for: id) }

    mutating func fail(_ message: String) { self.failures.append(message) }

    private static func line(_ row: Row) -> String {
        let digits = row.value >= 1_000 ? 0 : row.value >= 10 ? 1 : 3
        let value = String(format: "%.\(digits)f", row.value)
        return "| \(row.part) | \(row.what) | \(row.system) | \(value) \(row.unit) | \(row.note) |"
    }

    var table: String {
        let head = "\n\(self.dataSet)\n\n| part | what | system | figure | note |\n|---|---|---|---|---|\n"
        return head + self.rows.map(Self.line).joined(separator: "\n") + "\n\n" + self.questions.text
    }

    /// Writes the figures with what they depend on, and returns the path.
    func writeJSON() throws -> String {
        struct File: Codable {
            let time: String
            let machine: String
            let commit: String
            let dataSet: String
            let events: Int
            let connections: Int
            let rows: [Row]
            let questions: QueryTable
            let failures: [String]
        }
        let time = ISO8601DateFormatter().string(from: Date())
        let path = self.options.jsonPath ?? "\(Bench.folder)/results/\(time).json"
        let folder = (path as NSString).deletingLastPathComponent
        if !folder.isEmpty {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        let file = File(
            time: time,
            machine: Self.machine,
            commit: (try? Shell.output("git", "rev-parse", "HEAD")) ?? "unknown",
            dataSet: self.dataSet,
            events: self.options.events,
            connections: self.options.connections,
            rows: self.rows,
            questions: self.questions,
            failures: self.failures
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(file).write(to: URL(filePath: path))
        return path
    }

    private static var machine: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = text.split(separator: "\n").first { $0.hasPrefix("model name") } ?? "unknown"
        return "\(ProcessInfo.processInfo.processorCount) cores, \(model.split(separator: ":").last ?? "")"
    }
}
