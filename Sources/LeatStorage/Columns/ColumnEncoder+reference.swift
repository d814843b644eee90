internal import LeatCore

/// Values that are in another column as well.
extension ColumnEncoder {
    /// Values that another column of the same rows has as well, perhaps behind a constant beginning of up to two bytes.
    static func appendReference(
        _ values: ByteStrings,
        to page: inout PageWriter,
        _ context: EncodingContext
    ) -> Bool {
        for candidate in context.candidates {
            guard let dropped = Self.dropped(values, candidate, context) else { continue }
            page.structure.append(byte: ColumnKind.reference.rawValue)
            page.structure.append(counted: candidate.name)
            page.structure.append(varint: dropped)
            return true
        }
        return false
    }

    /// How many bytes of a candidate's values stand before ours; `nil` when it has other values.
    private static func dropped(
        _ values: ByteStrings,
        _ candidate: EncodingContext.Candidate,
        _ context: EncodingContext
    ) -> Int? {
        let first = candidate.texts[context.row(of: 0)].count - values[0].count
        guard (0...2).contains(first) else { return nil }
        for index in 0..<values.count {
            let row = context.row(of: index)
            let value = values[index]
            let other = candidate.texts[row]
            guard other.count == value.count + first, candidate.presence?[row] ?? true,
                ByteHash.equal(UnsafeRawBufferPointer(rebasing: other[first...]), value)
            else { return nil }
        }
        return first
    }
}
