internal import LeatCore

/// Texts of one form, such as identifiers and times, as numbers and bytes.
extension ColumnEncoder {
    /// Appends texts that all have one of the typed forms; `nil` when they have not.
    static func appendTyped(
        _ values: ByteStrings,
        to page: inout PageWriter,
        _ context: EncodingContext
    ) -> ColumnKind? {
        if let (digitCount, bytes) = TypedText.hexadecimal(values) {
            page.structure.append(byte: ColumnKind.hexadecimal.rawValue)
            page.structure.append(varint: digitCount)
            page.raw.bytes.append(contentsOf: bytes)
            return .hexadecimal
        }
        if let bytes = TypedText.uuids(values) {
            page.structure.append(byte: ColumnKind.uuid.rawValue)
            page.raw.bytes.append(contentsOf: bytes)
            return .uuid
        }
        if let numbers = TypedText.addresses(values) {
            page.structure.append(byte: ColumnKind.address.rawValue)
            IntegerPacking.append(numbers, to: &page)
            return .address
        }
        if let (scale, numbers) = TypedText.decimals(values) {
            page.structure.append(byte: ColumnKind.decimal.rawValue)
            page.structure.append(varint: scale)
            IntegerPacking.append(numbers, to: &page)
            return .decimal
        }
        if let (digitCount, numbers) = TypedText.paddedIntegers(values) {
            page.structure.append(byte: ColumnKind.padded.rawValue)
            page.structure.append(varint: digitCount)
            IntegerPacking.append(numbers, to: &page)
            return .padded
        }
        if Self.appendTimes(values, to: &page, context) { return .time }
        return Self.appendPrefixed(values, to: &page, context) ? .prefix : nil
    }

    private static func appendTimes(
        _ values: ByteStrings,
        to page: inout PageWriter,
        _ context: EncodingContext
    ) -> Bool {
        guard let form = TimeText(of: values[0]) else { return false }
        var distances: [Int64] = []
        distances.reserveCapacity(values.count)
        for index in 0..<values.count {
            guard let value = form.value(of: values[index]) else { return false }
            distances.append(value &- TimeText.floor(context.times[context.row(of: index)], form.unit))
        }
        page.structure.append(byte: ColumnKind.time.rawValue)
        page.structure.append(byte: form.layout.rawValue)
        page.structure.append(byte: form.separator)
        page.structure.append(byte: UInt8(form.fractionDigitCount))
        page.structure.append(counted: form.suffix)
        IntegerPacking.append(distances, to: &page)
        return true
    }

    /// Values with a common beginning and a typed rest, such as `req-3467c212`.
    private static func appendPrefixed(
        _ values: ByteStrings,
        to page: inout PageWriter,
        _ context: EncodingContext
    ) -> Bool {
        var length = Self.commonPrefixLength(values)
        let first = values[0]
        while length > 0, first[length - 1] &- UInt8(ascii: "0") <= 9 { length -= 1 }
        guard length > 0 else { return false }
        let starts = values.offsets.dropLast().map { $0 + UInt32(length) }
        let rest = values.gathered(starts: starts, ends: Array(values.offsets.dropFirst()))
        var trial = PageWriter()
        if let numbers = Self.integers(rest) {
            trial.structure.append(byte: ColumnKind.integer.rawValue)
            IntegerPacking.append(numbers, to: &trial)
        } else if Self.appendTyped(rest, to: &trial, context) == nil {
            return false
        }
        page.structure.append(byte: ColumnKind.prefix.rawValue)
        page.structure.append(varint: length)
        page.text.append(UnsafeRawBufferPointer(rebasing: first[..<length]))
        page.append(trial)
        return true
    }

    private static func commonPrefixLength(_ values: ByteStrings) -> Int {
        let first = values[0]
        var length = first.count
        for index in 1..<values.count {
            let value = values[index]
            length = min(length, value.count)
            var equal = 0
            while equal < length, value[equal] == first[equal] { equal += 1 }
            length = equal
            if length == 0 { return 0 }
        }
        return length
    }
}
