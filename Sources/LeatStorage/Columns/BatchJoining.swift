internal import LeatCore

extension Batch {
    /// The batches end to end as one, with plain columns; together they have at most `Batch.rowCountMax` rows.
    ///
    /// Fields for which `isWanted` says no are left out.
    static func joining(
        _ batches: [Batch],
        where isWanted: (String) -> Bool = { _ in true }
    ) throws(DamagedBlock) -> Batch {
        if batches.count == 1, batches[0].fieldNames.allSatisfy(isWanted) { return batches[0] }
        var timestamps: [Int64] = []
        var names: [String] = []
        var known: Set<String> = []
        for batch in batches {
            timestamps += batch.timestamps
            for name in batch.fieldNames where isWanted(name) && known.insert(name).inserted { names.append(name) }
        }
        var columns: [(name: String, column: Column)] = []
        var joined: [[Column.Part]] = []
        for name in names {
            var parts: [Column.Part] = []
            for batch in batches { parts.append(Column.Part(rowCount: batch.rowCount, column: try batch.column(name))) }
            // A field and its other names stay one column.
            let known = joined.firstIndex { Column.areSameMemory($0, parts) }
            columns.append((name, known.map { columns[$0].column } ?? Column.joining(parts)))
            joined.append(parts)
        }
        return Batch(timestamps: timestamps, source: MemoryColumns(columns))
    }
}

extension Batch {
    /// Some rows, in that order, with plain and integer columns.
    func gathered(_ rows: [Int]) throws(DamagedBlock) -> Batch {
        var columns: [(name: String, column: Column)] = []
        for name in self.fieldNames {
            guard let column = try self.column(name) else { continue }
            var presence: Bitmap?
            if column.presence != nil {
                var bits = Bitmap(repeating: false, count: rows.count)
                for (index, row) in rows.enumerated() where column.isPresent(at: row) { bits.set(index) }
                if bits.isEmpty && !rows.isEmpty { continue }
                presence = bits
            }
            if case .integer(let integers) = column {
                let values = rows.map { integers.values[$0] }
                columns.append((name, .integer(IntegerColumn(values: values, presence: presence))))
            } else {
                let values = column.strings(of: rows.map { Int32($0) })
                columns.append((name, .plain(PlainColumn(values: values, presence: presence))))
            }
        }
        return Batch(timestamps: rows.map { self.timestamps[$0] }, source: MemoryColumns(columns))
    }
}

extension Column {
    /// A column that others follow; `nil` stands for rows without the field.
    struct Part {
        let rowCount: Int
        let column: Column?
    }

    static func areSameMemory(_ left: [Part], _ right: [Part]) -> Bool {
        zip(left, right).allSatisfy { left, right in
            guard let one = left.column, let other = right.column else {
                return left.column == nil && right.column == nil
            }
            return one.isSameMemory(as: other)
        }
    }

    /// Columns end to end.
    static func joining(_ parts: [Part]) -> Column {
        Self.joiningIntegers(parts) ?? Self.joiningDictionaries(parts) ?? Self.joiningTexts(parts)
    }

    private static func joiningTexts(_ parts: [Part]) -> Column {
        let strings = parts.map { $0.column?.strings }
        let storage = ByteStorage(byteCount: strings.reduce(0) { $0 + ($1?.bytes.count ?? 0) })
        var offsets: [UInt32] = [0]
        offsets.reserveCapacity(parts.reduce(1) { $0 + $1.rowCount })
        var position = 0
        for (part, values) in zip(parts, strings) {
            guard let values else {
                offsets.append(contentsOf: repeatElement(UInt32(position), count: part.rowCount))
                continue
            }
            let start = UInt32(position)
            offsets.append(contentsOf: values.offsets.dropFirst().lazy.map { start &+ $0 })
            values.bytes.withUnsafeBytes { bytes in
                if let base = bytes.baseAddress, bytes.count > 0 {
                    storage.bytes.baseAddress?.advanced(by: position).copyMemory(from: base, byteCount: bytes.count)
                }
            }
            position += values.bytes.count
        }
        let area = ByteSlice(UnsafeRawBufferPointer(storage.bytes), owner: storage)
        let values = ByteStrings(offsets: offsets, bytes: area)
        return .plain(PlainColumn(values: values, presence: Self.joiningPresence(parts)))
    }

