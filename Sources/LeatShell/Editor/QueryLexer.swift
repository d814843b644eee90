internal import LeatQuery

/// Cuts a query, finished or not, into coloured pieces; for the eye only, what the query means is the parser's business.
struct QueryLexer {
    enum Kind: Hashable, Sendable {
        case text, keyword, function, unknownFunction, string, regex, number, comment, symbol, field, parameter
        /// A string or comment that has no end yet.
        case unfinished

        var style: Style {
            switch self {
            case .text, .symbol: .plain
            case .keyword: .keyword
            case .function: .function
            case .unknownFunction, .unfinished: .warning
            case .string, .regex: .string
            case .number, .parameter: .number
            case .comment: .comment
            case .field: .field
            }
        }
    }

    struct Token: Hashable, Sendable {
        var kind: Kind
        /// In characters.
        var range: Range<Int>
    }

    private static let keywords: Set<String> = ["and", "or", "not", "like", "case", "match", "true", "false"]

    private let characters: [Character]
    private var index = 0
    private var tokens: [Token] = []
    /// Whether a `/` would begin a regular expression here.
    private var expectsValue = true

    private init(_ characters: [Character]) { self.characters = characters }

    /// All pieces but white space, in order.
    static func tokens(of characters: [Character]) -> [Token] {
        var lexer = QueryLexer(characters)
        lexer.run()
        return lexer.tokens
    }

    /// Whether the text cannot be sent yet: a bracket, string or comment is open, or a pipe waits for its step.
    static func isUnfinished(_ text: String) -> Bool {
        let characters = Array(text)
        let tokens = Self.tokens(of: characters)
        var depth = 0
        for token in tokens {
            if token.kind == .unfinished { return true }
            guard token.kind == .symbol else { continue }
            switch characters[token.range.lowerBound] {
            case "(", "[", "{": depth += 1
            case ")", "]", "}": depth -= 1
            default: break
            }
        }
        guard depth <= 0 else { return true }
        let last = tokens.last { $0.kind != .comment }
        return last.map { $0.kind == .symbol && characters[$0.range.lowerBound] == "|" } ?? false
    }

    private mutating func run() {
        while self.index < self.characters.count {
            let character = self.characters[self.index]
            if character.isWhitespace {
                self.index += 1
                continue
            }
            let start = self.index
            switch character {
            case "\"": self.add(self.readString() ? .string : .unfinished, from: start)
            case "/" where self.peek(1) == "/": self.readLineComment(start)
            case "/" where self.peek(1) == "*": self.add(self.readBlockComment() ? .comment : .unfinished, from: start)
            case "/" where self.expectsValue:
                self.readRegex()
                self.add(.regex, from: start)
            case "?": self.readParameter(start)
            default: self.readWordOrSymbol(start)
            }
        }
    }

    private func peek(_ offset: Int) -> Character? {
        self.index + offset < self.characters.count ? self.characters[self.index + offset] : nil
    }

    private mutating func add(_ kind: Kind, from start: Int) {
        self.tokens.append(Token(kind: kind, range: start..<self.index))
        self.expectsValue = kind == .symbol || kind == .keyword || kind == .comment && self.expectsValue
    }

    private mutating func readString() -> Bool {
        self.index += 1
        while self.index < self.characters.count {
            if self.characters[self.index] == "\\" {
                self.index += 2
            } else if self.characters[self.index] == "\"" {
                self.index += 1
                return true
            } else {
                self.index += 1
            }
        }
        self.index = self.characters.count
        return false
    }

    private mutating func readLineComment(_ start: Int) {
        while self.index < self.characters.count, self.characters[self.index] != "\n" { self.index += 1 }
        self.add(.comment, from: start)
    }

    private mutating func readBlockComment() -> Bool {
        self.index += 2
        while self.index < self.characters.count {
            if self.characters[self.index] == "*", self.peek(1) == "/" {
                self.index += 2
                return true
            }
            self.index += 1
        }
        return false
    }

    /// Reads `/…/flags`, or, when it has no end on this line, the rest of the line: a regex does not span lines.
    private mutating func readRegex() {
        var position = self.index + 1
        var isInClass = false
        while position < self.characters.count, self.characters[position] != "\n" {
            switch self.characters[position] {
            case "\\": position += 1
            case "[": isInClass = true
            case "]": isInClass = false
            case "/" where !isInClass:
                position += 1
                while position < self.characters.count, "dgimsF".contains(self.characters[position]) { position += 1 }
                self.index = position
                return
            default: break
            }
            position += 1
        }
        self.index = min(position, self.characters.count)
    }

    private mutating func readParameter(_ start: Int) {
        self.index += 1
        while self.index < self.characters.count, Self.isWord(self.characters[self.index]) { self.index += 1 }
        self.add(.parameter, from: start)
    }

    private mutating func readWordOrSymbol(_ start: Int) {
        guard Self.isWord(self.characters[start]) else {
            self.index += 1
            self.add(.symbol, from: start)
            return
        }
        while self.index < self.characters.count, Self.isWord(self.characters[self.index]) { self.index += 1 }
        let word = String(self.characters[start..<self.index])
        self.add(self.kind(of: word), from: start)
    }

    private func kind(of word: String) -> Kind {
        var next = self.index
        while next < self.characters.count, self.characters[next] == " " { next += 1 }
        let follower = next < self.characters.count ? self.characters[next] : nil
        let isValue = self.tokens.last.map { self.characters[$0.range.lowerBound] == "=" } ?? false
        if follower == "(", !isValue, !Self.keywords.contains(word.lowercased()) {
            return FunctionCatalogue.find(word) != nil ? .function : .unknownFunction
        }
        if Self.keywords.contains(word.lowercased()), follower != "=" { return .keyword }
        if let follower, "=<>!:".contains(follower) { return .field }
        return Double(word) != nil ? .number : .text
    }

    static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || "_@#.%&\\^*-:~$".contains(character)
    }
}
