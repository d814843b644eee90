import Foundation

/// What one system needs for one question.
struct QuestionFigures: Codable {
    /// Milliseconds: the median of the warm runs, and the one run after a restart with cold caches.
    var warm: Double?
    var cold: Double?
    /// Milliseconds of CPU of the server per run.
    var cpu: Double?
    var coldCPU: Double?
    /// Bytes read from the disk in the cold run.
    var coldRead: Int?
    /// Bytes of the answer.
    var byteCount = 0
    /// What is wrong with the answer; `nil`: nothing, or nobody knows the truth.
    var answer: String?
}

/// The table of the questions: a row each, which begins with the question's id.
struct QueryTable: Codable {
    struct Entry: Codable {
        let id: String
        let meaning: String
        var figures: [String: QuestionFigures] = [:]
    }

    private(set) var entries: [Entry] = []

    mutating func update(_ system: String, _ question: Question, _ change: (inout QuestionFigures) -> Void) {
        if !self.entries.contains(where: { $0.id == question.id }) {
            self.entries.append(Entry(id: question.id, meaning: question.meaning))
        }
        self.update(system, question.id, change)
    }

    mutating func update(_ system: String, _ id: String, _ change: (inout QuestionFigures) -> Void) {
        for index in self.entries.indices where self.entries[index].id == id {
            change(&self.entries[index].figures[system, default: QuestionFigures()])
        }
    }

    func figures(of system: String, for id: String) -> QuestionFigures? {
        self.entries.first { $0.id == id }?.figures[system]
    }

    private static let columns = [
        "question", "leat ms", "cold", "CPU", "read kB", "VictoriaLogs ms", "cold", "CPU", "ClickHouse ms", "CPU",
        "ripgrep ms", "leat : VictoriaLogs", "leat : better", "answers",
    ]

    var text: String {
        guard !self.entries.isEmpty else { return "" }
        var lines = ["| " + Self.columns.joined(separator: " | ") + " |"]
        lines.append("|" + Self.columns.map { _ in "---" }.joined(separator: "|") + "|")
        lines += self.entries.map(self.line)
        let ratios = self.entries.compactMap { $0.ratio(to: ["VictoriaLogs"]) }
        let better = self.entries.compactMap { $0.ratio(to: ["VictoriaLogs", "ClickHouse"]) }
        lines.append("")
        lines.append(
            "Geometric mean of leat : VictoriaLogs \(Self.mean(ratios)), of leat : better \(Self.mean(better))."
        )
        return lines.joined(separator: "\n") + "\n"
    }

    private static func mean(_ ratios: [Double]) -> String {
        guard !ratios.isEmpty else { return "not known" }
        return String(format: "%.3f (%d)", exp(ratios.reduce(0) { $0 + log($1) } / Double(ratios.count)), ratios.count)
    }

    private func line(_ entry: Entry) -> String {
        let (ours, peer) = (entry.figures["leat"], entry.figures["VictoriaLogs"])
        let other = entry.figures["ClickHouse"]
        let wrong = entry.figures.sorted { $0.key < $1.key }.filter { $0.value.answer != nil }.map(\.key)
        let cells = [
            entry.id, Self.number(ours?.warm), Self.number(ours?.cold), Self.number(ours?.cpu),
            Self.number(ours?.coldRead.map { Double($0) / 1000 }), Self.number(peer?.warm), Self.number(peer?.cold),
            Self.number(peer?.cpu), Self.number(other?.warm), Self.number(other?.cpu),
            Self.number(entry.figures["ripgrep"]?.warm), Self.number(entry.ratio(to: ["VictoriaLogs"])),
            Self.number(entry.ratio(to: ["VictoriaLogs", "ClickHouse"])),
            wrong.isEmpty ? "right" : "differs: " + wrong.joined(separator: ", "),
        ]
        return "| " + cells.joined(separator: " | ") + " |"
    }

    static func number(_ value: Double?) -> String {
        guard let value else { return "–" }
        return String(format: value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : value >= 1 ? "%.2f" : "%.3f", value)
    }
}

extension QueryTable.Entry {
    /// Our time over that of the fastest of some peers.
    func ratio(to peers: [String]) -> Double? {
        guard let ours = self.figures["leat"]?.warm, let best = peers.compactMap({ self.figures[$0]?.warm }).min()
        else { return nil }
        return ours / best
    }
}
