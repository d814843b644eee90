/// A pattern of another flavour, rewritten for PCRE2: group names that PCRE2 refuses, `\uHHHH`, repeated
/// anchors, and Ruby's escapes.
struct PatternTranslation {
    /// The pattern for PCRE2.
    private(set) var text = ""
    /// Named groups with their numbers.
    private(set) var groups: [(name: String, number: Int)] = []
    /// Whether the pattern must see characters rather than bytes.
    private(set) var needsUnicode = false

    private let source: [Unicode.Scalar]
    private let flavour: PatternOptions.Flavour
    private var position = 0
    private var groupCount = 0
    private var safeNames: [String: String] = [:]
    /// For each scalar of `text`, its UTF-8 offset and the scalar of the source it came from.
    private var origins: [(byte: Int, source: Int)] = []
    private var byteCount = 0

    init(_ source: String, flavour: PatternOptions.Flavour) throws(PatternError) {
        self.init(source, flavour: flavour, seesCharacters: false)
        try self.translate()
        guard self.needsUnicode else { return }
        self.init(source, flavour: flavour, seesCharacters: true)
        try self.translate()
    }

    private init(_ source: String, flavour: PatternOptions.Flavour, seesCharacters: Bool) {
        self.source = Array(source.unicodeScalars)
        self.flavour = flavour
        self.needsUnicode = seesCharacters
    }

    private mutating func translate() throws(PatternError) {
        while self.position < self.source.count { try self.translateNext() }
    }

    /// The offset in the source, in scalars, of a byte of `text`.
    func sourceOffset(ofByte byte: Int) -> Int {
        if byte >= self.byteCount { return self.source.count }
        return self.origins.last { $0.byte <= byte }?.source ?? 0
    }

    private mutating func emit(_ string: String) {
        self.origins.append((self.byteCount, min(self.position, self.source.count)))
        self.text += string
        self.byteCount += string.utf8.count
    }

    private func scalar(_ ahead: Int) -> Unicode.Scalar? {
        self.position + ahead < self.source.count ? self.source[self.position + ahead] : nil
    }

    private mutating func translateNext() throws(PatternError) {
        let scalar = self.source[self.position]
        if !scalar.isASCII { self.needsUnicode = true }
        switch scalar {
        case "\\": self.translateEscape(isInClass: false)
        case "[": self.translateClass()
        case "(": try self.translateGroup()
        case ".":
            self.emit(".")
            self.position += 1
            self.noteCharacterCount()
        case "^", "$":
            // Java and RE2 repeat an anchor, PCRE2 only a group.
            let isRepeated = self.scalar(1).map { "*+?{".unicodeScalars.contains($0) } ?? false
            self.emit(isRepeated ? "(?:\(scalar))" : String(Character(scalar)))
            self.position += 1
        default:
            self.emit(String(Character(scalar)))
            self.position += 1
        }
    }

    /// A dot or negated class that is not repeated without end counts characters, which bytes would get wrong.
    private mutating func noteCharacterCount() {
        if let next = self.scalar(0), next == "*" || next == "+" { return }
        self.needsUnicode = true
    }

    private mutating func translateEscape(isInClass: Bool) {
        guard let next = self.scalar(1) else {
            self.emit("\\")
            self.position += 1
            return
        }
        switch next {
        case "u":
            let digits = self.source.dropFirst(self.position + 2).prefix(4)
            guard digits.count == 4, digits.allSatisfy(\.properties.isASCIIHexDigit) else { break }
            self.needsUnicode = true
            self.emit("\\x{" + String(String.UnicodeScalarView(digits)) + "}")
            self.position += 6
            return
        case "h" where self.flavour == .ruby:
            self.emit("[0-9a-fA-F]")
            self.position += 2
            return
        case "H" where self.flavour == .ruby:
            self.emit("[^0-9a-fA-F]")
            self.position += 2
            return
        case "k", "g":
            if let end = self.nameEnd(from: 2), let safe = self.safeNames[self.name(from: 3, to: end)] {
                self.emit("\\k<\(safe)>")
                self.position = end + 1
                return
            }
        case "Q":
            self.translateQuoted()
            return
        case "p", "P":
            if self.translateProperty(isInClass: isInClass) { return }
        case "D", "W", "S":
            // PCRE2 10.42 compiles these wrongly for characters, but not the classes that mean the same.
            let isClass = self.needsUnicode && !isInClass
            self.emit(isClass ? "[^\\\(String(Character(next)).lowercased())]" : "\\\(Character(next))")
            self.position += 2
            self.noteCharacterCount()
            return
        // As bytes these would take a part of a character.
        case "X", "N", "R", "h", "H", "v", "V": self.needsUnicode = true
        case "x" where self.scalar(2) == "{": self.needsUnicode = true
        default: break
        }
        if !next.isASCII { self.needsUnicode = true }
        self.emit("\\" + String(Character(next)))
        self.position += 2
    }

    /// `\p{Lu}`, `\pL`, and as Java writes them `\p{IsHan}` and `\p{Alpha}`; `false` when it is none of these.
    private mutating func translateProperty(isInClass: Bool) -> Bool {
        self.needsUnicode = true
        guard self.scalar(2) == "{", let end = self.nameEnd(from: 2) else { return false }
        var name = self.name(from: 3, to: end)
        var isNegated = self.scalar(1) == "P"
        if name.hasPrefix("^") {
            isNegated.toggle()
            name.removeFirst()
        }
        if Self.asciiProperties.contains(name) {
            let body = "[:\(isNegated ? "^" : "")\(name.lowercased()):]"
            self.emit(isInClass ? body : "[\(body)]")
        } else {
            let known = name.hasPrefix("Is") ? String(name.dropFirst(2)) : name
            self.emit("\\\(isNegated ? "P" : "p"){\(known)}")
        }
        self.position = end + 1
        return true
    }

