/// Reads words, strings and regular expressions from query text.
///
/// What a scalar means depends on where it stands (`/` divides, opens a regex or belongs to a path), so there is no list
/// of tokens: the parser asks for what its place allows. P1–P11 are the lexical rules of the language's description.
struct Scanner {
    let scalars: [Unicode.Scalar]
    var position = 0

    init(_ text: String) { self.scalars = Array(text.unicodeScalars) }

    var isAtEnd: Bool { self.position >= self.scalars.count }

    /// The scalar here; NUL at the end, which no word can hold.
    var current: Unicode.Scalar { self.peek(0) }

    /// The scalar `distance` further on.
    func peek(_ distance: Int) -> Unicode.Scalar {
        let index = self.position + distance
        return index < self.scalars.count ? self.scalars[index] : "\0"
    }

    /// Whether this text stands here.
    func isAt(_ text: String) -> Bool {
        var distance = 0
        for scalar in text.unicodeScalars {
            if self.peek(distance) != scalar || self.position + distance >= self.scalars.count { return false }
            distance += 1
        }
        return true
    }

    /// Whether `text` stands here, and a regular expression, not a comment, after it.
    func isRegexAfter(_ text: String) -> Bool {
        guard self.isAt(text) else { return false }
        var distance = text.unicodeScalars.count
        while self.peek(distance).properties.isWhitespace { distance += 1 }
        return self.peek(distance) == "/" && self.peek(distance + 1) != "/" && self.peek(distance + 1) != "*"
    }

    /// Steps over the text if it stands here.
    mutating func take(_ text: String) -> Bool {
        guard self.isAt(text) else { return false }
        self.position += text.unicodeScalars.count
        return true
    }

