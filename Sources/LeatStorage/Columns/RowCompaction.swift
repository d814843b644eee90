internal import Glibc
internal import LeatCore

extension Batch {
    /// The same rows; fields of few distinct texts keep those, and a code per row.
    ///
    /// Rows are in this form from the request to the block: the journal writes less, memory holds less, and nobody looks
    /// at these texts again.
    func compacted() throws(DamagedBlock) -> Batch {
        guard self.rowCount >= SmallDictionary.rowCountMin else { return self }
        var columns: [(name: String, column: Column)] = []
        var plain: [Column] = []
        for name in self.fieldNames {
            guard let column = try self.column(name) else { continue }
            // A text and the field that it is another name of stay one column.
            if let known = plain.firstIndex(where: { $0.isSameMemory(as: column) }) {
                columns.append((name, columns[known].column))
            } else if case .plain(let texts) = column, let dictionary = SmallDictionary.column(texts) {
                columns.append((name, .dictionary(dictionary)))
            } else {
                columns.append((name, column))
            }
            plain.append(column)
        }
        return Batch(timestamps: self.timestamps, source: MemoryColumns(columns))
    }
}

/// Finds columns of few distinct texts, and gives up soon on others.
enum SmallDictionary {
    /// Fewer rows are not worth it.
    static let rowCountMin = 64
    /// The most distinct texts.
    private static let distinctCountMax = 1024
    /// From so many distinct texts on each must stand for four rows.
    private static let distinctCountFree = 256
    private static let slotCount = 4096

    static func column(_ column: PlainColumn) -> DictionaryColumn? {
        let values = column.values
        let rowCount = values.count
        var firsts: [Int] = []
        var isSmall = true
        let codes = [UInt16](unsafeUninitializedCapacity: rowCount) { codes, count in
            isSmall = withUnsafeTemporaryAllocation(of: UInt16.self, capacity: Self.slotCount) { slots in
                slots.initialize(repeating: 0)
                return values.offsets.withUnsafeBufferPointer { offsets in
                    Self.fill(codes, offsets, values.bytes.unsafeBytes, column.presence, slots, &firsts)
                }
            }
            count = isSmall ? rowCount : 0
        }
        withExtendedLifetime(values) {}
        guard isSmall, !firsts.isEmpty, firsts.count * 2 <= rowCount else { return nil }
        return DictionaryColumn(values: values.gathered(firsts), codes: codes, presence: column.presence)
    }

    /// Sets the codes; `false` when there are too many distinct texts.
    private static func fill(
        _ codes: UnsafeMutableBufferPointer<UInt16>,
        _ offsets: UnsafeBufferPointer<UInt32>,
        _ bytes: UnsafeRawBufferPointer,
        _ presence: Bitmap?,
        _ slots: UnsafeMutableBufferPointer<UInt16>,
        _ firsts: inout [Int]
    ) -> Bool {
        for row in 0..<offsets.count - 1 {
            if let presence, !presence[row] {
                codes[row] = 0
                continue
            }
            let text = UnsafeRawBufferPointer(rebasing: bytes[Int(offsets[row])..<Int(offsets[row + 1])])
            var slot = Int(truncatingIfNeeded: ByteHash.hash(text) >> 32) & (Self.slotCount - 1)
            while true {
                // Codes from 1; 0 for a slot that is free.
                let code = Int(slots[slot])
                if code == 0 {
                    guard firsts.count < Self.distinctCountMax,
                        firsts.count < Self.distinctCountFree || firsts.count * 4 <= row
                    else { return false }
                    firsts.append(row)
                    slots[slot] = UInt16(firsts.count)
                    codes[row] = UInt16(firsts.count - 1)
                    break
                }
                let first = firsts[code - 1]
                let known = UnsafeRawBufferPointer(rebasing: bytes[Int(offsets[first])..<Int(offsets[first + 1])])
                if ByteHash.isEqual(known, text) {
                    codes[row] = UInt16(code - 1)
                    break
                }
                slot = (slot + 1) & (Self.slotCount - 1)
            }
        }
        return true
    }
}
