/// Bytes of an address or a form as `%XX` (RFC 3986, section 2.1).
enum PercentEncoding {
    /// Everything but unreserved characters as `%XX`; `keeping`: a further byte that stays as it is.
    static func encoded(_ bytes: some Sequence<UInt8>, keeping kept: UInt8? = nil) -> String {
        var result = ""
        for byte in bytes {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), kept:
                result.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return result
    }

    /// `name=value` pairs as the body of a form.
    static func form(_ pairs: [(name: String, value: String)]) -> String {
        pairs.map { "\($0.name)=\(Self.encoded($0.value.utf8))" }.joined(separator: "&")
    }

    /// The bytes of a text; what is no `%XX` stands for itself.
    static func decoded(_ text: some StringProtocol) -> [UInt8] {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count,
                let high = Self.digit(bytes[at + 1]), let low = Self.digit(bytes[at + 2])
            {
                result.append(high << 4 | low)
                at += 3
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
