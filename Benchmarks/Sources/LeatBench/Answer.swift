import Foundation

/// What a question's answer says, in a form that does not depend on who answered.
struct Answer {
    /// Per key (grouping fields joined by `|`, the message of an event, or nothing) its numbers.
    var numbers: [String: [Double]] = [:]
    var rowCount = 0

    /// Reads NDJSON.
    init(ndjson: Data, _ question: Question, isOurs: Bool) throws {
        if case .eventCount = question.shape {
            self.init(rowCount: ndjson.reduce(0) { $0 + ($1 == 10 ? 1 : 0) })
            return
        }
        var rows: [[String: Any]] = []
        for line in ndjson.split(separator: 10) {
            guard let row = try JSONSerialization.jsonObject(with: line) as? [String: Any] else {
                throw BenchFailure("\(question.id): a row is no object")
            }
            rows.append(row)
        }
        self.init(rows, question, isOurs: isOurs)
    }

    private init(rowCount: Int) {
        self.rowCount = rowCount
        self.numbers[""] = [Double(rowCount)]
    }

    init(_ rows: [[String: Any]], _ question: Question, isOurs: Bool) {
        self.rowCount = rows.count
        switch question.shape {
        case .eventCount: self.numbers[""] = [Double(rows.count)]
        case .count:
            let value = rows.first.flatMap { Self.number($0[isOurs ? "_count" : "n"]) }
            self.numbers[""] = [value ?? -1]
        case .events:
            for row in rows {
                self.numbers[Self.text(row[isOurs ? "message" : "_msg"] ?? row["message"]), default: [0]][0] += 1
            }
        case .groups(let keys, let values, let peerKeys, let peerValues):
            for row in rows {
                let key = (isOurs ? keys : peerKeys).map { Self.key($0, row[$0]) }.joined(separator: "|")
                self.numbers[key] = (isOurs ? values : peerValues).map { Self.number(row[$0]) ?? .nan }
            }
        }
    }

    /// A time becomes epoch milliseconds.
    private static func key(_ name: String, _ value: Any?) -> String {
        let text = Self.text(value)
        guard name == "_time" else { return text }
        let time = text.replacingOccurrences(of: " ", with: "T") + (text.hasSuffix("Z") ? "" : "Z")
        return ISO8601DateFormatter().date(from: time).map { "\(Int($0.timeIntervalSince1970 * 1000))" } ?? text
    }

    private static func text(_ value: Any?) -> String {
        if let text = value as? String { return text }
        return value.map { "\($0)" } ?? ""
    }

    private static func number(_ value: Any?) -> Double? {
        if let text = value as? String { return Double(text) }
        return (value as? NSNumber)?.doubleValue
    }

    /// What is wrong with this answer; `nil` when it is right.
    func difference(from truth: [String: [Double]], _ comparison: Question.Comparison) -> String? {
        switch comparison {
        case .exact:
            for (key, wanted) in truth {
                guard let found = self.numbers[key] else { return "lacks '\(key.prefix(80))'" }
                if !Self.isSame(found, wanted) { return "'\(key.prefix(80))' is \(found), not \(wanted)" }
            }
            return self.numbers.count == truth.count ? nil : "\(self.numbers.count) keys, not \(truth.count)"
        case .top(let count):
            // Among equals any may be chosen.
            for (key, found) in self.numbers {
                guard let wanted = truth[key], Self.isSame(found, wanted) else {
                    return "'\(key.prefix(80))' is \(found), not \(truth[key] ?? [])"
                }
            }
            let largest = truth.values.map { $0[0] }.sorted(by: >).prefix(count)
            let found = self.numbers.values.map { $0[0] }.sorted(by: >)
            return Array(largest) == found ? nil : "the numbers are \(found), not \(Array(largest))"
        case .within(let share):
            guard self.numbers.count == truth.count else { return "\(self.numbers.count) keys, not \(truth.count)" }
            for (key, bounds) in truth {
                for (index, value) in (self.numbers[key] ?? []).enumerated() {
                    let range = bounds[2 * index] * (1 - share)...bounds[2 * index + 1] * (1 + share)
                    if !range.contains(value) { return "'\(key)' has \(value), outside \(range)" }
                }
            }
            return nil
        }
    }

    private static func isSame(_ left: [Double], _ right: [Double]) -> Bool {
        left.count == right.count
            && zip(left, right).allSatisfy { abs($0 - $1) <= 1e-9 * max(abs($0), abs($1)) }
    }
}

/// The exact answers, found by a small program of its own from the events alone.
struct Truth: Decodable {
    var needle = "1075ff43a3af2e819a032288ed5e3836"
    var trace = "ac56ab017e54a7e7c3145e4244d83e9e"
    /// Empty when nobody computed them.
    var answers: [String: [String: [Double]]] = [:]

    init() {}

    /// Computes the answers, or reads those that were computed before; without Python there are none.
    static func of(_ data: DataSet) throws -> Truth {
        guard data.isFromVlgen, Shell.find("python3") != nil else { return Truth() }
        let path = data.path + ".answers.json"
        if !FileManager.default.fileExists(atPath: path) {
            _ = try Shell.output("python3", Bench.folder + "/peers/vlgen_truth.py", data.path, path + ".new")
            try FileManager.default.moveItem(atPath: path + ".new", toPath: path)
        }
        return try JSONDecoder().decode(Truth.self, from: Data(contentsOf: URL(filePath: path)))
    }
}
