public import LeatCore

/// Turns lines into the members of a record, as one `[PARSER]` says; used by one thread.
public final class LineParser {
    /// What became of a line.
    public enum Outcome: Hashable, Sendable {
        /// The line has another form; nothing was appended.
        case noMatch
        /// The members were appended; the time is that of the line, `nil` when it names none that could be read.
        case parsed(time: Timestamp?)
    }

    public let definition: ParserDefinition
    /// How many lines were given up because their pattern took too many steps.
    public private(set) var tooExpensiveCount = 0

    private let groups: [RegexGroup]
    private let matcher: PatternMatcher?
    /// The name of the time field, as the contents of a JSON string.
    private let timeKey: [UInt8]
    private var time: Timestamp?
    private var now = Timestamp(nanoseconds: 0)
    private var record = Record()

    public init(_ definition: ParserDefinition) {
        self.definition = definition
        self.timeKey = FieldPath.contents(definition.time?.key ?? "")
        if case .regex(let pattern) = definition.format {
            self.matcher = PatternMatcher(pattern)
            self.groups = pattern.groups.map { RegexGroup($0.name, $0.number, definition) }
        } else {
            self.matcher = nil
            self.groups = []
        }
    }

    /// Appends the members of a line, without braces, to `target`, where the event's bytes begin at `start`.
    ///
    /// `now` completes times that lack a year or a date.
    public func parse(
        _ line: UnsafeRawBufferPointer,
        now: Timestamp,
        into target: inout [UInt8],
        from start: Int
    ) -> Outcome {
        let before = target.count
        self.time = nil
        self.now = now
        let isParsed =
            switch self.definition.format {
            case .regex: self.parseRegex(line, into: &target, from: start)
            case .json: self.parseJSON(line, into: &target, from: start)
            case .logfmt(let takesBareKeys): self.parseLogfmt(line, takesBareKeys, into: &target, from: start)
            case .ltsv: self.parseLTSV(line, into: &target, from: start)
            }
        guard isParsed else {
            target.removeLast(target.count - before)
            return .noMatch
        }
        if !self.definition.decoders.isEmpty { self.decode(&target, from: before, isFirst: before == start) }
        return .parsed(time: self.time)
    }

    private func decode(_ target: inout [UInt8], from before: Int, isFirst: Bool) {
        guard target.count > before else { return }
        // Behind other members the new ones begin with a comma.
        let begin = isFirst ? before : before + 1
        target.withUnsafeBytes { self.record.load($0.slice(begin..<$0.count)) }
        FieldDecoder.apply(self.definition.decoders, to: &self.record)
        target.removeLast(target.count - begin)
        self.record.write(to: &target)
    }

    // MARK: formats

    private func parseRegex(_ line: UnsafeRawBufferPointer, into target: inout [UInt8], from start: Int) -> Bool {
        guard let matcher = self.matcher else { return false }
        switch matcher.match(line) {
        case .noMatch: return false
        case .tooExpensive:
            self.tooExpensiveCount += 1
            return false
        case .match: break
        }
        for group in self.groups {
            guard let range = matcher.range(ofGroup: group.number) else { continue }
            let value = line.slice(range)
            if value.isEmpty && self.definition.skipsEmpty { continue }
            if group.isTime && self.takeTime(value) { continue }
            Self.separate(&target, start)
            target += group.prefix
            group.append(value, to: &target)
        }
        return true
    }

    private func parseJSON(_ line: UnsafeRawBufferPointer, into target: inout [UInt8], from start: Int) -> Bool {
        let before = target.count
        var names = NameSketch()
        var mayRepeat = false
        do throws(JSONError) {
            var scanner = try JSONObjectScanner(line)
            while let member = try scanner.next() {
                if names.insert(line.slice(member.rawKey)) { mayRepeat = true }
                if self.isTime(line.slice(member.rawKey)), member.kind == .string,
                    self.takeTime(line.slice(member.value.lowerBound + 1..<member.value.upperBound - 1))
                {
                    continue
                }
                Self.separate(&target, start)
                target.append(contentsOf: line.slice(member.rawKey.lowerBound - 1..<member.rawKey.upperBound + 1))
                target.append(UInt8(ascii: ":"))
                if member.kind == .object || member.kind == .array {
                    try JSONCompact.append(line.slice(member.value), to: &target)
                } else {
                    target.append(contentsOf: line.slice(member.value))
                }
            }
            if mayRepeat { RepeatedMembers.remove(in: &target, from: before) }
            return line.slice(scanner.offset..<line.count).trimmed.isEmpty
        } catch {
            return false
        }
    }

