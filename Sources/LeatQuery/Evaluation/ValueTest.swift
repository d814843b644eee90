internal import LeatCore

/// What a filter asks of one value, ready to be asked.
indirect enum ValueTest: Sendable {
    /// The field is there.
    case present
    /// The value is this text.
    case equals([UInt8])
    /// The value is one of these texts.
    case oneOf(ByteStringSet)
    /// The value is this text, or a number equal to this one.
    case equalsNumber([UInt8], Double)
    /// The value contains this text.
    case contains(Needle)
    case glob(GlobPattern)
    case number(Comparison.Operator, Double)
    case regex(RegexTest)
    /// One of these holds.
    case any([ValueTest])

    /// Whether a value passes.
    func passes(_ value: UnsafeRawBufferPointer) throws(QueryFailure) -> Bool {
        switch self {
        case .present: return true
        case .equals(let text): return value.elementsEqual(text)
        case .oneOf(let set): return set.contains(value)
        case .equalsNumber(let text, let number):
            return value.elementsEqual(text) || NumberText.parse(value) == number
        case .contains(let needle): return ByteSearch.find(needle, in: value) != nil
        case .glob(let glob): return glob.matches(value)
        case .number(let comparator, let bound):
            guard let number = NumberText.parse(value) else { return false }
            return Self.holds(number, comparator, bound)
        case .regex(let regex): return try regex.matches(value)
        case .any(let tests):
            for test in tests where try test.passes(value) { return true }
            return false
        }
    }

    @inline(__always)
    static func holds(_ number: Double, _ comparator: Comparison.Operator, _ bound: Double) -> Bool {
        switch comparator {
        case .less: number < bound
        case .lessOrEqual: number <= bound
        case .greater: number > bound
        case .greaterOrEqual: number >= bound
        case .notEqual: number != bound
        case .equal, .like: number == bound
        }
    }

    /// The test for `= text`: an anchored glob, and numerically equal when the text is a number.
    static func equality(to text: String) -> ValueTest {
        let glob = GlobPattern(text)
        if glob.matchesAll { return .present }
        if let needle = glob.onlyNeedle { return .contains(needle) }
        if glob.hasStar { return .glob(glob) }
        if let number = NumberText.parse(text) { return .equalsNumber(glob.prefix, number) }
        return .equals(glob.prefix)
    }

    /// The test for `like text`: contains it, or matches it as an anchored glob if it has a `*` (5.5, [M]).
    static func likeness(to text: String) -> ValueTest {
        if text.isEmpty { return .present }
        return text.utf8.contains(UInt8(ascii: "*")) ? Self.equality(to: text) : .contains(Needle(Array(text.utf8)))
    }

    /// The test for free text: the value contains it, `*` stands for anything.
    static func containing(_ text: String) -> ValueTest {
        let glob = GlobPattern("*\(text)*")
        if glob.matchesAll { return .present }
        if let needle = glob.onlyNeedle { return .contains(needle) }
        return .glob(glob)
    }
}
