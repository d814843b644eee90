/// Reads the regular expressions that automata can run, in PCRE2's syntax and with its meaning.
///
/// Whatever it is not sure of – look-around, back references, word borders within, atomic groups, flags other than `i` and `s` – it
/// refuses, and PCRE2 itself must match.
struct AutomatonSyntax {
    /// Nesting beyond which a pattern is refused.
    static let depthMax = 50
    /// Counts in braces beyond which a pattern is refused.
    static let countMax = 500

    private let scalars: [Unicode.Scalar]
    private var foldsCase: Bool
    private var dotMatchesNewline: Bool
    private var position = 0
    private var depth = 0
    private var isRefused = false

    init(_ pattern: String, foldsCase: Bool, dotMatchesNewline: Bool) {
        self.scalars = Array(pattern.unicodeScalars)
        self.foldsCase = foldsCase
        self.dotMatchesNewline = dotMatchesNewline
    }

    /// The tree of the whole pattern; `nil` when it is refused.
    mutating func parse() -> AutomatonNode? {
        guard self.scalars.allSatisfy(\.isASCII) else { return nil }
        let node = self.alternation()
        return self.isRefused || self.position < self.scalars.count ? nil : node
    }

    private var next: Unicode.Scalar? { self.position < self.scalars.count ? self.scalars[self.position] : nil }

    private mutating func take() -> Unicode.Scalar? {
        guard let scalar = self.next else { return nil }
        self.position += 1
        return scalar
    }

