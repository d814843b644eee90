internal import LeatCore

/// The automata of one program; each is used by one thread at a time.
final class AutomatonPool: Sendable {
    private let program: AutomatonProgram
    private let idle = Guarded<[TextAutomaton]>([])

    init(_ program: AutomatonProgram) { self.program = program }

    /// Runs `body` with an automaton that no other thread uses meanwhile.
    func withAutomaton<Result, Failure: Error>(
        _ body: (TextAutomaton) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let automaton = self.idle.withLock { $0.popLast() } ?? TextAutomaton(self.program)
        defer { self.idle.withLock { $0.append(automaton) } }
        return try body(automaton)
    }
}

extension AutomatonPool {
    /// Tests whose automata are kept, so that the blocks of a query share what they have learnt.
    private static let knownCountMax = 64

    private enum Key: Hashable {
        case needle(Needle)
        case glob(GlobPattern)
        case texts([[UInt8]])
    }

    private static let known = Guarded<[Key: AutomatonPool]>([:])

    /// The automata of a test; `nil` for tests that automata cannot do.
    static func pool(for test: ValueTest) -> AutomatonPool? {
        switch test {
        case .contains(let needle): return self.pool(.needle(needle)) { AutomatonProgram(needle) }
        case .equals(let text): return self.pool(.texts([text])) { AutomatonProgram(anyOf: [text]) }
        case .oneOf(let set): return self.pool(.texts(set.strings)) { AutomatonProgram(anyOf: set.strings) }
        case .glob(let glob):
            return self.pool(.glob(glob)) {
                let pieces = glob.hasStar ? [glob.prefix] + glob.middle + [glob.suffix] : [glob.prefix]
                return AutomatonProgram(pieces: pieces, foldsCase: glob.foldsCase)
            }
        case .regex(let regex): return regex.automata
        case .present, .equalsNumber, .number, .any: return nil
        }
    }

    private static func pool(_ key: Key, _ program: () -> AutomatonProgram?) -> AutomatonPool? {
        if let pool = self.known.withLock({ $0[key] }) { return pool }
        guard let pool = program().map({ AutomatonPool($0) }) else { return nil }
        self.known.withLock { known in
            if known.count >= Self.knownCountMax { known.removeAll() }
            known[key] = pool
        }
        return pool
    }
}
