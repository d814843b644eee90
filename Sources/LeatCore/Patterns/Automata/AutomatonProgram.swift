/// What a text must be like to pass, as steps of a nondeterministic automaton over bytes.
///
/// It is made from needles, globs and those regular expressions that are regular in the strict sense; `TextAutomaton` runs
/// it in time linear in the text, so no pattern can blow up.
public struct AutomatonProgram: Sendable {
    enum Step: Sendable {
        /// Takes one byte of the set.
        case bytes(ByteSet, next: Int)
        /// Goes on at both.
        case either(Int, Int)
        /// Goes on at the beginning of the text only.
        case atStart(next: Int)
        /// Goes on at the end of the text only.
        case atEnd(next: Int)
        case accept
    }

    /// Larger programs are not made: their states would not fit anyway.
    static let stepCountMax = 2_000

    let steps: [Step]
    let start: Int
    /// Per byte its class; all steps treat bytes of one class alike.
    let classOfByte: [UInt8]
    let classCount: Int
    /// A byte of each class.
    let byteOfClass: [UInt8]
    /// Whether bytes from 0x80 upwards are parts of characters, which the steps do not know.
    let isASCIIOnly: Bool
    /// The text that a value must contain, if that is all that is asked.
    public let needle: Needle?
    /// A text that every value that passes contains, if there is one.
    public internal(set) var required: Needle?

    /// Passes what contains the needle; `nil` when it is too long.
    public init?(_ needle: Needle) {
        var compiler = AutomatonCompiler()
        let node = AutomatonNode(needle.bytes, foldsCase: needle.foldsCase)
        guard let start = compiler.compile(node, next: compiler.accept) else { return nil }
        self.init(compiler, start: start, needle: needle)
    }

    /// Passes what equals one of some texts; `nil` when they are too long.
    public init?(anyOf texts: [[UInt8]]) {
        guard texts.reduce(texts.count, { $0 + $1.count }) < Self.stepCountMax / 2 else { return nil }
        let nodes = texts.map { AutomatonNode.sequence([.start, AutomatonNode($0, foldsCase: false), .endOfText]) }
        self.init(.either(nodes))
    }

    /// Passes what has the pieces in this order with any bytes between them, the first at its beginning and the last,
    /// another one, at its end; `nil` when they are too long.
    public init?(pieces: [[UInt8]], foldsCase: Bool) {
        var parts: [AutomatonNode] = [.start]
        for (index, piece) in pieces.enumerated() {
            if index > 0 { parts.append(.repeated(.bytes(.all), least: 0, most: nil)) }
            parts.append(AutomatonNode(piece, foldsCase: foldsCase))
        }
        self.init(.sequence(parts + [.endOfText]))
        self.required = pieces.max { $0.count < $1.count }.flatMap {
            $0.isEmpty ? nil : Needle($0, foldsCase: foldsCase)
        }
    }

    /// Passes what the regular expression matches; `nil` when it uses what automata do not know, such as look-around,
    /// or has too many steps.
    init?(pattern: String, foldsCase: Bool, dotMatchesNewline: Bool, isUnicode: Bool) {
        let borders = WordBorders(pattern)
        var syntax = AutomatonSyntax(borders.rest, foldsCase: foldsCase, dotMatchesNewline: dotMatchesNewline)
        guard let node = syntax.parse() else { return nil }
        if borders.isAtStart || borders.isAtEnd {
            // What a letter is beyond ASCII, PCRE2 knows.
            guard !isUnicode else { return nil }
            self.init(borders.around(node))
        } else if !isUnicode, let needle = node.needle {
            self.init(needle)
        } else {
            self.init(node, isASCIIOnly: isUnicode)
        }
    }

    private init?(_ node: AutomatonNode, isASCIIOnly: Bool = false) {
        var compiler = AutomatonCompiler()
        guard let start = compiler.compile(node, next: compiler.accept), compiler.hasOnlyFinalEnds else { return nil }
        self.init(compiler, start: start, isASCIIOnly: isASCIIOnly)
    }

    private init(_ compiler: AutomatonCompiler, start: Int, isASCIIOnly: Bool = false, needle: Needle? = nil) {
        self.steps = compiler.steps
        self.start = start
        self.isASCIIOnly = isASCIIOnly
        self.needle = needle
        self.required = needle
        var sets: [ByteSet] = isASCIIOnly ? [ByteSet(0x80...0xFF)] : []
        var seen = Set(sets)
        for step in compiler.steps {
            if case .bytes(let set, _) = step, seen.insert(set).inserted { sets.append(set) }
        }
        // Bytes are of one class if all sets agree about them.
        var classes: [[Bool]: UInt8] = [:]
        var classOfByte: [UInt8] = []
        var byteOfClass: [UInt8] = []
        for byte in UInt8.min...UInt8.max {
            let signature = sets.map { $0.contains(byte) }
            let known = classes[signature] ?? UInt8(truncatingIfNeeded: byteOfClass.count)
            if Int(known) == byteOfClass.count {
                classes[signature] = known
                byteOfClass.append(byte)
            }
            classOfByte.append(known)
        }
        self.classOfByte = classOfByte
        self.byteOfClass = byteOfClass
        self.classCount = byteOfClass.count
    }
}

