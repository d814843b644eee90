internal import LeatCore

/// Refuses blocks that surely hold no wanted row, from their summaries alone.
enum PrefilterCheck {
    static func mayMatch(_ prefilter: Prefilter, _ block: StoredBlock) throws(DamagedBlock) -> Bool {
        switch prefilter {
        case .all: return true
        case .none: return false
        case .and(let parts):
            for part in parts {
                let may = try Self.mayMatch(part, block)
                if !may { return false }
            }
            return true
        case .or(let parts):
            for part in parts {
                let may = try Self.mayMatch(part, block)
                if may { return true }
            }
            return false
        case .anyField(let needle): return try Self.mayHold(needle, block)
        case .present(let field): return Self.values(of: field, block) != .absent
        case .equals(let field, let text):
            let values = Self.values(of: field, block)
            let may = Self.may(values) {
                $0 == text
            } within: { bounds in
                text.withUnsafeBytes { DecimalText.value($0) }.map(bounds.contains) ?? false
            }
            guard may, values == .unknown, Self.isFiltered(field, block) else { return may }
            guard Self.hasRoom(for: text.count, field, block) else { return false }
            if field == DocumentColumns.textName, !text.isEmpty { return try Self.mayHold(Needle(text), block) }
            return try block.mayHold(NeedleKeys(text, isWhole: true))
        case .contains(let field, let needle):
            let values = Self.values(of: field, block)
            let may = Self.may(values) {
                Self.contains($0, needle)
            } within: { _ in
                needle.bytes.allSatisfy {
                    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
                }
            }
            guard may, values == .unknown, Self.isFiltered(field, block) else { return may }
            guard Self.hasRoom(for: needle.bytes.count, field, block) else { return false }
            return try Self.mayHold(needle, block)
        case .numeric(let field, let wanted):
            return Self.may(Self.values(of: field, block)) { _ in
                true
            } within: { bounds in
                Double(bounds.lowerBound) <= wanted.upperBound && Double(bounds.upperBound) >= wanted.lowerBound
            }
        }
    }

    /// Whether the search filter lets a needle through.
    ///
    /// The text of a document that is made from its fields is not in the filter: a needle that may lie across fields is
    /// looked for by its parts, which each lie within one name or value.
    private static func mayHold(_ needle: Needle, _ block: StoredBlock) throws(DamagedBlock) -> Bool {
        guard needle.hasJSONPunctuation, block.page(named: JSONShape.columnName) != nil else {
            return try block.mayHold(NeedleKeys(needle.bytes, isWhole: false))
        }
        for part in needle.partsWithinDocuments {
            let may = try block.mayHold(NeedleKeys(part.bytes, isWhole: false))
            if !may { return false }
        }
        return true
    }

    /// Whether the search filter knows the values of a field.
    private static func isFiltered(_ field: String, _ block: StoredBlock) -> Bool {
        !StoredFields.isOwn(field) && field != StoredFields.time && block.page(named: field) != nil
    }

    /// Whether some text of a field may have so many bytes; that of a document is longer than what is stored of it.
    private static func hasRoom(for byteCount: Int, _ field: String, _ block: StoredBlock) -> Bool {
        guard field != DocumentColumns.textName, let page = block.page(named: field) else { return true }
        return page.summary.longestByteCount.map { $0 >= byteCount } ?? true
    }

    /// What a summary says of a field.
    private enum Values: Equatable {
        case absent
        case constant([UInt8])
        case integers(ClosedRange<Int64>)
        case unknown
    }

    private static func values(of field: String, _ block: StoredBlock) -> Values {
        if let value = block.impliedValue(of: field) { return .constant(Array(value.utf8)) }
        // Documents without a stored text have one all the same, made from their fields.
        if field == DocumentColumns.textName, block.page(named: JSONShape.columnName) != nil { return .unknown }
        // Other names with `@` may be derived from stored ones.
        guard let page = block.page(named: field), field != StoredFields.time else {
            return field.utf8.first == UInt8(ascii: "@") ? .unknown : .absent
        }
        if let constant = page.summary.constant { return .constant(constant) }
        return page.summary.bounds.map { .integers($0) } ?? .unknown
    }

    private static func may(
        _ values: Values,
        constant: ([UInt8]) -> Bool,
        within: (ClosedRange<Int64>) -> Bool
    ) -> Bool {
        switch values {
        case .absent: false
        case .constant(let value): constant(value)
        case .integers(let bounds): within(bounds)
        case .unknown: true
        }
    }

    private static func contains(_ value: [UInt8], _ needle: Needle) -> Bool {
        guard value.count >= needle.bytes.count else { return false }
        for start in 0...(value.count - needle.bytes.count) {
            let isEqual = needle.bytes.indices.allSatisfy { index in
                let byte = value[start + index]
                return needle.bytes[index] == (needle.foldsCase ? Self.lowercase(byte) : byte)
            }
            if isEqual { return true }
        }
        return false
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
