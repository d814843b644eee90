internal import LeatCore
internal import LeatParsing

/// `Merge_Log`: puts the members of a JSON object that an application wrote into `log` into the record itself.
///
/// The object is checked once and its bytes are spliced; no tree is built. A member that the record has already is
/// replaced, as a reader of the peer's doubled keys would see it. Line breaks and other white space between tokens are
/// taken out, since an event must stay on one line.
struct LogMerge {
    /// `Merge_Log_Key`: the field that gets the object instead of the record, as the contents of a JSON string.
    let key: [UInt8]?
    let keepsLog: Bool
    let trims: Bool
    /// The object's text, and its members; kept for their memory.
    private var text: [UInt8] = []
    private var found: [JSONObjectScanner.Member] = []

    private static let log = Array("log".utf8)

    init(key: String?, keepsLog: Bool, trims: Bool) {
        self.key = key.map(FieldPath.contents)
        self.keepsLog = keepsLog
        self.trims = trims
    }

    /// What became of an event.
    enum Outcome: Hashable {
        /// `log` is no object, or the parser does not know its form; nothing was appended.
        case untouched
        /// The members were appended; the time is that of the parsed text, if it names one.
        case merged(time: Timestamp?)
    }

    /// Appends the merged members of an event to `target`; the text is read by `parser`, or as JSON without one.
    mutating func append(
        _ members: UnsafeRawBufferPointer,
        parser: LineParser?,
        now: Timestamp,
        to target: inout [UInt8]
    ) -> Outcome {
        guard let log = Self.findLog(members), log.value.count > 2 else { return .untouched }
        let isObject = members[log.value.lowerBound] == UInt8(ascii: "{")
        guard isObject || members[log.value.lowerBound] == UInt8(ascii: "\"") else { return .untouched }
        self.text.removeAll(keepingCapacity: true)
        if isObject {
            self.text.append(contentsOf: members.slice(log.value))
        } else if let parser {
            return self.parse(members, log, parser, now, to: &target)
        } else {
            let contents = members.slice(log.stringContents)
            guard Self.mayBeObject(contents) else { return .untouched }
            JSONText.appendUnescaped(contents, to: &self.text)
        }
        return self.splice(members, log, to: &target) ? .merged(time: nil) : .untouched
    }

    /// Reads the text with a parser, whose members are then merged as an object's.
    private mutating func parse(
        _ members: UnsafeRawBufferPointer,
        _ log: Member,
        _ parser: LineParser,
        _ now: Timestamp,
        to target: inout [UInt8]
    ) -> Outcome {
        let line = JSONText.unescaped(members.slice(log.stringContents))
        self.text.append(UInt8(ascii: "{"))
        guard case .parsed(let time) = line.withUnsafeBytes({ parser.parse($0, now: now, into: &self.text, from: 1) })
        else { return .untouched }
        self.text.append(UInt8(ascii: "}"))
        return self.splice(members, log, to: &target) ? .merged(time: time) : .untouched
    }

    /// Checks the text and appends record and object.
    private mutating func splice(_ members: UnsafeRawBufferPointer, _ log: Member, to target: inout [UInt8]) -> Bool {
        // Taken out, so that nothing else can touch them meanwhile; put back, so that their memory serves again.
        var text: [UInt8] = []
        var found: [JSONObjectScanner.Member] = []
        swap(&text, &self.text)
        swap(&found, &self.found)
        defer {
            swap(&text, &self.text)
            swap(&found, &self.found)
        }
        found.removeAll(keepingCapacity: true)
        let start = target.count
        return text.withUnsafeBytes { object in
            do throws(JSONError) {
                var scanner = try JSONObjectScanner(object)
                while let member = try scanner.next() { found.append(member) }
                guard object.slice(scanner.offset..<object.count).trimmed.isEmpty else { return false }
                let splice = Splice(
                    record: members,
                    log: log,
                    object: object,
                    found: found,
                    options: self,
                    start: start
                )
                splice.appendRecord(to: &target)
                try splice.appendObject(to: &target)
                return true
            } catch {
                target.removeLast(target.count - start)
                return false
            }
        }
    }

