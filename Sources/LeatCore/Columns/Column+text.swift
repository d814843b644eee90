internal import CLeatKernels

extension Column {
    /// Bytes that suffice for the text of a row.
    @inline(__always)
    public func room(at row: Int) -> Int {
        switch self {
        case .constant(let column): column.value.count
        case .dictionary(let column): column.values[Int(column.codeList[row])].count
        case .integer, .number: NumberForm.byteCountMax
        case .plain(let column): column.values[row].count
        case .identifier(let column): column.textByteCount
        case .prefixed(let column): column.prefix.count + column.rest.room(at: row)
        case .reference(let column): column.target.room(at: column.row(row))
        case .template(let column): column.texts.room(at: row)
        }
    }

    /// Bytes that every text has at least, as far as that is known without a look at all.
    public var textByteCountMin: Int {
        switch self {
        case .constant(let column): column.value.count
        case .dictionary(let column): column.values.shortest
        case .integer, .number: 1
        case .plain(let column): column.values.shortest
        case .identifier(let column): column.textByteCount
        case .prefixed(let column): column.prefix.count + column.rest.textByteCountMin
        case .reference(let column): max(0, column.target.textByteCountMin - column.droppedByteCount)
        case .template: 0
        }
    }

    /// Bytes that suffice for the text of any row.
    public var textByteCountMax: Int {
        switch self {
        case .constant(let column): column.value.count
        case .dictionary(let column): column.values.longest
        case .integer, .number: NumberForm.byteCountMax
        case .plain(let column): column.values.longest
        case .identifier(let column): column.textByteCount
        case .prefixed(let column): column.prefix.count + column.rest.textByteCountMax
        case .reference(let column): column.target.textByteCountMax
        case .template(let column): column.texts.textByteCountMax
        }
    }

    /// Writes the text of a row that has the field and returns its length, at most `room(at:)`.
    public func write(_ row: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
        switch self {
        case .constant(let column): return Self.copy(column.value.unsafeBytes, to: target)
        case .dictionary(let column): return Self.copy(column.values[Int(column.codeList[row])], to: target)
        case .integer(let column): return DecimalDigits.write(column.values[row], to: target)
        case .plain(let column): return Self.copy(column.values[row], to: target)
        case .number(let column): return column.form.write(column.numbers[row], to: target)
        case .identifier(let column):
            column.write(row, to: target)
            return column.textByteCount
        case .prefixed(let column):
            let count = Self.copy(column.prefix.unsafeBytes, to: target)
            return count + column.rest.write(row, to: target + count)
        case .reference(let column):
            let count = column.target.write(column.row(row), to: target)
            let dropped = min(column.droppedByteCount, count)
            if dropped > 0 { target.update(from: target + dropped, count: count - dropped) }
            return count - dropped
        case .template(let column): return column.texts.write(row, to: target)
        }
    }

    @inline(__always)
    private static func copy(_ source: UnsafeRawBufferPointer, to target: UnsafeMutablePointer<UInt8>) -> Int {
        if let start = source.baseAddress { leat_copy_bytes(target, start, source.count) }
        return source.count
    }