/// A regular expression as a tree.
indirect enum AutomatonNode: Hashable {
    case empty
    case bytes(ByteSet)
    case sequence([AutomatonNode])
    case either([AutomatonNode])
    case repeated(AutomatonNode, least: Int, most: Int?)
    case start
    /// The end, or a newline before it.
    case end
    case endOfText

    /// These bytes in this order; with `foldsCase` they are in lower case and match letters in either.
    init(_ bytes: [UInt8], foldsCase: Bool) {
        self = .sequence(bytes.map { .bytes(ByteSet($0, foldsCase: foldsCase)) })
    }
}

extension AutomatonNode {
    /// The text for which the expression stands, if it is nothing else.
    fileprivate var needle: Needle? {
        guard case .sequence(let parts) = self else { return nil }
        var bytes: [UInt8] = []
        var foldsCase: Bool?
        // A group that only sets flags is an empty part.
        for part in parts where part != .empty {
            guard case .bytes(let set) = part, let byte = set.bytes.last, set.bytes.count <= 2,
                set == ByteSet(byte, foldsCase: set.bytes.count == 2)
            else { return nil }
            bytes.append(byte)
            if (byte | 0x20) &- UInt8(ascii: "a") < 26 {
                // All letters must match in either case, or all in one.
                let isEither = set.bytes.count == 2
                guard (foldsCase ?? isEither) == isEither else { return nil }
                foldsCase = isEither
            }
        }
        return bytes.isEmpty ? nil : Needle(bytes, foldsCase: foldsCase ?? false)
    }
}

extension ByteSet {
    /// One byte, or with `foldsCase` a letter in both cases.
    init(_ byte: UInt8, foldsCase: Bool) {
        self.init(byte...byte)
        guard foldsCase else { return }
        let lower = byte | 0x20
        if lower &- UInt8(ascii: "a") < 26 {
            self.insert(lower)
            self.insert(lower & ~0x20)
        }
    }

    /// The set with both cases of its letters.
    var caseFolded: ByteSet {
        var result = self
        for byte in UInt8(ascii: "a")...UInt8(ascii: "z") where self.contains(byte) || self.contains(byte & ~0x20) {
            result.insert(byte)
            result.insert(byte & ~0x20)
        }
        return result
    }
}

/// Turns a tree into steps, from its end to its beginning.
struct AutomatonCompiler {
    private(set) var steps: [AutomatonProgram.Step] = [.accept]
    /// The step that accepts.
    let accept = 0

    private mutating func add(_ step: AutomatonProgram.Step) -> Int {
        self.steps.append(step)
        return self.steps.count - 1
    }

    /// The first step of `node`, after which `next` comes; `nil` when there are too many.
    mutating func compile(_ node: AutomatonNode, next: Int) -> Int? {
        guard self.steps.count < AutomatonProgram.stepCountMax else { return nil }
        switch node {
        case .empty: return next
        case .bytes(let set): return self.add(.bytes(set, next: next))
        case .start: return self.add(.atStart(next: next))
        case .endOfText: return self.add(.atEnd(next: next))
        case .end:
            let last = self.add(.atEnd(next: next))
            let newline = self.add(.bytes(ByteSet(10...10), next: last))
            return self.add(.either(last, newline))
        case .sequence(let parts):
            var next = next
            for part in parts.reversed() {
                guard let first = self.compile(part, next: next) else { return nil }
                next = first
            }
            return next
        case .either(let branches):
            guard var first = branches.last.flatMap({ self.compile($0, next: next) }) else { return nil }
            for branch in branches.dropLast().reversed() {
                guard let other = self.compile(branch, next: next) else { return nil }
                first = self.add(.either(other, first))
            }
            return first
        case .repeated(let part, let least, let most): return self.compile(part, least, most, next: next)
        }
    }

    private mutating func compile(_ part: AutomatonNode, _ least: Int, _ most: Int?, next: Int) -> Int? {
        var next = next
        if let most {
            for _ in 0..<max(0, most - least) {
                guard let first = self.compile(part, next: next) else { return nil }
                next = self.add(.either(first, next))
            }
        } else {
            let loop = self.add(.either(next, next))
            guard let first = self.compile(part, next: loop) else { return nil }
            self.steps[loop] = .either(first, next)
            next = loop
        }
        for _ in 0..<least {
            guard let first = self.compile(part, next: next) else { return nil }
            next = first
        }
        return next
    }

    /// Whether nothing takes a byte behind an end: a newline that an end looks at is taken here as part of the match.
    var hasOnlyFinalEnds: Bool {
        for case .atEnd(let next) in self.steps {
            var seen: Set<Int> = []
            var waiting = [next]
            while let step = waiting.popLast() {
                guard seen.insert(step).inserted else { continue }
                switch self.steps[step] {
                case .bytes, .atStart: return false
                case .either(let one, let other): waiting += [one, other]
                case .atEnd(let next): waiting.append(next)
                case .accept: break
                }
            }
        }
        return true
    }
}
