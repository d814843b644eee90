/// Reads just enough of a pattern to know which text every match contains.
///
/// Whatever it does not understand it takes for "anything", which is always safe.
struct PatternSyntax {
    /// Needles shorter than this are not worth a look.
    static let needleByteCountMin = 2
    /// Nesting beyond which a pattern is taken for "anything".
    static let depthMax = 50

    private let scalars: [Unicode.Scalar]
    private let foldsCase: Bool
    private let isUnicode: Bool
    private var position = 0
    private var depth = 0

    /// The text that every match of `pattern` contains.
    static func requiredText(of pattern: String, foldsCase: Bool, isUnicode: Bool) -> RequiredText {
        let scalars = Array(pattern.unicodeScalars)
        guard let inline = Self.inlineFlags(scalars) else { return .anything }
        var syntax = PatternSyntax(scalars: scalars, foldsCase: foldsCase || inline.contains("i"), isUnicode: isUnicode)
        let required = syntax.alternation()
        return syntax.position == scalars.count ? required : .anything
    }

    private init(scalars: [Unicode.Scalar], foldsCase: Bool, isUnicode: Bool) {
        self.scalars = scalars
        self.foldsCase = foldsCase
        self.isUnicode = isUnicode
    }

    /// All inline flags of a pattern; `nil` when one changes what white space means, or there are verbs or conditions.
    private static func inlineFlags(_ scalars: [Unicode.Scalar]) -> Set<Unicode.Scalar>? {
        var flags: Set<Unicode.Scalar> = []
        for index in scalars.indices.dropLast() where scalars[index] == "(" {
            if scalars[index + 1] == "*" { return nil }
            guard scalars[index + 1] == "?" else { continue }
            for scalar in scalars[(index + 2)...] {
                guard scalar.properties.isAlphabetic || scalar == "-" || scalar == "^" else { break }
                flags.insert(scalar)
            }
            if index + 2 < scalars.count, "(|R&+#0123456789".unicodeScalars.contains(scalars[index + 2]) { return nil }
        }
        return flags.contains("x") ? nil : flags
    }

    private var next: Unicode.Scalar? { self.position < self.scalars.count ? self.scalars[self.position] : nil }

    /// Moves to the first scalar that fits, or to the end.
    private mutating func skip(to isWanted: (Unicode.Scalar) -> Bool) {
        while let scalar = self.next, !isWanted(scalar) { self.position += 1 }
    }

    private mutating func alternation() -> RequiredText {
        self.depth += 1
        defer { self.depth -= 1 }
        var branches = [self.sequence()]
        while self.next == "|" {
            self.position += 1
            branches.append(self.sequence())
        }
        if branches.count == 1 { return branches[0] }
        return branches.contains(.anything) ? .anything : .oneOf(branches)
    }

    /// One branch: literal runs and groups, each required; anything optional ends a run.
    private mutating func sequence() -> RequiredText {
        var required = RequiredText.anything
        var run = LiteralRun(foldsCase: self.foldsCase, isUnicode: self.isUnicode)
        while let scalar = self.next, scalar != "|", scalar != ")" {
            let part = self.atom()
            let repeats = self.quantifier()
            switch part {
            case .literal(let literal) where repeats == nil:
                run.append(literal)
            case .literal(let literal):
                if repeats ?? 0 > 0 { run.append(literal) }
                required = required.and(run.end())
            case .nothing:
                break
            case .group(let inner):
                required = required.and(run.end())
                if repeats ?? 1 > 0 { required = required.and(inner) }
            case .other:
                required = required.and(run.end())
            }
        }
        return required.and(run.end())
    }

    private enum Atom {
        case literal(Unicode.Scalar)
        case group(RequiredText)
        /// Matches without taking text: anchors, look-around, flags.
        case nothing
        case other
    }

    private mutating func atom() -> Atom {
        guard let scalar = self.next else { return .nothing }
        self.position += 1
        switch scalar {
        case "^", "$": return .nothing
        case ".": return .other
        case "[": return self.characterClass()
        case "(": return self.group()
        case "\\": return self.escape()
        default: return .literal(scalar)
        }
    }

    private mutating func escape() -> Atom {
        guard let scalar = self.next else { return .other }
        self.position += 1
        switch scalar {
        case "b", "B", "A", "z", "Z", "G": return .nothing
        case "n": return .literal("\n")
        case "t": return .literal("\t")
        case "r": return .literal("\r")
        case "x", "o", "p", "P", "N", "c", "k", "g", "E", "0"..."9":
            self.skipArgument()
            return .other
        default:
            return scalar.properties.isAlphabetic ? .other : .literal(scalar)
        }
    }