    /// The first member named `log`.
    private static func findLog(_ members: UnsafeRawBufferPointer) -> Member? {
        var scanner = MemberScanner(members)
        while let member = scanner.next() {
            if member.name.count == 3, members.slice(member.name).elementsEqual(Self.log) { return member }
        }
        return nil
    }

    /// Whether string contents begin with a brace, after white space and its escapes.
    private static func mayBeObject(_ contents: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < contents.count {
            switch contents[index] {
            case UInt8(ascii: "{"): return true
            case UInt8(ascii: " "): index += 1
            case UInt8(ascii: "\\"): index += 2
            default: return false
            }
        }
        return false
    }
}

/// One event on its way through `LogMerge`.
private struct Splice {
    /// The record's members.
    let record: UnsafeRawBufferPointer
    let log: Member
    /// The object's text, and its members.
    let object: UnsafeRawBufferPointer
    let found: [JSONObjectScanner.Member]
    let options: LogMerge
    /// Where the event begins in the target.
    let start: Int

    /// The record's own members, but for those that the object replaces.
    func appendRecord(to target: inout [UInt8]) {
        var scanner = MemberScanner(self.record)
        while let member = scanner.next() {
            if member == self.log && !self.options.keepsLog { continue }
            if self.options.key == nil && self.isReplaced(self.record.slice(member.name)) { continue }
            self.separate(&target)
            target.append(contentsOf: self.record.slice(member.name.lowerBound - 1..<member.value.upperBound))
        }
    }

    private func isReplaced(_ name: UnsafeRawBufferPointer) -> Bool {
        for member in self.found where member.rawKey.count == name.count {
            if self.object.slice(member.rawKey).isEqual(to: name) { return true }
        }
        return false
    }

    /// The object's members, in the record or under the configured key.
    func appendObject(to target: inout [UInt8]) throws(JSONError) {
        if self.found.isEmpty { return }
        if let key = self.options.key {
            self.separate(&target)
            target.append(UInt8(ascii: "\""))
            target += key
            target += "\":{".utf8
        }
        var needsComma = self.options.key == nil && target.count > self.start
        for member in self.found {
            if needsComma { target.append(UInt8(ascii: ",")) }
            needsComma = true
            target.append(contentsOf: self.object.slice(member.rawKey.lowerBound - 1..<member.rawKey.upperBound + 1))
            target.append(UInt8(ascii: ":"))
            try self.appendValue(member, to: &target)
        }
        if self.options.key != nil { target.append(UInt8(ascii: "}")) }
    }

    private func appendValue(_ member: JSONObjectScanner.Member, to target: inout [UInt8]) throws(JSONError) {
        let value = self.object.slice(member.value)
        switch member.kind {
        case .object, .array: try JSONCompact.append(value, to: &target)
        case .string where self.options.trims && member.valueHasEscapes:
            target.append(contentsOf: value.slice(0..<Self.trimmedEnd(value)))
            target.append(UInt8(ascii: "\""))
        default: target.append(contentsOf: value)
        }
    }

    /// Where the contents of a string end without the escaped line ends behind them.
    private static func trimmedEnd(_ value: UnsafeRawBufferPointer) -> Int {
        var end = value.count - 1
        while end >= 3, value[end - 1] == UInt8(ascii: "n") || value[end - 1] == UInt8(ascii: "r"),
            value[end - 2] == UInt8(ascii: "\\")
        {
            // The backslash must not be escaped itself.
            var first = end - 2
            while first > 0, value[first] == UInt8(ascii: "\\") { first -= 1 }
            if (end - 2 - first) % 2 == 0 { break }
            end -= 2
        }
        return end
    }

    /// Puts a comma between members.
    private func separate(_ target: inout [UInt8]) {
        if target.count > self.start { target.append(UInt8(ascii: ",")) }
    }
}
