public import LeatCore

/// Writes rows of one batch as JSON: values are strings, `@timestamp` is a number (epoch milliseconds).
///
/// Keys come in the order `@timestamp`, `@id`, tags, fields, `@rawstring`, or in that of the given columns. A field
/// that a row lacks is left out.
public struct RowRenderer: Sendable {
    /// A column with its key as it stands in JSON: `"name":`.
    fileprivate struct Output: Sendable {
        let name: String
        let key: [UInt8]
        let column: Column
        let presence: Bitmap?
        let isNumber: Bool
        /// For few distinct texts: of each the key and the value as they stand in JSON.
        var members: ByteStrings?
    }

    private var outputs: [Output] = []
    /// The output that has the same values as the last one, the text of an event, which is then copied.
    private var twinOfLast: Int?

    /// A renderer of `columns`, or of all fields; throws when one of them cannot be read.
    ///
    /// When it is known that many rows will be written, distinct texts are made ready once.
    public init(_ batch: Batch, columns: [String]? = nil, rowCount: Int = 0) throws(DamagedBlock) {
        for name in columns ?? Self.outputOrder(batch.fieldNames) {
            guard let column = try batch.column(name) else { continue }
            var key: [UInt8] = []
            JSONText.appendString(Array(name.utf8), to: &key)
            key.append(UInt8(ascii: ":"))
            var output = Output(
                name: name,
                key: key,
                column: column,
                presence: column.presence,
                isNumber: name == "@timestamp"
            )
            output.members = Self.members(of: output, rowCount: rowCount)
            self.outputs.append(output)
        }
        if let last = self.outputs.last {
            self.twinOfLast = self.outputs.dropLast().firstIndex {
                !$0.isNumber && $0.column.isSameMemory(as: last.column)
            }
        }
    }

    /// A renderer of those columns that can be read; the scan has reported the others.
    init(readable batch: Batch, columns: [String]?) {
        let names = (columns ?? batch.fieldNames).filter { name in
            do throws(DamagedBlock) { return try batch.column(name) != nil } catch { return false }
        }
        do throws(DamagedBlock) {
            try self.init(batch, columns: columns == nil ? Self.outputOrder(names) : names)
        } catch {
            preconditionFailure("a column was readable and is not: \(error)")
        }
    }

    /// The members of an output's distinct texts, if there are fewer of them than rows.
    private static func members(of output: Output, rowCount: Int) -> ByteStrings? {
        let texts: [[UInt8]]
        switch output.column {
        case .constant(let column): texts = [column.value.array]
        case .dictionary(let column) where column.values.count * 2 < rowCount:
            texts = (0..<column.values.count).map { Array(column.values[$0]) }
        default: return nil
        }
        guard rowCount > 1, !output.isNumber else { return nil }
        return ByteStrings(
            texts.map { text in
                var member = output.key
                JSONText.appendString(text, to: &member)
                return member
            }
        )
    }

    /// The names in the order of output: time, id, tags, fields, text.
    public static func outputOrder(_ names: [String]) -> [String] {
        func rank(_ name: String) -> Int {
            switch name {
            case "@timestamp": 0
            case "@id": 1
            case "@rawstring": 4
            default: name.hasPrefix("#") ? 2 : 3
            }
        }
        return names.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
            .map(\.element)
    }

