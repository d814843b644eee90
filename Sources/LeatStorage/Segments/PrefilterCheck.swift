internal import LeatCore

/// Refuses blocks that surely hold no wanted row, from their summaries alone.
enum PrefilterCheck {
    static func mayMatch(_ prefilter: Prefilter, _ block: StoredBlock) -> Bool {
        switch prefilter {
        case .all, .anyField: return true
        case .none: return false
        case .and(let parts): return parts.allSatisfy { Self.mayMatch($0, block) }
        case .or(let parts): return parts.contains { Self.mayMatch($0, block) }
        case .present(let field): return Self.values(of: field, block) != .absent
        case .equals(let field, let text):
            return Self.may(Self.values(of: field, block)) { value in
                value == text
            } within: { bounds in
                text.withUnsafeBytes { DecimalText.value($0) }.map(bounds.contains) ?? false
            }
        case .contains(let field, let needle):
            return Self.may(Self.values(of: field, block)) { value in
                Self.contains(value, needle)
            } within: { _ in
                needle.bytes.allSatisfy {
                    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
                }
            }
        case .numeric(let field, let wanted):
            return Self.may(Self.values(of: field, block)) { _ in
                true
            } within: { bounds in
                Double(bounds.lowerBound) <= wanted.upperBound && Double(bounds.upperBound) >= wanted.lowerBound
            }
        }
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
