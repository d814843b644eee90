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
        for name in names {
            var parts: [(rowCount: Int, column: Column?)] = []
            for batch in batches { parts.append((batch.rowCount, try batch.column(name))) }
            columns.append((name, Column.joining(parts)))
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
                let values = column.strings(of: rows)
                columns.append((name, .plain(PlainColumn(values: values, presence: presence))))
            }
        }
        return Batch(timestamps: rows.map { self.timestamps[$0] }, source: MemoryColumns(columns))
    }
}

extension Column {
    /// Columns end to end; `nil` stands for rows without the field.
    static func joining(_ parts: [(rowCount: Int, column: Column?)]) -> Column {
        if let integers = Self.joiningIntegers(parts) { return integers }
        let strings = parts.map { $0.column?.strings }
        let storage = ByteStorage(byteCount: strings.reduce(0) { $0 + ($1?.bytes.count ?? 0) })
        var offsets: [UInt32] = [0]
        var position = 0
        for (part, values) in zip(parts, strings) {
            guard let values else {
                offsets.append(contentsOf: repeatElement(UInt32(position), count: part.rowCount))
                continue
            }
            for index in 1..<values.offsets.count { offsets.append(UInt32(position) + values.offsets[index]) }
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

    private static func joiningIntegers(_ parts: [(rowCount: Int, column: Column?)]) -> Column? {
        var values: [Int64] = []
        for part in parts {
            guard case .integer(let column)? = part.column else { return nil }
            values += column.values
        }
        return .integer(IntegerColumn(values: values, presence: Self.joiningPresence(parts)))
    }

    private static func joiningPresence(_ parts: [(rowCount: Int, column: Column?)]) -> Bitmap? {
        guard parts.contains(where: { $0.column == nil || $0.column?.presence != nil }) else { return nil }
        var presence = Bitmap(repeating: true, count: parts.reduce(0) { $0 + $1.rowCount })
        var start = 0
        for part in parts {
            for row in 0..<part.rowCount where !(part.column?.isPresent(at: row) ?? false) {
                presence.set(start + row, to: false)
            }
            start += part.rowCount
        }
        return presence
    }
}
