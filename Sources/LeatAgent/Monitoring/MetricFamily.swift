internal import LeatCore

/// The values of one metric, and how Prometheus and Fluent Bit's own text write them.
struct MetricFamily {
    enum Kind: String {
        case counter, gauge, histogram
    }

    /// One value with what tells it from the others of its family.
    struct Sample {
        var labels: [Label]
        var value: Value
    }

    struct Label: Hashable {
        let name: String
        let value: String
    }

    enum Value {
        case number(UInt64)
        case histogram(LatencyHistogram)
    }

    let name: String
    let kind: Kind
    let help: String
    var samples: [Sample]

    init(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }

    /// One value for each name, as the label `label`.
    init(_ name: String, _ kind: Kind, _ help: String, label: String = "name", _ values: [(String, UInt64)]) {
        self.init(
            name,
            kind,
            help,
            values.map { Sample(labels: [Label(name: label, value: $0.0)], value: .number($0.1)) }
        )
    }

    // MARK: - Text

    /// Appends the family in the Prometheus text format 0.0.4.
    func appendPrometheus(to text: inout String) {
        guard !self.samples.isEmpty else { return }
        text += "# HELP \(self.name) \(self.help)\n# TYPE \(self.name) \(self.kind.rawValue)\n"
        for sample in self.samples {
            switch sample.value {
            case .number(let value): text += "\(self.name)\(Self.text(sample.labels)) \(value)\n"
            case .histogram(let histogram): self.append(histogram, sample.labels, to: &text)
            }
        }
    }

    private func append(_ histogram: LatencyHistogram, _ labels: [Label], to text: inout String) {
        var count: UInt64 = 0
        for (index, bucket) in histogram.counts.enumerated() {
            count += bucket
            let bound = index < LatencyHistogram.bounds.count ? "\(LatencyHistogram.bounds[index])" : "+Inf"
            text += "\(self.name)_bucket\(Self.text([Label(name: "le", value: bound)] + labels)) \(count)\n"
        }
        text += "\(self.name)_sum\(Self.text(labels)) \(Double(histogram.sumNanoseconds) / 1e9)\n"
        text += "\(self.name)_count\(Self.text(labels)) \(count)\n"
    }

    /// Appends a line per value: `2026-11-30T08:00:00.000000000Z fluentbit_uptime{hostname="node"} = 5`.
    func appendLines(_ time: String, to text: inout String) {
        for sample in self.samples {
            let head = "\(time) \(self.name)\(Self.text(sample.labels)) = "
            switch sample.value {
            case .number(let value): text += "\(head)\(value)\n"
            case .histogram(let histogram):
                var count: UInt64 = 0
                let buckets = histogram.counts.enumerated().map { index, bucket in
                    count += bucket
                    let isBounded = index < LatencyHistogram.bounds.count
                    return "\(isBounded ? "\(LatencyHistogram.bounds[index])" : "+Inf")=\(count)"
                }
                let sum = Double(histogram.sumNanoseconds) / 1e9
                text += "\(head){ buckets = { \(buckets.joined(separator: ", ")) }, sum=\(sum), count=\(count) }\n"
            }
        }
    }

    private static func text(_ labels: [Label]) -> String {
        labels.isEmpty
            ? "" : "{" + labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",") + "}"
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