    /// Java's properties of ASCII, which PCRE2 has as classes.
    private static let asciiProperties: Set<String> = [
        "Lower", "Upper", "ASCII", "Alpha", "Digit", "Alnum", "Punct", "Graph", "Print", "Blank", "Cntrl", "XDigit",
        "Space",
    ]

    /// `\Q…\E`: everything between is literal.
    private mutating func translateQuoted() {
        self.position += 2
        while let scalar = self.scalar(0) {
            if scalar == "\\", self.scalar(1) == "E" {
                self.position += 2
                return
            }
            if !scalar.isASCII { self.needsUnicode = true }
            let isWord = scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_"
            self.emit((isWord || !scalar.isASCII ? "" : "\\") + String(Character(scalar)))
            self.position += 1
        }
    }

    /// `[…]`, kept as it is but for Ruby's `\h`, and for a hyphen beside `\w` and its like, which is no range.
    private mutating func translateClass() {
        let isNegated = self.scalar(1) == "^"
        self.emit(isNegated ? "[^" : "[")
        self.position += isNegated ? 2 : 1
        var isFirst = true
        var followsClass = false
        var depth = 1
        while let scalar = self.scalar(0), depth > 0 {
            if !scalar.isASCII { self.needsUnicode = true }
            let isClass = self.isClassEscape(at: 0)
            if scalar == "\\" {
                if self.flavour == .ruby, self.scalar(1) == "h" {
                    self.emit("0-9a-fA-F")
                    self.position += 2
                } else {
                    self.translateEscape(isInClass: true)
                }
            } else if scalar == "[", self.scalar(1) == ":" {
                if self.scalar(2) == "^" { self.needsUnicode = true }
                self.emit("[:")
                self.position += 2
                depth += 1
            } else if scalar == "[" {
                self.emit("\\[")
                self.position += 1
            } else if scalar == "-", self.scalar(1) != "]", followsClass || self.isClassEscape(at: 1) {
                self.emit("\\-")
                self.position += 1
            } else {
                if scalar == "]", !isFirst { depth -= 1 }
                self.emit(scalar == "]" && isFirst ? "\\]" : String(Character(scalar)))
                self.position += 1
            }
            isFirst = false
            followsClass = isClass
        }
        if isNegated { self.noteCharacterCount() }
    }

    /// Whether an escape for a class of characters stands some scalars ahead.
    private func isClassEscape(at ahead: Int) -> Bool {
        guard self.scalar(ahead) == "\\", let letter = self.scalar(ahead + 1) else { return false }
        return "dDwWsShHvVpP".unicodeScalars.contains(letter)
    }

    private mutating func translateGroup() throws(PatternError) {
        guard self.scalar(1) == "?" else {
            if self.scalar(1) != "*" { self.groupCount += 1 }
            self.emit("(")
            self.position += 1
            return
        }
        let nameStart = self.scalar(2) == "P" ? 4 : 3
        let opener = self.scalar(nameStart - 1)
        let following = self.scalar(nameStart)
        if opener == "<" || (opener == "'" && nameStart == 3), following != "=", following != "!",
            let end = self.nameEnd(from: nameStart - 1)
        {
            try self.translateName(from: nameStart, to: end)
        } else if self.flavour == .ruby, let scalar = self.scalar(2), scalar.properties.isAlphabetic || scalar == "-" {
            self.translateRubyFlags()
        } else {
            self.emit("(?")
            self.position += 2
        }
    }

    private mutating func translateName(from start: Int, to end: Int) throws(PatternError) {
        let name = self.name(from: start, to: end)
        guard let first = name.unicodeScalars.first,
            first.properties.isAlphabetic || "_@#".unicodeScalars.contains(first)
        else {
            throw PatternError(message: "a group name must begin with a letter, '_', '@' or '#'", offset: self.position)
        }
        self.groupCount += 1
        let safe = self.safeNames[name] ?? "n\(self.safeNames.count)"
        self.safeNames[name] = safe
        self.groups.append((name, self.groupCount))
        self.emit("(?<\(safe)>")
        self.position = end + 1
    }

    /// `(?m)` of Ruby is `(?s)` elsewhere.
    private mutating func translateRubyFlags() {
        self.emit("(?")
        self.position += 2
        while let scalar = self.scalar(0), scalar.properties.isAlphabetic || scalar == "-" {
            self.emit(scalar == "m" ? "s" : String(Character(scalar)))
            self.position += 1
        }
    }

    /// The position of the character that closes the name whose opening character is `opener` ahead.
    private func nameEnd(from opener: Int) -> Int? {
        guard let open = self.scalar(opener) else { return nil }
        let close: Unicode.Scalar
        switch open {
        case "<": close = ">"
        case "'": close = "'"
        case "{": close = "}"
        default: return nil
        }
        return self.source[(self.position + opener + 1)...].firstIndex(of: close)
    }

    private func name(from start: Int, to end: Int) -> String {
        guard self.position + start <= end else { return "" }
        return String(String.UnicodeScalarView(self.source[(self.position + start)..<end]))
    }
}
