extension Needle {
    /// Whether the needle may lie across names and values of a document's compact JSON: it has a byte of JSON's own.
    ///
    /// Other needles are answered from names (the templates in `JSONShape.columnName`) and values.
    public var hasJSONPunctuation: Bool { self.bytes.contains { Self.isPunctuation($0) } }

    /// The parts of the needle that, if a document's compact JSON contains the needle, each lie within one name or value.
    ///
    /// So a block of documents without stored text that lacks a part in all its columns, templates included, has no
    /// match. Empty when nothing is known.
    public var partsWithinDocuments: [Needle] {
        var parts: [[UInt8]] = [[]]
        var skipped = 0
        for byte in self.bytes {
            if byte == UInt8(ascii: "\\") {
                // What follows names a byte, with a letter or with `u` and four digits. Whether this backslash is itself
                // named by one before the needle is not known, so that every one counts.
                parts.append([])
                skipped = 5
            } else if skipped > 0 {
                skipped -= 1
            } else if Self.isPunctuation(byte) {
                parts.append([])
            } else {
                parts[parts.count - 1].append(byte)
            }
        }
        // A needle in the notation of JSON may begin inside of such a name.
        if parts.count > 1 { parts[0].removeFirst(min(5, parts[0].count)) }
        return parts.filter { !Self.mayBeTime($0) }.map { Needle($0, foldsCase: self.foldsCase) }
    }

    /// Whether a part, perhaps empty, may lie in the time of the event, which is in no column.
    private static func mayBeTime(_ part: [UInt8]) -> Bool {
        part.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "T"),
                UInt8(ascii: "t"), UInt8(ascii: "Z"), UInt8(ascii: "z"):
                true
            default: false
            }
        }
    }

    private static func isPunctuation(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: ":"), UInt8(ascii: ","):
            true
        default: false
        }
    }
}