    /// Calls `body` with the text of a row that has the field; the bytes are valid during the call.
    public func withText<Result, Failure: Error>(
        at row: Int,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        switch self {
        case .constant(let column): return try column.value.withUnsafeBytes(body)
        case .dictionary(let column): return try body(column.values[Int(column.codeList[row])])
        case .plain(let column): return try body(column.values[row])
        case .integer, .number, .identifier, .prefixed, .reference, .template:
            let scratch = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, self.room(at: row)))
            defer { scratch.deallocate() }
            let count = self.write(row, to: scratch)
            return try body(UnsafeRawBufferPointer(start: scratch, count: count))
        }
    }

    /// The same values as plain texts.
    public func decoded() -> Column {
        if case .plain = self { return self }
        return .plain(PlainColumn(values: self.strings, presence: self.presence))
    }

    /// One text per row, some text where the field is absent; the simple form of every encoding.
    public var strings: ByteStrings {
        switch self {
        case .plain(let column): return column.values
        case .template(let column): return column.texts.strings
        default: return self.strings(of: (0..<Int32(self.rowCount)).map { $0 })
        }
    }

    /// The texts of some rows, in that order; empty where the field is absent.
    public func strings(of rows: [Int32]) -> ByteStrings {
        let presence = self.presence
        let writer = TextWriter(self)
        var result = TextGatherer(textCapacity: rows.count)
        writer.forEach(rows) { row in
            guard presence?[row] ?? true else { return result.endText(byteCount: 0) }
            let target = result.reserve(writer.room(at: row))
            result.endText(byteCount: writer.write(row, to: target))
        }
        return result.finish()
    }

    /// Appends the text of a row; `false`, with nothing appended, when the row has none.
    public func appendValue(at row: Int, to bytes: inout [UInt8]) -> Bool {
        guard self.isPresent(at: row) else { return false }
        self.withText(at: row) { bytes.append(contentsOf: $0) }
        return true
    }

    /// Bytes that the texts of all rows take, or more.
    public var textByteCountBound: Int {
        switch self {
        case .plain(let column): return column.values.bytes.count
        case .prefixed(let column):
            return column.prefix.count * column.rest.rowCount + column.rest.textByteCountBound
        case .template(let column):
            var uses = [Int](repeating: 0, count: column.texts.templates.count + 1)
            for code in column.texts.codes where code != TemplateTexts.absent { uses[Int(code)] += 1 }
            var total = column.texts.whole.bytes.count
            for (index, template) in column.texts.templates.enumerated() {
                let parts = column.texts.parts.offsets
                let fixed = parts[template.firstPart + template.slotCount + 1] - parts[template.firstPart]
                total += Int(fixed) * uses[index + 1]
            }
            return column.texts.columns.reduce(total) { $0 + $1.textByteCountBound }
        case .dictionary(let column):
            // A look at each row is only needed where the longest text in every row would be much.
            let longest = column.values.longest * column.codeList.count
            if longest <= 1 << 24 { return longest }
            var total = 0
            for code in column.codes { total += column.values[Int(code)].count }
            return total
        case .constant, .integer, .number, .identifier: return self.textByteCountMax * self.rowCount
        case .reference(let column):
            if let bound = column.byRowByteCountBound { return bound }
            guard let rows = column.rows else { return column.target.textByteCountBound }
            return column.target.textByteCountBound(of: rows)
        }
    }

    /// Bytes that the texts of some rows take, or more.
    public func textByteCountBound(of rows: [Int32]) -> Int {
        let longest = self.textByteCountMax * rows.count
        if longest <= 1 << 24 { return longest }
        return rows.reduce(0) { $0 + self.room(at: Int($1)) }
    }

    /// Bytes of memory that the arrays of the column take; areas of bytes that it only points into are not counted.
    public var byteCount: Int {
        let own: Int
        switch self {
        case .constant: own = 0
        // Eight bytes a text for how often it occurs, once somebody asks.
        case .dictionary(let column):
            own = column.codeList.byteCount + column.values.byteCount + column.values.count * 8
        case .integer(let column): own = column.values.count * 8
        case .plain(let column): own = column.values.byteCount
        case .number(let column): own = column.numbers.byteCount
        case .identifier(let column): own = column.byteCount
        case .prefixed(let column): own = column.rest.byteCount
        // The target is a column of the block by itself.
        case .reference(let column): own = (column.rows?.count ?? 0) * 4
        case .template(let column): own = column.texts.byteCount
        }
        return own + (self.presence?.words.count ?? 0) * 8
    }
}

extension ByteStrings {
    /// The length of the longest string.
    public var longest: Int {
        var most: UInt32 = 0
        for index in 0..<self.count { most = max(most, self.offsets[index + 1] - self.offsets[index]) }
        return Int(most)
    }

    /// The length of the shortest string.
    var shortest: Int {
        var least = UInt32.max
        for index in 0..<self.count { least = min(least, self.offsets[index + 1] - self.offsets[index]) }
        return self.count == 0 ? 0 : Int(least)
    }

    /// Bytes of memory besides the area.
    var byteCount: Int { self.offsets.count * 4 }
}