    /// Takes `text` if it is next.
    private mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard self.scalars[self.position...].starts(with: wanted) else { return false }
        self.position += wanted.count
        return true
    }

    private mutating func refuse() -> AutomatonNode {
        self.isRefused = true
        return .empty
    }

    private mutating func alternation() -> AutomatonNode {
        self.depth += 1
        defer { self.depth -= 1 }
        guard self.depth <= Self.depthMax else { return self.refuse() }
        var branches = [self.sequence()]
        while !self.isRefused, self.next == "|" {
            self.position += 1
            branches.append(self.sequence())
        }
        return branches.count == 1 ? branches[0] : .either(branches)
    }

    private mutating func sequence() -> AutomatonNode {
        var parts: [AutomatonNode] = []
        while !self.isRefused, let scalar = self.next, scalar != "|", scalar != ")" {
            let atom = self.atom()
            parts.append(self.quantified(atom))
        }
        return .sequence(parts)
    }

    // MARK: atoms

    private mutating func atom() -> AutomatonNode {
        guard let scalar = self.take() else { return self.refuse() }
        switch scalar {
        case "^": return .start
        case "$": return .end
        case ".": return .bytes(self.dotMatchesNewline ? .all : ByteSet(10...10).inverted)
        case "[": return self.characterClass()
        case "(": return self.group()
        case "\\": return self.escape()
        case "*", "+", "?": return self.refuse()
        case "{" where self.next.map { ("0"..."9").contains($0) || $0 == "," } ?? false: return self.refuse()
        default: return .bytes(ByteSet(UInt8(truncatingIfNeeded: scalar.value), foldsCase: self.foldsCase))
        }
    }

    private mutating func group() -> AutomatonNode {
        let flags = (self.foldsCase, self.dotMatchesNewline)
        if self.next == "?" {
            self.position += 1
            if self.take("P<") || self.take("<") {
                if self.next == "=" || self.next == "!" { return self.refuse() }
                while let scalar = self.take(), scalar != ">" {}
            } else if !self.take(":") {
                guard let isWhole = self.flags() else { return self.refuse() }
                // `(?i)` holds until its own group ends.
                if isWhole { return .empty }
            }
        } else if self.next == "*" {
            return self.refuse()
        }
        let inner = self.alternation()
        guard self.take() == ")" else { return self.refuse() }
        (self.foldsCase, self.dotMatchesNewline) = flags
        return inner
    }

    /// Reads flags up to `:` or `)`; whether it was `)`, `nil` when there is something else.
    private mutating func flags() -> Bool? {
        var value = true
        while let scalar = self.take() {
            switch scalar {
            case "i": self.foldsCase = value
            case "s": self.dotMatchesNewline = value
            case "-": value = false
            case ":": return false
            // Which group a flag holds for is plain only at the start of the pattern.
            case ")": return self.depth == 1 && self.isAtStart ? true : nil
            default: return nil
            }
        }
        return nil
    }

    /// Whether nothing but this group of flags was read.
    private var isAtStart: Bool { self.scalars.firstIndex(of: ")") == self.position - 1 && self.scalars[0] == "(" }

    private mutating func escape() -> AutomatonNode {
        guard let scalar = self.take() else { return self.refuse() }
        if let set = Self.shorthand(scalar) { return .bytes(set) }
        if let byte = self.escaped(scalar) { return .bytes(ByteSet(byte, foldsCase: self.foldsCase)) }
        switch scalar {
        case "A": return .start
        case "z": return .endOfText
        case "Z": return .end
        default: return self.refuse()
        }
    }

    /// `\d`, `\w`, `\s` and their opposites.
    private static func shorthand(_ scalar: Unicode.Scalar) -> ByteSet? {
        switch scalar {
        case "d": return Self.digits
        case "D": return Self.digits.inverted
        case "w": return Self.word
        case "W": return Self.word.inverted
        case "s": return Self.space
        case "S": return Self.space.inverted
        default: return nil
        }
    }

    private static let digits = ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
    private static let space: ByteSet = {
        var set = ByteSet(9...13)
        set.insert(32)
        return set
    }()
    private static let word: ByteSet = {
        var set = ByteSet(UInt8(ascii: "a")...UInt8(ascii: "z")).caseFolded
        set.formUnion(digits)
        set.insert(UInt8(ascii: "_"))
        return set
    }()

    /// The byte that an escape stands for.
    private mutating func escaped(_ scalar: Unicode.Scalar) -> UInt8? {
        switch scalar {
        case "n": return 10
        case "t": return 9
        case "r": return 13
        case "f": return 12
        case "e": return 27
        case "a": return 7
        case "x":
            guard self.position + 2 <= self.scalars.count else { return nil }
            let digits = String(String.UnicodeScalarView(self.scalars[self.position..<self.position + 2]))
            guard digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
                let byte = UInt8(digits, radix: 16), byte < 0x80
            else { return nil }
            self.position += 2
            return byte
        default:
            let isWord = scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
            return isWord ? nil : UInt8(truncatingIfNeeded: scalar.value)
        }
    }

    private mutating func characterClass() -> AutomatonNode {
        let isNegated = self.next == "^"
        if isNegated { self.position += 1 }
        var set = ByteSet()
        var isFirst = true
        while let scalar = self.take() {
            if scalar == "]", !isFirst {
                if self.foldsCase { set = set.caseFolded }
                return .bytes(isNegated ? set.inverted : set)
            }
            isFirst = false
            // `[:alpha:]` and the like.
            if scalar == "[", let next = self.next, next == ":" || next == "." || next == "=" { return self.refuse() }
            if scalar == "\\", let next = self.next, let shorthand = Self.shorthand(next) {
                self.position += 1
                set.formUnion(shorthand)
                // A dash behind it is read in more than one way.
                if self.next == "-" { return self.refuse() }
                continue
            }
            guard let first = self.classByte(scalar) else { return self.refuse() }
            guard self.next == "-", self.position + 1 < self.scalars.count, self.scalars[self.position + 1] != "]"
            else {
                set.insert(first)
                continue
            }
            self.position += 1
            guard let scalar = self.take(), scalar != "[", let last = self.classByte(scalar), first <= last else {
                return self.refuse()
            }
            set.formUnion(ByteSet(first...last))
        }
        return self.refuse()
    }

    private mutating func classByte(_ scalar: Unicode.Scalar) -> UInt8? {
        guard scalar == "\\" else { return UInt8(truncatingIfNeeded: scalar.value) }
        guard let escaped = self.take() else { return nil }
        return escaped == "b" ? 8 : self.escaped(escaped)
    }

    // MARK: repetition

    private mutating func quantified(_ atom: AutomatonNode) -> AutomatonNode {
        var node = atom
        while !self.isRefused, let (least, most) = self.quantifier() {
            if case .start = atom { return self.refuse() }
            if case .end = atom { return self.refuse() }
            if case .endOfText = atom { return self.refuse() }
            if self.next == "+" { return self.refuse() }
            // Whether few or many are tried first does not change whether there is a match.
            if self.next == "?" { self.position += 1 }
            guard least <= Self.countMax, most ?? 0 <= Self.countMax, most.map({ $0 >= least }) ?? true else {
                return self.refuse()
            }
            node = .repeated(node, least: least, most: most)
        }
        return node
    }

    private mutating func quantifier() -> (least: Int, most: Int?)? {
        switch self.next {
        case "*":
            self.position += 1
            return (0, nil)
        case "+":
            self.position += 1
            return (1, nil)
        case "?":
            self.position += 1
            return (0, 1)
        case "{": return self.counted()
        default: return nil
        }
    }

    /// `{n}`, `{n,}`, `{n,m}`; other braces are literals, and refused where PCRE2's versions differ.
    private mutating func counted() -> (least: Int, most: Int?)? {
        var index = self.position + 1
        func number() -> Int? {
            var value: Int?
            while index < self.scalars.count, ("0"..."9").contains(self.scalars[index]), value ?? 0 < 100_000 {
                value = (value ?? 0) * 10 + Int(self.scalars[index].value - 48)
                index += 1
            }
            return value
        }
        guard let least = number(), index < self.scalars.count else {
            self.isRefused = true
            return nil
        }
        var most: Int? = least
        if self.scalars[index] == "," {
            index += 1
            most = number()
        }
        guard index < self.scalars.count, self.scalars[index] == "}" else {
            self.isRefused = true
            return nil
        }
        self.position = index + 1
        return (least, most)
    }
}
