internal import LeatCore
internal import LeatParsing

/// `Merge_Log`: puts the members of a JSON object that an application wrote into `log` into the record itself.
///
/// The object is checked once and its bytes are spliced; no tree is built. A member that the record has already is
/// replaced, and of several members of one name the last one counts, as a reader of the peer's doubled keys would see it.
/// The member `kubernetes` goes where the filter adds its own. Line breaks between tokens are taken out, since an
/// event must stay on one line.
struct LogMerge {
    /// What became of an event.
    enum Outcome: Hashable {
        /// `log` is no object, or the parser does not know its form; nothing was appended.
        case untouched
        /// The members were appended; the time is that of the parsed text, if it names one.
        case merged(time: Timestamp?)
    }

    /// `Merge_Log_Key`: the field that gets the object instead of the record, as the contents of a JSON string.
    let key: [UInt8]?
    let keepsLog: Bool
    let trims: Bool
    /// The event at hand; kept for its memory.
    private var event = MergedEvent()

    init(key: String?, keepsLog: Bool, trims: Bool) {
        self.key = key.map(FieldPath.contents)
        self.keepsLog = keepsLog
        self.trims = trims
    }

    /// Appends the merged members of an event to `target`; the text is read by `parser`, or as JSON without one.
    mutating func append(
        _ record: UnsafeRawBufferPointer,
        parser: LineParser?,
        addsMetadata: Bool,
        now: Timestamp,
        to target: inout [UInt8]
    ) -> Outcome {
        var time: Timestamp?
        guard self.event.read(record, needsObject: parser == nil) else { return .untouched }
        if let parser, !self.event.isObject {
            guard case .parsed(let found) = self.event.parse(parser, now: now) else { return .untouched }
            time = found
        }
        guard self.event.scan(withoutMetadata: addsMetadata && self.key == nil) else { return .untouched }
        let start = target.count
        self.event.appendRecord(record, keepsLog: self.keepsLog, mayReplace: self.key == nil, to: &target, from: start)
        self.event.appendObject(under: self.key, trims: self.trims, to: &target, from: start)
        return .merged(time: time)
    }
}

/// One event on its way through `LogMerge`.
private struct MergedEvent {
    /// The text of `log`, without escapes.
    private var text: [UInt8] = []
    /// Whether the text has a line break, so that it cannot be copied as a whole.
    private var hasLineBreak = false
    /// Whether `log` was an object already, not a text.
    private(set) var isObject = false
    /// Where the member `log` lies in the record.
    private var log = Member(name: 0..<0, value: 0..<0)
    /// The record's other members.
    private var others: [Member] = []
    /// The object's members, as they lie in `text`, and what is between its braces.
    private var found: [JSONObjectScanner.Member] = []
    private var inside = 0..<0
    private var hasEscapes = false
    /// Whether members between the braces are not among `found`.
    private var leavesMembersOut = false

    /// Reads the record's members and the text of `log`; `false` when there is none, or it cannot be an object.
    mutating func read(_ record: UnsafeRawBufferPointer, needsObject: Bool) -> Bool {
        self.text.removeAll(keepingCapacity: true)
        self.others.removeAll(keepingCapacity: true)
        var hasLog = false
        var scanner = MemberScanner(record)
        while let name = scanner.nextName() {
            let start = scanner.offset
            if !hasLog, name.count == 3, record.slice(name).isEqual(to: "log") {
                hasLog = true
                guard let end = self.readLog(record, at: start, needsObject: needsObject) else { return false }
                scanner.skip(to: end)
                self.log = Member(name: name, value: start..<end)
            } else {
                guard scanner.skipValue() else { return false }
                self.others.append(Member(name: name, value: start..<scanner.offset))
            }
        }
        return hasLog
    }

    /// Copies the text of `log`; returns where its value ends.
    private mutating func readLog(_ record: UnsafeRawBufferPointer, at start: Int, needsObject: Bool) -> Int? {
        guard start < record.count else { return nil }
        self.isObject = record[start] == UInt8(ascii: "{")
        if self.isObject {
            var scanner = MemberScanner(record)
            scanner.skip(to: start)
            guard scanner.skipValue() else { return nil }
            self.text.append(contentsOf: record.slice(start..<scanner.offset))
            self.hasLineBreak = false
            return scanner.offset
        }
        guard record[start] == UInt8(ascii: "\""), !needsObject || Self.mayBeObject(record, start + 1) else {
            return nil
        }
        let end = JSONString.unescape(record, from: start + 1, to: &self.text)
        self.hasLineBreak = end.hasLineBreak
        return end.offset < record.count ? end.offset + 1 : nil
    }

    /// Whether string contents begin with a brace, after white space and its escapes.
    private static func mayBeObject(_ record: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        var index = start
        while index < record.count {
            switch record[index] {
            case UInt8(ascii: "{"): return true
            case UInt8(ascii: " "): index += 1
            case UInt8(ascii: "\\"): index += 2
            default: return false
            }
        }
        return false
    }