    private func parseLogfmt(
        _ line: UnsafeRawBufferPointer,
        _ takesBareKeys: Bool,
        into target: inout [UInt8],
        from start: Int
    ) -> Bool {
        var scanner = LogfmtScanner(line)
        var count = 0
        while let pair = scanner.next() {
            count += 1
            let key = line.slice(pair.key)
            guard let value = pair.value else {
                guard takesBareKeys else { return false }
                self.append(key: key, to: &target, start)
                target += "true".utf8
                continue
            }
            if value.isEmpty && !pair.isQuoted && takesBareKeys {
                self.append(key: key, to: &target, start)
                target += "true".utf8
            } else if pair.hasEscapes {
                let text = FieldDecoder.unescaped(Array(line.slice(value)))
                text.withUnsafeBytes { self.append(key, $0, to: &target, start) }
            } else {
                self.append(key, line.slice(value), to: &target, start)
            }
        }
        return count > 0
    }

    /// Labels and values between tabs (ltsv.org); a field without a label has no place, so that the line stays as it is.
    private func parseLTSV(_ line: UnsafeRawBufferPointer, into target: inout [UInt8], from start: Int) -> Bool {
        var at = 0
        var count = 0
        while at <= line.count {
            let end = line.firstIndex(ofByte: 0x09, from: at) ?? line.count
            let field = line.slice(at..<end)
            at = end + 1
            if field.isEmpty { continue }
            guard let colon = field.firstIndex(ofByte: UInt8(ascii: ":")), colon > 0 else { return false }
            count += 1
            self.append(field.slice(0..<colon), field.slice(colon + 1..<field.count), to: &target, start)
        }
        return count > 0
    }

    // MARK: fields

    /// Appends a field of its text, or takes it as the line's time.
    private func append(
        _ key: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer,
        to target: inout [UInt8],
        _ start: Int
    ) {
        if self.isTime(key) && self.takeTime(value) { return }
        self.append(key: key, to: &target, start)
        let type = self.definition.types.isEmpty ? nil : self.definition.types[key.text]
        (type ?? .string).append(value, to: &target)
    }

    private func append(key: UnsafeRawBufferPointer, to target: inout [UInt8], _ start: Int) {
        Self.separate(&target, start)
        JSONWriter.append(string: key, to: &target)
        target.append(UInt8(ascii: ":"))
    }

    private func isTime(_ key: UnsafeRawBufferPointer) -> Bool {
        self.definition.time != nil && self.timeKey.withUnsafeBytes { key.isEqual(to: $0) }
    }

    /// Reads the line's time; whether the field is to be left out.
    ///
    /// A time that cannot be read stays as a text.
    private func takeTime(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let field = self.definition.time,
            let found = field.pattern.parsePrefix(text, now: self.now, zone: field.zone)
                ?? self.takeShorterTime(text, field)
        else { return false }
        self.time = found.timestamp
        return !field.isKept
    }

    private func takeShorterTime(
        _ text: UnsafeRawBufferPointer,
        _ field: ParserDefinition.TimeField
    ) -> (timestamp: Timestamp, end: Int)? {
        for pattern in field.shorterPatterns {
            if let found = pattern.parsePrefix(text, now: self.now, zone: field.zone) { return found }
        }
        return nil
    }

    private static func separate(_ target: inout [UInt8], _ start: Int) {
        if target.count > start { target.append(UInt8(ascii: ",")) }
    }
}

/// A named group of a pattern and how its text is written.
private struct RegexGroup {
    let number: Int
    let isTime: Bool
    /// The name as JSON, with its colon.
    let prefix: [UInt8]
    private let type: FieldType

    init(_ name: String, _ number: Int, _ definition: ParserDefinition) {
        self.number = number
        self.isTime = definition.time?.key == name
        self.prefix = [UInt8(ascii: "\"")] + FieldPath.contents(name) + Array("\":".utf8)
        self.type = definition.types[name] ?? .string
    }

    func append(_ value: UnsafeRawBufferPointer, to target: inout [UInt8]) {
        self.type.append(value, to: &target)
    }
}
