internal import CLeatKernels

/// Writes rows of columns as JSON objects, a line each, through pointers into the columns.
///
/// Values are strings, except for those that are asked for as numbers and are JSON's integers.
public final class JSONLineWriter: @unchecked Sendable {
    // Sound as Sendable: nothing changes after `init`, and what the pointers point to is held.

    /// A field of the rows.
    public struct Field {
        public var name: String
        public var column: Column
        /// Whether integers are written without quotes.
        public var isNumber: Bool

        public init(name: String, column: Column, isNumber: Bool = false) {
            self.name = name
            self.column = column
            self.isNumber = isNumber
        }
    }

    /// What stands for a field in a row, apart from the comma before it; trivial.
    private enum Member {
        /// The same in every row, key included.
        case fixed(TextList)
        /// Per code of a dictionary, key included.
        case coded(TextList, codes: UnsafePointer<UInt16>)
        /// A key, and a value that needs no escapes.
        case plain(TextList, TextSource)
        case number(TextList, TextSource)
        case text(TextList, TextSource)
        /// A key, and the value of the member at an index, if the row has that.
        case copy(TextList, of: Int, TextSource)
    }

    private let members: [Member]
    /// Per member the bits of the rows that have it; `nil`: all.
    private let presence: [UnsafePointer<UInt64>?]
    /// The member whose value may be copied, -1 for none.
    private let copied: Int

    // What the pointers point to.
    private let columns: [Column]
    private let presences: [Bitmap?]
    private let texts: [ByteStrings]
    private let nodes: TextSourceNodes

    /// A writer of fields in this order.
    ///
    /// Distinct texts are made ready once where that saves work for `rowCount` rows.
    public init(_ fields: [Field], rowCount: Int) {
        let nodes = TextSourceNodes()
        var texts: [ByteStrings] = []
        var members: [Member] = []
        var copied = -1
        for (index, field) in fields.enumerated() {
            var key: [UInt8] = []
            JSONWriter.append(string: field.name, to: &key)
            key.append(UInt8(ascii: ":"))
            if let ready = Self.ready(field, key, rowCount: rowCount) {
                texts.append(ready)
                if case .dictionary(let column) = field.column, case .array(let codes) = column.codeList {
                    members.append(.coded(TextList(ready), codes: codes.stableAddress))
                } else {
                    members.append(.fixed(TextList(ready)))
                }
                continue
            }
            let own = ByteStrings([key])
            texts.append(own)
            let source = TextSource(field.column, nodes)
            if field.isNumber {
                members.append(.number(TextList(own), source))
            } else if source.isPlain {
                members.append(.plain(TextList(own), source))
            } else if copied < 0, let twin = Self.twin(of: index, among: fields) {
                copied = twin
                members.append(.copy(TextList(own), of: twin, source))
            } else {
                members.append(.text(TextList(own), source))
            }
        }
        self.members = members
        self.copied = copied
        self.columns = fields.map(\.column)
        self.presences = self.columns.map(\.presence)
        self.presence = self.presences.map { $0?.words.stableAddress }
        self.texts = texts
        self.nodes = nodes
    }

    /// The members of a field's distinct texts, if these are few.
    private static func ready(_ field: Field, _ key: [UInt8], rowCount: Int) -> ByteStrings? {
        let values: [UnsafeRawBufferPointer]
        switch field.column {
        case .constant(let column): values = [column.value.unsafeBytes]
        case .dictionary(let column) where column.values.count * 2 < rowCount:
            guard case .array = column.codeList else { return nil }
            values = (0..<column.values.count).map { column.values[$0] }
        default: return nil
        }
        guard rowCount > 1, !field.isNumber else { return nil }
        return ByteStrings(
            values.map { value in
                var member = key
                JSONWriter.append(string: value, to: &member)
                return member
            }
        )
    }

    /// The field before that has the same texts, as the text of an event often does; others may be equal all the same.
    private static func twin(of index: Int, among fields: [Field]) -> Int? {
        fields[..<index].firstIndex { other in
            guard !other.isNumber else { return false }
            return switch (other.column, fields[index].column) {
            case (.plain(let one), .plain(let other)): one.values.isSameMemory(as: other.values)
            case (.template(let one), .template(let other)): one.texts === other.texts
            default: false
            }
        }
    }

    /// Asks for the memory in which rows are that will be written soon; see `TextSource`.
    public func prefetch(row: Int) {
        for member in self.members {
            switch member {
            case .fixed, .copy: break
            case .coded(_, let codes): leat_prefetch(codes + row)
            case .plain(_, let source), .number(_, let source), .text(_, let source): source.prefetch(row)
            }
        }
    }