    /// What follows `\x`, `\p`, `\k` and the like.
    private mutating func skipArgument() {
        if let open = self.next, open == "{" || open == "<" || open == "'" {
            let close: Unicode.Scalar = open == "{" ? "}" : open == "<" ? ">" : "'"
            self.position += 1
            self.skip { $0 == close }
            self.position = min(self.position + 1, self.scalars.count)
        } else {
            while let scalar = self.next, scalar.properties.isASCIIHexDigit { self.position += 1 }
        }
    }

    private mutating func characterClass() -> Atom {
        var isFirst = true
        if self.next == "^" { self.position += 1 }
        while let scalar = self.next {
            self.position += 1
            if scalar == "\\" {
                self.position = min(self.position + 1, self.scalars.count)
            } else if scalar == "[", self.next == ":" {
                while let inner = self.next, inner != "]" { self.position += 1 }
                self.position = min(self.position + 1, self.scalars.count)
            } else if scalar == "]", !isFirst {
                break
            }
            isFirst = false
        }
        return .other
    }

    private mutating func group() -> Atom {
        var isPlain = true
        if self.next == "?" {
            self.position += 1
            isPlain = self.groupPrefix()
        }
        if self.depth >= Self.depthMax {
            self.position = self.scalars.count + 1
            return .other
        }
        if self.position > 0, self.position <= self.scalars.count, self.scalars[self.position - 1] == ")" {
            return .nothing
        }
        let inner = self.alternation()
        if self.next == ")" { self.position += 1 } else { self.position = self.scalars.count + 1 }
        return isPlain ? .group(inner) : .nothing
    }

    /// Skips `:`, `<name>`, `>`, flags and the signs of look-around; whether the group's text is part of the match.
    private mutating func groupPrefix() -> Bool {
        if self.next == "P" { self.position += 1 }
        switch self.next {
        case "=", "!":
            self.position += 1
            return false
        case "<":
            self.position += 1
            if self.next == "=" || self.next == "!" {
                self.position += 1
                return false
            }
            self.skip { $0 == ">" }
            self.position = min(self.position + 1, self.scalars.count)
            return true
        default:
            self.skip { $0 == ":" || $0 == ")" || $0 == ">" }
            self.position = min(self.position + 1, self.scalars.count)
            return true
        }
    }

    /// How often a quantifier asks for the atom before it, at least; `nil` when there is none.
    private mutating func quantifier() -> Int? {
        let minimum: Int
        switch self.next {
        case "*", "?": minimum = 0
        case "+": minimum = 1
        case "{":
            guard let counted = self.countedMinimum() else { return nil }
            self.skipLaziness()
            return counted
        default: return nil
        }
        self.position += 1
        self.skipLaziness()
        return minimum
    }

    private mutating func skipLaziness() {
        if let scalar = self.next, scalar == "?" || scalar == "+" { self.position += 1 }
    }

    /// `{n}`, `{n,}`, `{n,m}`; a brace that is none of these is a literal.
    private mutating func countedMinimum() -> Int? {
        var index = self.position + 1
        var digits = ""
        while index < self.scalars.count, let digit = self.scalars[index].asDigit {
            digits += String(digit)
            index += 1
        }
        guard let minimum = Int(digits) else { return nil }
        while index < self.scalars.count, self.scalars[index] == "," || self.scalars[index].asDigit != nil {
            index += 1
        }
        guard index < self.scalars.count, self.scalars[index] == "}" else { return nil }
        self.position = index + 1
        return minimum
    }
}

/// Literal characters that follow one another.
private struct LiteralRun {
    let foldsCase: Bool
    let isUnicode: Bool
    private var pieces: [[UInt8]] = [[]]

    init(foldsCase: Bool, isUnicode: Bool) {
        self.foldsCase = foldsCase
        self.isUnicode = isUnicode
    }

    mutating func append(_ scalar: Unicode.Scalar) {
        if self.foldsCase, !self.foldsLikeASCII(scalar) {
            self.pieces.append([])
        } else {
            let text = String(Character(scalar))
            self.pieces[self.pieces.count - 1] += Array((self.foldsCase ? text.lowercased() : text).utf8)
        }
    }

    /// Whether the other case of a letter is ASCII too; `k` and `s` have the Kelvin sign and the long s beside them.
    private func foldsLikeASCII(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && !(self.isUnicode && "kKsS".unicodeScalars.contains(scalar))
    }

    /// The run so far as required text; the run is empty afterwards.
    mutating func end() -> RequiredText {
        var required = RequiredText.anything
        for piece in self.pieces where piece.count >= PatternSyntax.needleByteCountMin {
            required = required.and(.needle(Needle(piece, foldsCase: self.foldsCase)))
        }
        self.pieces = [[]]
        return required
    }
}

extension Unicode.Scalar {
    /// The digit 0...9 that an ASCII scalar stands for.
    fileprivate var asDigit: Int? {
        (48...57).contains(self.value) ? Int(self.value) - 48 : nil
    }
}
