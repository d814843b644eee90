internal import LeatCore

/// ArcSight's Common Event Format: `CEF:0|vendor|product|version|class|name|severity|key=value …`.
struct CEFParser: Sendable {
    private static let header = [
        "version", "device.vendor", "device.product", "device.version", "event_class_id", "name", "severity",
    ]

    private let writer: ExtensionWriter
    private let headerPrefix: String

    init(_ call: BoundCall) {
        self.headerPrefix = call.text("headerprefix") ?? "cef."
        self.writer = ExtensionWriter(
            prefix: call.text("prefix") ?? "cef.ext.",
            labelPrefix: call.text("labelprefix") ?? "cef.label.",
            keepsLabels: call.isTrue("keeplabels")
        )
    }

    /// Writes header and extension; a text that is not CEF writes nothing.
    func parse(_ text: UnsafeRawBufferPointer, into outputs: inout RowOutputs) {
        let line = text.text
        guard let start = line.firstRange(of: "CEF:") else { return }
        let parts = PipeHeader.split(line[start.upperBound...], count: Self.header.count)
        guard parts.header.count == Self.header.count else { return }
        for (name, value) in zip(Self.header, parts.header) {
            outputs.set(field: self.headerPrefix + name, to: value)
        }
        self.writer.write(Self.pairs(parts.rest), into: &outputs)
    }

    /// `key=value` pairs whose values may hold spaces: a value reaches to the last space before the next key.
    private static func pairs(_ text: Substring) -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        var value = ""
        var key: String?
        var word = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                word.append(character == "n" ? "\n" : character == "r" ? "\r" : character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "=" && Self.isKey(word) {
                if let key { pairs.append((key, Self.trimmedEnd(value))) }
                key = word
                value = ""
                word = ""
            } else if character == " " {
                value += word + " "
                word = ""
            } else {
                word.append(character)
            }
        }
        if let key { pairs.append((key, Self.trimmedEnd(value + word))) }
        return pairs
    }

    private static func isKey(_ word: String) -> Bool {
        !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "_.-[]".contains($0) }
    }

    private static func trimmedEnd(_ value: String) -> String {
        var rest = Substring(value)
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}

/// IBM's Log Event Extended Format: `LEEF:1.0|vendor|product|version|event|key=value<tab>…`.
struct LEEFParser: Sendable {
    private static let header = ["version", "device.vendor", "device.product", "device.version", "event_id"]

    private let writer: ExtensionWriter
    private let headerPrefix: String
    private let delimiter: Character?
    private let readsTime: Bool
    private let zone: TimeZoneRules?
    private let now: Timestamp

    init(_ call: BoundCall, now: Timestamp) throws(CallProblem) {
        self.headerPrefix = call.text("headerprefix") ?? "leef."
        self.writer = ExtensionWriter(
            prefix: call.text("prefix") ?? "leef.ext.",
            labelPrefix: call.text("labelprefix") ?? "leef.label.",
            keepsLabels: call.isTrue("keeplabels")
        )
        self.delimiter = call.text("delimiter").flatMap { Self.delimiter($0) }
        self.readsTime = call.text("parsetime")?.lowercased() != "false"
        self.zone = try call.timeZone()
        self.now = now
    }

    private static func delimiter(_ text: String) -> Character? {
        let code = text.hasPrefix("0x") ? text.dropFirst(2) : text.hasPrefix("x") ? text.dropFirst() : ""
        if let value = UInt32(code, radix: 16), let scalar = Unicode.Scalar(value) { return Character(scalar) }
        return text.first
    }

    /// Writes header and attributes; a text that is not LEEF writes nothing.
    func parse(_ text: UnsafeRawBufferPointer, into outputs: inout RowOutputs) {
        let line = text.text
        guard let start = line.firstRange(of: "LEEF:") else { return }
        let rest = line[start.upperBound...]
        let isSecond = rest.hasPrefix("2")
        let parts = PipeHeader.split(rest, count: Self.header.count + (isSecond ? 1 : 0))
        guard parts.header.count >= Self.header.count else { return }
        for (name, value) in zip(Self.header, parts.header) {
            outputs.set(field: self.headerPrefix + name, to: value)
        }
        var separator = self.delimiter ?? "\t"
        if isSecond, self.delimiter == nil, let given = parts.header.last.flatMap({ Self.delimiter($0) }) {
            separator = given
        }
        var pairs: [(key: String, value: String)] = []
        for part in parts.rest.split(separator: separator) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if sides.count == 2 { pairs.append((String(sides[0]), String(sides[1]))) }
        }
        self.writer.write(pairs, into: &outputs)
        if self.readsTime, let time = pairs.first(where: { $0.key == "devTime" })?.value {
            self.writeTime(time, into: &outputs)
        }
    }

    private func writeTime(_ time: String, into outputs: inout RowOutputs) {
        let bytes = Array(time.utf8)
        let reading = bytes.withUnsafeBytes { TimestampSearch.find($0, zone: self.zone, now: self.now) }
        if case .found(let moment, let zone) = reading {
            outputs.set(field: "@timestamp", to: String(moment.milliseconds))
            outputs.set(field: "@timezone", to: zone)
        }
    }
}

/// A header whose parts are separated by `|`, which a backslash may protect.
private enum PipeHeader {
    static func split(_ text: Substring, count: Int) -> (header: [String], rest: Substring) {
        var parts: [String] = []
        var part = ""
        var rest = text
        while let character = rest.popFirst() {
            if character == "\\", let next = rest.first, next == "|" || next == "\\" {
                part.append(next)
                rest.removeFirst()
            } else if character == "|" {
                parts.append(part)
                part = ""
                if parts.count == count { return (parts, rest) }
            } else {
                part.append(character)
            }
        }
        return (parts + [part], "")
    }
}

/// Writes the pairs of an extension; `cs1` with `cs1Label=x` is the field `x` under the prefix of labels.
private struct ExtensionWriter: Sendable {
    let prefix: String
    let labelPrefix: String
    let keepsLabels: Bool

    func write(_ pairs: [(key: String, value: String)], into outputs: inout RowOutputs) {
        var labels: [String: String] = [:]
        for pair in pairs where pair.key.hasSuffix("Label") { labels[String(pair.key.dropLast(5))] = pair.value }
        for pair in pairs {
            if let label = labels[pair.key] {
                outputs.set(field: self.labelPrefix + label, to: pair.value)
                if !self.keepsLabels { continue }
            }
            let isLabel = pair.key.hasSuffix("Label") && labels[String(pair.key.dropLast(5))] != nil
            if isLabel && !self.keepsLabels { continue }
            outputs.set(field: self.prefix + pair.key, to: pair.value)
        }
    }
}