    /// Asks for the memory to which that leads.
    public func prefetchText(row: Int) {
        for member in self.members {
            switch member {
            case .fixed, .copy: break
            case .coded(let texts, let codes): texts.prefetchBounds(Int(codes[row]))
            case .plain(_, let source), .number(_, let source), .text(_, let source): source.prefetchText(row)
            }
        }
    }

    /// Writes a row as one object with a newline into `target` from `start` on.
    ///
    /// - Returns: Where it ends, or `nil` when it may not fit, whatever was written.
    public func write(row: Int, into target: UnsafeMutableRawBufferPointer, from start: Int) -> Int? {
        guard let base = target.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
        let word = row >> 6
        let bit = UInt64(row & 63)
        var end = start
        var known = 0..<0
        for index in self.members.indices {
            if let bits = self.presence[index], (bits[word] >> bit) & 1 == 0 { continue }
            guard end + 4 <= target.count else { return nil }
            base[end] = end == start ? UInt8(ascii: "{") : UInt8(ascii: ",")
            let value: Range<Int>?
            if case .copy(let key, _, _) = self.members[index], !known.isEmpty {
                value = Self.copy(key, known, in: base, from: end + 1, limit: target.count)
            } else {
                value = Self.write(self.members[index], row, to: base, from: end + 1, limit: target.count)
            }
            guard let value else { return nil }
            if index == self.copied { known = value }
            end = value.upperBound
        }
        guard end + 3 <= target.count else { return nil }
        if end == start {
            base[end] = UInt8(ascii: "{")
            end += 1
        }
        base[end] = UInt8(ascii: "}")
        base[end + 1] = 0x0A
        return end + 2
    }

    /// Writes a member, and returns where its value is; `nil` when it may not fit.
    @inline(__always)
    private static func write(
        _ member: Member,
        _ row: Int,
        to base: UnsafeMutablePointer<UInt8>,
        from start: Int,
        limit: Int
    ) -> Range<Int>? {
        switch member {
        case .fixed(let texts):
            guard start + texts.byteCount(0) <= limit else { return nil }
            return start..<start + texts.write(0, to: base + start)
        case .coded(let texts, let codes):
            let code = Int(codes[row])
            guard start + texts.byteCount(code) <= limit else { return nil }
            return start..<start + texts.write(code, to: base + start)
        case .plain(let key, let source):
            guard start + key.byteCount(0) + source.room(at: row) + 2 <= limit else { return nil }
            let value = start + key.write(0, to: base + start)
            base[value] = UInt8(ascii: "\"")
            let end = value + 1 + source.write(row, to: base + value + 1)
            base[end] = UInt8(ascii: "\"")
            return value..<end + 1
        case .number(let key, let source):
            return self.write(key, source, row, isNumber: true, to: base, from: start, limit: limit)
        case .text(let key, let source), .copy(let key, _, let source):
            return self.write(key, source, row, isNumber: false, to: base, from: start, limit: limit)
        }
    }

    /// Writes a value where it belongs, and moves it only when it has to be escaped.
    private static func write(
        _ key: TextList,
        _ source: TextSource,
        _ row: Int,
        isNumber: Bool,
        to base: UnsafeMutablePointer<UInt8>,
        from start: Int,
        limit: Int
    ) -> Range<Int>? {
        let room = source.room(at: row)
        guard start + key.byteCount(0) + 7 * room + 48 <= limit else { return nil }
        let value = start + key.write(0, to: base + start)
        let count = source.write(row, to: base + value + 1)
        let text = UnsafeRawBufferPointer(start: base + value + 1, count: count)
        if isNumber, JSONNumber.isInteger(text) {
            base.advanced(by: value).update(from: base + value + 1, count: count)
            return value..<value + count
        }
        var high: UInt32 = 0
        if leat_json_special(base + value + 1, 0, count, &high) == count,
            high == 0 || leat_utf8_end(base + value + 1, count) == count
        {
            base[value] = UInt8(ascii: "\"")
            base[value + 1 + count] = UInt8(ascii: "\"")
            return value..<value + count + 2
        }
        // Slow path: out of the way of what is written, which takes up to six bytes for each.
        let moved = base + value + 6 * room + 40
        moved.update(from: base + value + 1, count: count)
        let target = UnsafeMutableRawBufferPointer(start: base, count: value + 6 * room + 40)
        let end = JSONWriter.write(
            string: UnsafeRawBufferPointer(start: moved, count: count),
            into: target,
            from: value
        )
        return end.map { value..<$0 }
    }

    private static func copy(
        _ key: TextList,
        _ known: Range<Int>,
        in base: UnsafeMutablePointer<UInt8>,
        from start: Int,
        limit: Int
    ) -> Range<Int>? {
        guard start + key.byteCount(0) + known.count <= limit else { return nil }
        let value = start + key.write(0, to: base + start)
        leat_copy_bytes(base + value, base + known.lowerBound, known.count)
        return value..<value + known.count
    }
}