    /// Appends a row as one object, without a newline.
    public func appendJSON(row: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for output in self.outputs where output.column.isPresent(at: row) {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes.append(contentsOf: output.key)
            output.column.withBytes(at: row) { value in
                if output.isNumber && NumberText.isJSONInteger(value) {
                    bytes.append(contentsOf: value)
                } else {
                    JSONText.appendString(value, to: &bytes)
                }
            }
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Appends the text of the event, or its fields when it has none; without a newline.
    public func appendText(row: Int, to bytes: inout [UInt8]) {
        if let text = self.outputs.last, text.name == "@rawstring", text.column.isPresent(at: row) {
            text.column.withBytes(at: row) { bytes.append(contentsOf: $0) }
            return
        }
        let fields = self.fields(row: row)
        if let text = fields.first(where: { $0.name == "@rawstring" }) {
            bytes += text.value.utf8
        } else {
            bytes += fields.map { "\($0.name)->\($0.value)" }.joined(separator: ", ").utf8
        }
    }

    /// The fields of a row in output order, as text.
    public func fields(row: Int) -> [(name: String, value: String)] {
        self.outputs.filter { $0.column.isPresent(at: row) }.map { output in
            (output.name, output.column.withBytes(at: row) { String(decoding: $0, as: UTF8.self) })
        }
    }
}

extension RowRenderer {
    /// Writes a row as one object with a newline into `target` from `start` on.
    ///
    /// - Returns: Where it ends, or `nil` when it may not fit, whatever was written.
    func writeJSONLine(row: Int, into target: UnsafeMutableRawBufferPointer, from start: Int) -> Int? {
        // Room for the brace or comma before and the brace and newline after.
        var end = start
        var twin = 0..<0
        for index in self.outputs.indices where self.outputs[index].presence?[row] ?? true {
            guard end + 4 <= target.count else { return nil }
            target[end] = end == start ? UInt8(ascii: "{") : UInt8(ascii: ",")
            end += 1
            if index == self.outputs.count - 1, !twin.isEmpty {
                guard let next = self.outputs[index].copyMember(twin, in: target, from: end) else { return nil }
                end = next
                continue
            }
            guard let next = self.outputs[index].writeMember(row, into: target, from: end) else { return nil }
            if index == self.twinOfLast { twin = end + self.outputs[index].key.count..<next }
            end = next
        }
        guard end + 3 <= target.count else { return nil }
        if end == start {
            target[end] = UInt8(ascii: "{")
            end += 1
        }
        target[end] = UInt8(ascii: "}")
        target[end + 1] = 0x0A
        return end + 2
    }
}

extension RowRenderer.Output {
    /// Writes key and value of a row; see `writeJSONLine`.
    fileprivate func writeMember(_ row: Int, into target: UnsafeMutableRawBufferPointer, from start: Int) -> Int? {
        if let members = self.members {
            if case .dictionary(let column) = self.column {
                return Self.copy(members[Int(column.codes[row])], into: target, from: start)
            }
            return Self.copy(members[0], into: target, from: start)
        }
        guard let end = self.key.withUnsafeBytes({ Self.copy($0, into: target, from: start) }) else { return nil }
        return self.column.withBytes(at: row) { value in
            if self.isNumber && NumberText.isJSONInteger(value) { return Self.copy(value, into: target, from: end) }
            return JSONWriter.write(string: value, into: target, from: end)
        }
    }

    /// Writes the key, and copies a value that stands in `target` already.
    fileprivate func copyMember(
        _ value: Range<Int>,
        in target: UnsafeMutableRawBufferPointer,
        from start: Int
    ) -> Int? {
        guard let end = self.key.withUnsafeBytes({ Self.copy($0, into: target, from: start) }) else { return nil }
        return Self.copy(UnsafeRawBufferPointer(rebasing: target[value]), into: target, from: end)
    }

    @inline(__always)
    private static func copy(
        _ bytes: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer,
        from start: Int
    ) -> Int? {
        guard start + bytes.count <= target.count else { return nil }
        if let source = bytes.baseAddress, let base = target.baseAddress {
            (base + start).copyMemory(from: source, byteCount: bytes.count)
        }
        return start + bytes.count
    }
}

extension Column {
    /// Whether both are long texts that lie in the same place; other columns may be equal all the same.
    fileprivate func isSameMemory(as other: Column) -> Bool {
        switch (self, other) {
        case (.plain(let own), .plain(let theirs)): own.values.isSameMemory(as: theirs.values)
        case (.template(let own), .template(let theirs)): own.texts === theirs.texts
        default: false
        }
    }
}

extension RowSlice {
    /// Bytes of a piece of written rows; larger rows are pieces of their own.
    private static let pieceByteCount = 2 << 20

    /// The first rows as JSON, a line each, and how many they are; at least one, unless there is none.
    public func jsonLines() -> (piece: [UInt8], rowCount: Int) {
        var rowCount = 0
        var piece = [UInt8](unsafeUninitializedCapacity: self.estimatedByteCount) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            rowCount = self.forEach { renderer, row in
                guard let end = renderer.writeJSONLine(row: row, into: target, from: count) else { return false }
                count = end
                return true
            }
        }
        if rowCount == 0 {
            // Slow path: a row that is larger than a piece.
            rowCount = self.keeping(1).forEach { renderer, row in
                renderer.appendJSON(row: row, to: &piece)
                piece.append(0x0A)
                return true
            }
        }
        return (piece, rowCount)
    }

    /// The first rows as text, a line each, and how many they are; at least one, unless there is none.
    public func textLines() -> (piece: [UInt8], rowCount: Int) {
        var piece: [UInt8] = []
        let rowCount = self.forEach { renderer, row in
            guard piece.count < Self.pieceByteCount else { return false }
            renderer.appendText(row: row, to: &piece)
            piece.append(0x0A)
            return true
        }
        return (piece, rowCount)
    }

    /// Few rows need no large piece: memory that is touched for the first time costs as much as writing it.
    private var estimatedByteCount: Int { min(Self.pieceByteCount, max(1, self.count) * 16_384) }
}
