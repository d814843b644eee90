/// An encoding, other than UTF-8, in which followed files are written.
enum TextEncoding: Hashable, Sendable {
    enum ByteOrder: Hashable, Sendable { case little, big }

    case utf16(ByteOrder)
    /// UTF-16 or UTF-8, as the beginning of each file tells; see `FileEncoding.detect`.
    case detected
    /// One byte per character; the name is iconv's.
    case singleByte(String)
    /// One to four bytes per character, of which only the first can be 0x0A; the name is iconv's.
    case multiByte(String)

    /// Names of one encoding, the one that messages offer first.
    struct Entry: Sendable {
        let names: [String]
        let encoding: TextEncoding
    }

    /// What `unicode.encoding` may say.
    static let unicode = [
        Entry(names: ["UTF-16LE", "UTF16-LE"], encoding: .utf16(.little)),
        Entry(names: ["UTF-16BE", "UTF16-BE"], encoding: .utf16(.big)),
        Entry(names: ["auto"], encoding: .detected),
    ]

    /// What `generic.encoding` may say: Fluent Bit's names, and those of the code pages that they stand for.
    static let generic =
        [
            Entry(
                names: ["ShiftJIS", "Shift_JIS", "SJIS", "CP932", "MS932", "Windows-31J"],
                encoding: .multiByte("CP932")
            ),
            Entry(names: ["UHC", "CP949", "MS949", "Windows-949"], encoding: .multiByte("CP949")),
            Entry(names: ["GBK", "CP936", "MS936", "Windows-936"], encoding: .multiByte("GBK")),
            Entry(names: ["GB18030"], encoding: .multiByte("GB18030")),
            Entry(names: ["Big5", "CP950", "MS950", "Windows-950"], encoding: .multiByte("BIG5")),
            Entry(names: ["Win866", "CP866", "IBM866"], encoding: .singleByte("CP866")),
            Entry(names: ["Win874", "CP874", "Windows-874"], encoding: .singleByte("CP874")),
        ]
        + (1250...1258).map { page in
            Entry(names: ["Win\(page)", "CP\(page)", "Windows-\(page)"], encoding: .singleByte("CP\(page)"))
        }

    /// The encoding of a name in any case.
    static func named(_ name: String, among entries: [Entry]) -> TextEncoding? {
        let wanted = name.lowercased()
        return entries.first { $0.names.contains { $0.lowercased() == wanted } }?.encoding
    }
}