    /// The text of a range.
    func text(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: self.scalars[range])
        return String(view)
    }

    /// Steps over white space and comments; `//` and `/*` here stand at a token's border (P2).
    mutating func skipTrivia() throws(SyntaxFailure) {
        while !self.isAtEnd {
            if ScalarClass.isSpace(self.current) {
                self.position += 1
            } else if self.isAt("//") {
                while !self.isAtEnd && self.current != "\n" { self.position += 1 }
            } else if self.isAt("/*") {
                let start = self.position
                self.position += 2
                while !self.isAt("*/") {
                    if self.isAtEnd {
                        throw SyntaxFailure("comment without an end", at: start..<start + 2, hint: "close it with '*/'")
                    }
                    self.position += 1
                }
                self.position += 2
            } else {
                return
            }
        }
    }

    // MARK: Words

    /// The end of the field word that starts here, `[n]` included; the same position when there is none.
    func endOfFieldWord() -> Int {
        var end = self.position
        while end < self.scalars.count, ScalarClass.isField(self.scalars[end]) { end += 1 }
        if end == self.position { return end }
        while end < self.scalars.count, self.scalars[end] == "[" {
            var close = end + 1
            while close < self.scalars.count, ScalarClass.isDigit(self.scalars[close]) { close += 1 }
            guard close < self.scalars.count, self.scalars[close] == "]" else { break }
            end = close + 1
            while end < self.scalars.count, ScalarClass.isField(self.scalars[end]) { end += 1 }
        }
        return end
    }

    /// The end of the pattern word that starts here; the same position when there is none.
    ///
    /// A word does not start with `/` (P1), `:=` ends it (P3), and `//` before white space or the end opens a comment
    /// (P2).
    func endOfPatternWord() -> Int {
        var end = self.position
        while end < self.scalars.count {
            let scalar = self.scalars[end]
            if scalar == ":" && end + 1 < self.scalars.count && self.scalars[end + 1] == "=" { break }
            if scalar == "/" {
                if end == self.position || self.isCommentInWord(at: end) { break }
            } else if !ScalarClass.isPattern(scalar) {
                break
            }
            end += 1
        }
        return end
    }

    private func isCommentInWord(at index: Int) -> Bool {
        guard index + 1 < self.scalars.count, self.scalars[index + 1] == "/" else { return false }
        return index + 2 >= self.scalars.count || ScalarClass.isSpace(self.scalars[index + 2])
    }

    /// Whether a keyword stands here as a whole word, in any case (P11).
    func isAtKeyword(_ keyword: String) -> Bool {
        let end = self.endOfPatternWord()
        return end - self.position == keyword.utf8.count
            && self.text(self.position..<end).lowercased() == keyword
    }

    /// Steps over a keyword if it stands here.
    mutating func takeKeyword(_ keyword: String) -> Bool {
        guard self.isAtKeyword(keyword) else { return false }
        self.position += keyword.utf8.count
        return true
    }

    // MARK: Strings and regular expressions

    /// Reads the quoted string that starts here, and resolves its escapes (P7); it may span lines.
    mutating func quoted() throws(SyntaxFailure) -> String {
        let start = self.position
        var view = String.UnicodeScalarView()
        self.position += 1
        while self.current != "\"" || self.isAtEnd {
            if self.isAtEnd {
                self.position = start
                throw SyntaxFailure(
                    "string without an end",
                    at: start..<start + 1,
                    hint: "close it with '\"'; a quote inside is written '\\\"'"
                )
            }
            if self.current == "\\" && self.position + 1 < self.scalars.count {
                Self.appendEscape(self.peek(1), to: &view)
                self.position += 2
            } else {
                view.append(self.current)
                self.position += 1
            }
        }
        self.position += 1
        return String(view)
    }

    private static func appendEscape(_ scalar: Unicode.Scalar, to view: inout String.UnicodeScalarView) {
        switch scalar {
        case "\"", "\\", "'": view.append(scalar)
        case "n": view.append("\n")
        case "t": view.append("\t")
        case "r": view.append("\r")
        default:
            view.append("\\")
            view.append(scalar)
        }
    }

    /// Reads the regular expression that starts here; a `/` within `[…]` does not end it (P6).
    mutating func regex() throws(SyntaxFailure) -> RegexLiteral {
        let start = self.position
        guard let close = self.endOfRegexBody() else {
            throw SyntaxFailure(
                "regular expression without an end",
                at: start..<start + 1,
                hint: "close it with '/', or quote a text that starts with '/'"
            )
        }
        let body = self.text(start + 1..<close)
        self.position = close + 1
        let flagStart = self.position
        while ScalarClass.isLetter(self.current) { self.position += 1 }
        let flags = self.text(flagStart..<self.position)
        if let wrong = flags.first(where: { !"dgimsF".contains($0) }) {
            throw SyntaxFailure(
                "unknown flag '\(wrong)' of a regular expression",
                at: flagStart..<self.position,
                hint: "flags are d, g, i, m, s and F; a path such as /var/log must be quoted"
            )
        }
        // `/var/*` is meant as a path; `/\d+\./.` is an expression and a free text.
        let looksLikePath =
            body.unicodeScalars.allSatisfy { ScalarClass.isField($0) || $0 == "-" } && !body.contains("\\")
        if ScalarClass.isPattern(self.current) && looksLikePath {
            throw SyntaxFailure(
                "text right after a regular expression",
                at: start..<self.position + 1,
                hint: "a text that starts with '/' must be quoted"
            )
        }
        return RegexLiteral(body: body, flags: flags, range: SourceRange(start..<self.position))
    }

    /// The position of the `/` that ends the regex that starts here; `nil` when there is none.
    private func endOfRegexBody() -> Int? {
        var index = self.position + 1
        var isInClass = false
        while index < self.scalars.count {
            switch self.scalars[index] {
            case "\\": index += 1
            case "[": isInClass = true
            case "]": isInClass = false
            case "/" where !isInClass: return index > self.position + 1 ? index : nil
            default: break
            }
            index += 1
        }
        return nil
    }
}