    /// Reads the text with a parser; its members take the object's place.
    mutating func parse(_ parser: LineParser, now: Timestamp) -> LineParser.Outcome {
        var object: [UInt8] = [UInt8(ascii: "{")]
        let outcome = self.text.withUnsafeBytes { parser.parse($0, now: now, into: &object, from: 1) }
        object.append(UInt8(ascii: "}"))
        self.text = object
        self.hasLineBreak = false
        return outcome
    }

    /// Checks the object and finds its members; `false` when the text is none, or more than one.
    ///
    /// `withoutMetadata`: leaves a member `kubernetes` out.
    mutating func scan(withoutMetadata: Bool) -> Bool {
        var found: [JSONObjectScanner.Member] = []
        swap(&found, &self.found)
        defer { swap(&found, &self.found) }
        found.removeAll(keepingCapacity: true)
        var hasEscapes = false
        var inside = 0..<0
        var names = NameSketch()
        var mayRepeat = false
        var hasMetadata = false
        let isWhole = self.text.withUnsafeBytes { text in
            do throws(JSONError) {
                var scanner = try JSONObjectScanner(text)
                let start = scanner.offset
                while let member = try scanner.next() {
                    if member.valueHasEscapes { hasEscapes = true }
                    let name = text.slice(member.rawKey)
                    if names.insert(name) { mayRepeat = true }
                    if withoutMetadata, name.isEqual(to: "kubernetes") { hasMetadata = true }
                    found.append(member)
                }
                inside = start..<scanner.offset - 1
                return scanner.offset == text.count || text.slice(scanner.offset..<text.count).trimmed.isEmpty
            } catch {
                return false
            }
        }
        self.inside = inside
        self.hasEscapes = hasEscapes
        let count = found.count
        if mayRepeat {
            let last = self.text.withUnsafeBytes { text in
                RepeatedMembers.lastOfEach(found.count) { text.slice(found[$0].rawKey) }
            }
            if last.count < found.count { found = last.map { found[$0] } }
        }
        if hasMetadata {
            self.text.withUnsafeBytes { text in found.removeAll { text.slice($0.rawKey).isEqual(to: "kubernetes") } }
        }
        self.leavesMembersOut = found.count < count
        return isWhole
    }

    /// Appends the record's own members, but for those that the object replaces.
    func appendRecord(
        _ record: UnsafeRawBufferPointer,
        keepsLog: Bool,
        mayReplace: Bool,
        to target: inout [UInt8],
        from start: Int
    ) {
        for member in self.others {
            if mayReplace && self.isReplaced(record.slice(member.name)) { continue }
            Self.separate(&target, start)
            target.append(contentsOf: record.slice(member.name.lowerBound - 1..<member.value.upperBound))
        }
        guard keepsLog, !(mayReplace && self.isReplaced(record.slice(self.log.name))) else { return }
        Self.separate(&target, start)
        target.append(contentsOf: record.slice(self.log.name.lowerBound - 1..<self.log.value.upperBound))
    }

    private func isReplaced(_ name: UnsafeRawBufferPointer) -> Bool {
        for member in self.found where member.rawKey.count == name.count {
            if self.text.withUnsafeBytes({ $0.slice(member.rawKey).isEqual(to: name) }) { return true }
        }
        return false
    }

    /// Appends the object's members, to the record or under the configured key.
    func appendObject(under key: [UInt8]?, trims: Bool, to target: inout [UInt8], from start: Int) {
        if self.found.isEmpty { return }
        Self.separate(&target, start)
        if let key {
            target.append(UInt8(ascii: "\""))
            target += key
            target += "\":{".utf8
        }
        // Fast path: nothing to change, so that all members go in one piece.
        if !self.hasLineBreak && !self.leavesMembersOut && !(trims && self.hasEscapes) {
            self.text.withUnsafeBytes { target.append(contentsOf: $0.slice(self.inside)) }
        } else {
            self.appendMembers(trims: trims, to: &target)
        }
        if key != nil { target.append(UInt8(ascii: "}")) }
    }

    /// Slow path: without white space between tokens, texts without line ends behind them.
    private func appendMembers(trims: Bool, to target: inout [UInt8]) {
        self.text.withUnsafeBytes { text in
            for (number, member) in self.found.enumerated() {
                if number > 0 { target.append(UInt8(ascii: ",")) }
                target.append(contentsOf: text.slice(member.rawKey.lowerBound - 1..<member.rawKey.upperBound + 1))
                target.append(UInt8(ascii: ":"))
                let value = text.slice(member.value)
                switch member.kind {
                case .object, .array:
                    do throws(JSONError) {
                        try JSONCompact.append(value, to: &target)
                    } catch {
                        preconditionFailure("a value that was checked before is no JSON: \(error)")
                    }
                case .string where trims && member.valueHasEscapes:
                    target.append(contentsOf: value.slice(0..<Self.trimmedEnd(value)))
                    target.append(UInt8(ascii: "\""))
                default: target.append(contentsOf: value)
                }
            }
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
    private static func separate(_ target: inout [UInt8], _ start: Int) {
        if target.count > start { target.append(UInt8(ascii: ",")) }
    }
}
