/// Which Unicode scalars may stand in words.
///
/// The rules P1–P11 of the language are named in `Scanner`.
enum ScalarClass {
    /// Whether a field name may hold the scalar without quotes.
    static func isField(_ scalar: Unicode.Scalar) -> Bool {
        let value = scalar.value
        if value < 128 { return Self.fieldTable[Int(value)] }
        if value < 0xA1 { return false }
        switch value {
        // « ¬ soft-hyphen » are reserved; zero-width and no-break marks are white space.
        case 0xAB, 0xAC, 0xAD, 0xBB, 0x200B, 0x2028, 0x2029, 0xFEFF: return false
        default: return true
        }
    }

    /// Whether a word of a filter may hold the scalar without quotes; `/` is decided by the scanner.
    static func isPattern(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "*", "+", "-", ":", "~", "¬": true
        default: Self.isField(scalar)
        }
    }

    /// White space between words, with the invisible marks that queries copied from pages contain.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20, 0x09, 0x0A, 0x0D, 0x0C, 0xA0, 0x200B, 0x2028, 0x2029, 0xFEFF: true
        default: false
        }
    }

    static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar >= "0" && scalar <= "9" }

    static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        (scalar >= "a" && scalar <= "z") || (scalar >= "A" && scalar <= "Z")
    }

    private static let fieldTable: [Bool] = {
        var table = [Bool](repeating: false, count: 128)
        for scalar in "_@#.%&\\^".unicodeScalars { table[Int(scalar.value)] = true }
        for value in 0..<128 {
            if let scalar = Unicode.Scalar(UInt32(value)), Self.isLetter(scalar) || Self.isDigit(scalar) {
                table[value] = true
            }
        }
        return table
    }()
}
