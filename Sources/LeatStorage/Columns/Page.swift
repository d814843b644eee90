internal import LeatCore

/// A column page under construction.
///
/// Whatever the encoding and however deep it nests, its bytes go to four areas, so that all strings of a page lie
/// together and can be searched in one pass, and each kind of bytes is compressed by itself.
struct PageWriter {
    /// The tree of encodings: kinds, counts, widths.
    var structure = ByteWriter()
    /// String bytes.
    var text = ByteWriter()
    /// Numbers packed to the bit.
    var packed = ByteWriter()
    /// Bytes that do not compress, such as identifiers.
    var raw = ByteWriter()

    /// The page as stored: per area its codec, its length and its stored length, then the areas.
    func finish() -> [UInt8] {
        var page = ByteWriter()
        var bodies: [[UInt8]] = []
        for (index, area) in [self.structure, self.text, self.packed, self.raw].enumerated() {
            let compressed = index == 3 ? nil : area.bytes.withUnsafeBytes { Compression.zstd($0) }
            let body = compressed ?? area.bytes
            page.append(byte: (compressed == nil ? Compression.Codec.none : .zstd).rawValue)
            page.append(varint: area.count)
            page.append(varint: body.count)
            bodies.append(body)
        }
        for body in bodies { page.bytes.append(contentsOf: body) }
        return page.bytes
    }
}

/// A column page being read: its four areas, each with its own position.
struct PageReader {
    /// The most bytes an area may expand to.
    static let areaByteCountMax = 1 << 30

    var structure: ByteReader
    var text: ByteReader
    var packed: ByteReader
    var raw: ByteReader
    /// Bytes of the areas that were expanded; the others stay where they are.
    let expandedByteCount: Int

    /// Opens a page whose checksum is right.
    init(_ page: ByteSlice) throws(FormatError) {
        var reader = ByteReader(page)
        var forms: [(codec: Compression.Codec, byteCount: Int, stored: Int)] = []
        for _ in 0..<4 {
            guard let codec = Compression.Codec(rawValue: try reader.readByte()) else {
                throw reader.fail("unknown codec")
            }
            let byteCount = try reader.readCount(limit: Self.areaByteCountMax)
            forms.append((codec, byteCount, try reader.readCount(limit: page.count)))
        }
        var areas: [ByteReader] = []
        for form in forms {
            let stored = try reader.readSlice(form.stored)
            areas.append(ByteReader(try Compression.expand(stored, form.codec, byteCount: form.byteCount)))
        }
        self.expandedByteCount = forms.reduce(0) { $0 + ($1.codec == .none ? 0 : $1.byteCount) }
        self.structure = areas[0]
        self.text = areas[1]
        self.packed = areas[2]
        self.raw = areas[3]
    }
}
