internal import LeatCore

/// A dictionary whose codes follow from those of another column: the namespace of a pod, for example.
///
/// Only the map from code to code is kept, not a code per row.
enum MappedEncoding {
    /// A column that others may follow.
    struct Source {
        var name: String
        var distinctCount: Int
        var codes: [UInt16]
    }

    /// Per code of the source the code here; `nil` when one of them does not follow from the other.
    static func map(_ codes: [UInt16], from source: Source) -> [Int64]? {
        guard codes.count == source.codes.count else { return nil }
        var map = [Int64](repeating: -1, count: source.distinctCount)
        for (code, other) in zip(codes, source.codes) {
            if map[Int(other)] < 0 { map[Int(other)] = Int64(code) }
            if map[Int(other)] != Int64(code) { return nil }
        }
        return map.map { max(0, $0) }
    }

    static func append(_ texts: ByteStrings, _ map: [Int64], from source: Source, to page: inout PageWriter) {
        page.structure.append(byte: ColumnKind.mapped.rawValue)
        page.structure.append(counted: source.name)
        page.structure.append(varint: texts.count)
        ColumnEncoder.append(strings: texts, to: &page)
        page.structure.append(varint: map.count)
        IntegerPacking.append(map, to: &page)
    }

    static func read(count: Int, from page: inout PageReader, _ context: DecodingContext) throws(FormatError) -> Column
    {
        let name = try page.structure.readText()
        let distinctCount = try page.structure.readCount(limit: Batch.rowCountMax)
        guard distinctCount > 0 else { throw page.structure.fail("empty dictionary") }
        let texts = try ColumnDecoder.strings(count: distinctCount, from: &page)
        let mapCount = try page.structure.readCount(limit: Batch.rowCountMax)
        let map = try ColumnDecoder.codes(count: mapCount, distinctCount: distinctCount, from: &page)
        guard case .dictionary(let source)? = try context.column?(name), source.codes.count == count else {
            throw page.structure.fail("follows column '\(name)', which is not a dictionary of its rows")
        }
        let others = source.codes
        if let most = others.max(), Int(most) >= map.count {
            throw page.structure.fail("code \(most) of \(map.count)")
        }
        let codes = [UInt16](unsafeUninitializedCapacity: count) { codes, written in
            map.withUnsafeBufferPointer { map in
                for row in others.indices { codes[row] = map[Int(others[row])] }
            }
            written = count
        }
        return .dictionary(DictionaryColumn(values: texts, codes: codes))
    }
}
