/// The names that people give to parsers, lookup files, saved queries and tokens.
///
/// They are keys of the catalog and never paths, but they come back in scripts, shells, file names and terminals: a name
/// that could leave a folder there, end a line or hide what it is must not get in. Names that are there already stay usable.
enum GivenName {
    /// Signs that a name may have beside letters and digits; a slash stands between parts.
    private static let signs: Set<Unicode.Scalar> = [" ", ".", "_", "-", "+", ":", "@", "#", "&", "(", ")", ",", "/"]

    /// Refuses a name for something new, such as a "parser".
    ///
    /// - Throws: 400 that says which names are possible.
    static func check(_ name: String, of thing: String) throws(RequestFault) {
        guard let fault = Self.fault(name) else { return }
        throw .text(
            400,
            "bad_name",
            "this name of a \(thing) \(fault); a name has 1 to \(ServerLimits.givenNameByteCountMax) bytes: letters, "
                + "digits, spaces and . _ - + : @ # & ( ) , with / between parts that are neither empty, '.' nor '..'"
        )
    }

    /// What is wrong with a name; `nil` when it is usable.
    private static func fault(_ name: String) -> String? {
        if name.isEmpty { return "is empty" }
        let byteCount = name.utf8.count
        if byteCount > ServerLimits.givenNameByteCountMax { return "has \(byteCount) bytes" }
        if let scalar = name.unicodeScalars.first(where: { !Self.isUsable($0) }) {
            let code = String(scalar.value, radix: 16, uppercase: true)
            return "has the character U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code)"
        }
        if name.first == " " || name.last == " " { return "begins or ends with a space" }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        if let part = parts.first(where: { ["", ".", ".."].contains($0) }) { return "has the part '\(part)'" }
        return nil
    }

    private static func isUsable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .decimalNumber:
            true
        default: Self.signs.contains(scalar)
        }
    }
}