    private static func joiningIntegers(_ parts: [Part]) -> Column? {
        var values: [Int64] = []
        for part in parts {
            guard case .integer(let column)? = part.column else { return nil }
            values += column.values
        }
        return .integer(IntegerColumn(values: values, presence: Self.joiningPresence(parts)))
    }

    /// One dictionary of several; `nil` when there are other columns or too many texts.
    private static func joiningDictionaries(_ parts: [Part]) -> Column? {
        var texts: [ByteStrings] = []
        for part in parts {
            switch part.column {
            case .dictionary(let column)?: texts.append(column.values)
            case .constant(let column)?:
                texts.append(ByteStrings(offsets: [0, UInt32(column.value.count)], bytes: column.value))
            case nil: texts.append(ByteStrings([]))
            default: return nil
            }
        }
        guard let distinct = DistinctTexts(ByteStrings.joining(texts), limit: Batch.rowCountMax),
            distinct.texts.count > 0
        else { return nil }
        var codes: [UInt16] = []
        codes.reserveCapacity(parts.reduce(0) { $0 + $1.rowCount })
        var first = 0
        for (part, texts) in zip(parts, texts) {
            if case .dictionary(let column)? = part.column {
                distinct.codes[first..<first + texts.count].withUnsafeBufferPointer { new in
                    codes.append(contentsOf: column.codes.lazy.map { new[Int($0)] })
                }
            } else {
                let code = texts.count > 0 ? distinct.codes[first] : 0
                codes.append(contentsOf: repeatElement(code, count: part.rowCount))
            }
            first += texts.count
        }
        return .dictionary(
            DictionaryColumn(values: distinct.texts, codes: codes, presence: Self.joiningPresence(parts))
        )
    }

    private static func joiningPresence(_ parts: [Part]) -> Bitmap? {
        let presences = parts.map { $0.column?.presence }
        guard zip(parts, presences).contains(where: { $0.column == nil || $1 != nil }) else { return nil }
        let count = parts.reduce(0) { $0 + $1.rowCount }
        var words = [UInt64](repeating: 0, count: (count + 63) / 64)
        var start = 0
        for (part, presence) in zip(parts, presences) where part.rowCount > 0 {
            if part.column != nil {
                let bits = presence ?? Bitmap(repeating: true, count: part.rowCount)
                Self.add(bits, at: start, to: &words)
            }
            start += part.rowCount
        }
        return Bitmap(words: words, count: count)
    }

    /// Sets the bits of a bitmap from bit `start` on.
    private static func add(_ bits: Bitmap, at start: Int, to words: inout [UInt64]) {
        let shift = UInt64(start & 63)
        var index = start >> 6
        for word in bits.words {
            words[index] |= word << shift
            // Bits beyond the count are zero, so that there is a next word if one of these is set.
            let high = shift == 0 ? 0 : word >> (64 - shift)
            if high != 0 { words[index + 1] |= high }
            index += 1
        }
    }
}

extension ByteStrings {
    /// Lists end to end.
    fileprivate static func joining(_ lists: [ByteStrings]) -> ByteStrings {
        var offsets: [UInt32] = [0]
        var bytes: [UInt8] = []
        for list in lists {
            let start = UInt32(bytes.count)
            offsets.append(contentsOf: list.offsets.dropFirst().lazy.map { start + $0 })
            bytes.append(contentsOf: list.bytes.unsafeBytes)
        }
        return ByteStrings(offsets: offsets, bytes: ByteSlice(bytes))
    }
}
