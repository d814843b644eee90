internal import LeatCore

/// The tokens of a GraphQL document, one after the other; commas and comments are white space.
struct GraphQLLexer {
    private enum Token {
        case mark(String)
        case name(String)
        case number(String)
        case string(String)
    }

    private let tokens: [(token: Token, place: (line: Int, column: Int))]
    private var at = 0

    init(_ text: String) throws(GraphQLFault) {
        var reader = TokenReader(text)
        var tokens: [(token: Token, place: (line: Int, column: Int))] = []
        while let next = try reader.next() { tokens.append(next) }
        self.tokens = tokens
    }

    private var token: Token? { self.at < self.tokens.count ? self.tokens[self.at].token : nil }

    var isAtEnd: Bool { self.at == self.tokens.count }

    var isAtName: Bool { if case .name = self.token { true } else { false } }

    func isAt(_ mark: String) -> Bool { if case .mark(mark) = self.token { true } else { false } }

    /// Steps over a mark if it is the next token.
    mutating func take(_ mark: String) -> Bool {
        guard self.isAt(mark) else { return false }
        self.at += 1
        return true
    }

    mutating func expect(_ mark: String) throws(GraphQLFault) {
        guard self.take(mark) else { throw self.fault("expected '\(mark)'") }
    }

    mutating func name() throws(GraphQLFault) -> String {
        guard case .name(let name) = self.token else { throw self.fault("expected a name") }
        self.at += 1
        return name
    }

    /// A number, a string, `true`, `false`, `null`, or the name of an enumeration's value.
    mutating func scalar() throws(GraphQLFault) -> JSONValue {
        let value: JSONValue
        switch self.token {
        case .number(let text): value = .number(text)
        case .string(let text): value = .string(text)
        case .name("true"): value = true
        case .name("false"): value = false
        case .name("null"): value = .null
        case .name(let name): value = .string(name)
        case .mark, nil: throw self.fault("expected a value")
        }
        self.at += 1
        return value
    }

    /// A fault at the next token.
    func fault(_ message: String) -> GraphQLFault {
        GraphQLFault(
            self.isAtEnd ? "\(message), and the document ends" : message,
            at: self.at < self.tokens.count ? self.tokens[self.at].place : self.tokens.last?.place
        )
    }

    /// Cuts the text.
    private struct TokenReader {
        private let scalars: [Unicode.Scalar]
        private var at = 0
        private var line = 1
        private var lineStart = 0

        init(_ text: String) { self.scalars = Array(text.unicodeScalars) }

        private var place: (line: Int, column: Int) { (self.line, self.at - self.lineStart + 1) }

        private func scalar(_ offset: Int = 0) -> Unicode.Scalar? {
            self.at + offset < self.scalars.count ? self.scalars[self.at + offset] : nil
        }

        private mutating func skip() {
            while let scalar = self.scalar() {
                switch scalar {
                case "\n":
                    self.at += 1
                    self.line += 1
                    self.lineStart = self.at
                case " ", "\t", "\r", ",", "\u{FEFF}": self.at += 1
                case "#": while let scalar = self.scalar(), scalar != "\n" { self.at += 1 }
                default: return
                }
            }
        }

        mutating func next() throws(GraphQLFault) -> (token: Token, place: (line: Int, column: Int))? {
            self.skip()
            guard let first = self.scalar() else { return nil }
            let place = self.place
            switch first {
            case "{", "}", "(", ")", "[", "]", ":", "=", "!", "$", "@", "|", "&":
                self.at += 1
                return (.mark(String(first)), place)
            case ".":
                guard self.scalar(1) == ".", self.scalar(2) == "." else {
                    throw GraphQLFault("unexpected '.'", at: place)
                }
                self.at += 3
                return (.mark("..."), place)
            case "\"": return (.string(try self.string()), place)
            case "-", "0"..."9": return (.number(self.run { "0123456789+-.eE".unicodeScalars.contains($0) }), place)
            case _ where Self.isName(first): return (.name(self.run(Self.isName)), place)
            default: throw GraphQLFault("unexpected '\(first)'", at: place)
            }
        }

        private static func isName(_ scalar: Unicode.Scalar) -> Bool {
            scalar == "_" || scalar.isASCII && (scalar.properties.isAlphabetic || "0"..."9" ~= scalar)
        }

        private mutating func run(_ belongs: (Unicode.Scalar) -> Bool) -> String {
            var text = String.UnicodeScalarView()
            while let scalar = self.scalar(), belongs(scalar) {
                text.append(scalar)
                self.at += 1
            }
            return String(text)
        }

        private mutating func string() throws(GraphQLFault) -> String {
            let place = self.place
            if self.scalar(1) == "\"", self.scalar(2) == "\"" { return try self.blockString(place) }
            self.at += 1
            var text = String.UnicodeScalarView()
            while let scalar = self.scalar(), scalar != "\n" {
                self.at += 1
                if scalar == "\"" { return String(text) }
                guard scalar == "\\" else {
                    text.append(scalar)
                    continue
                }
                text.append(try self.escape(place))
            }
            throw GraphQLFault("a string without an end", at: place)
        }

        private mutating func escape(_ place: (line: Int, column: Int)) throws(GraphQLFault) -> Unicode.Scalar {
            guard let letter = self.scalar() else { throw GraphQLFault("a string without an end", at: place) }
            self.at += 1
            switch letter {
            case "\"", "\\", "/": return letter
            case "b": return "\u{8}"
            case "f": return "\u{C}"
            case "n": return "\n"
            case "r": return "\r"
            case "t": return "\t"
            case "u":
                let digits = (0..<4).compactMap { self.scalar($0) }
                self.at += digits.count
                var text = String.UnicodeScalarView()
                text.append(contentsOf: digits)
                let code = UInt32(String(text), radix: 16)
                // Halves of surrogate pairs have no meaning alone.
                return code.flatMap { Unicode.Scalar($0) } ?? "\u{FFFD}"
            default: throw GraphQLFault("unknown escape '\\\(letter)'", at: place)
            }
        }

        /// `"""…"""` as it stands, without the white space that all its lines begin with.
        private mutating func blockString(_ place: (line: Int, column: Int)) throws(GraphQLFault) -> String {
            self.at += 3
            var text = String.UnicodeScalarView()
            while let scalar = self.scalar() {
                if scalar == "\"", self.scalar(1) == "\"", self.scalar(2) == "\"" {
                    self.at += 3
                    return Self.withoutIndent(String(text))
                }
                if scalar == "\n" {
                    self.line += 1
                    self.lineStart = self.at + 1
                }
                text.append(scalar)
                self.at += 1
            }
            throw GraphQLFault("a string without an end", at: place)
        }

        private static func withoutIndent(_ text: String) -> String {
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let indent = lines.dropFirst().filter { $0.contains { $0 != " " } }.map { $0.prefix { $0 == " " }.count }
                .min()
            for index in lines.indices.dropFirst() { lines[index] = lines[index].dropFirst(indent ?? 0) }
            while let first = lines.first, first.allSatisfy({ $0 == " " }) { lines.removeFirst() }
            while let last = lines.last, last.allSatisfy({ $0 == " " }) { lines.removeLast() }
            return lines.joined(separator: "\n")
        }
    }
}
