/// Runs an `AutomatonProgram` over bytes, one table look-up per byte; for one thread at a time.
///
/// States are made when they are first reached, at most `stateCountMax`. A text for which there is no room, or whose
/// characters the program does not know, ends in `uncertain`: somebody else must decide about it.
public final class TextAutomaton: @unchecked Sendable {
    // Sound as Sendable: whoever uses it has taken it out of a pool, so that no two threads do at once.

    /// A state; the first three never change again, whatever bytes follow.
    public typealias State = Int32

    /// The text passes.
    public static let accepted: State = 0
    /// Nothing is known about the text.
    public static let uncertain: State = 1
    /// The text does not pass.
    public static let refused: State = 2

    /// Beyond this many states texts are uncertain; a table of them takes a megabyte or two.
    static let stateCountMax = 2_000

    public let program: AutomatonProgram
    /// The state before the first byte.
    public private(set) var start: State = TextAutomaton.refused
    /// The state behind the first byte as long as no match is under way; see `knowsIdle`.
    private(set) var idle: State = TextAutomaton.refused
    /// Whether no match is under way in state `idle`.
    ///
    /// So it is if a match, whatever byte it has taken, waits for something that none begins with. Not so for `e* `, which
    /// after an `e` waits for what it began with.
    private(set) lazy var knowsIdle = self.program.steps.allSatisfy { step in
        guard case .bytes(_, let next) = step else { return true }
        return Self.closure([Int32(next)], of: self.program, isAtStart: false).contains { !self.restart.contains($0) }
    }

    /// An automaton for the text that all passing texts have; `nil` when there is none.
    private(set) lazy var ofRequired = self.program.required.flatMap { AutomatonProgram($0) }.map { TextAutomaton($0) }

    private let classCount: Int
    private let classes: UnsafeMutablePointer<UInt8>
    /// Per state and class the next state; -1 when it was not asked for yet.
    private var table: UnsafeMutablePointer<State>
    private var stateCapacity = 64
    private var stateCount: Int
    private var stepsOfState: [[Int32]]
    private var passesAtEnd: [Bool]
    private var stateOfSteps: [[Int32]: State] = [:]
    /// Where a match may begin behind the first byte.
    private let restart: [Int32]

    public init(_ program: AutomatonProgram) {
        self.program = program
        self.classCount = program.classCount
        self.classes = .allocate(capacity: 256)
        for byte in 0..<256 { self.classes[byte] = program.classOfByte[byte] }
        self.table = .allocate(capacity: 64 * program.classCount)
        self.table.initialize(repeating: -1, count: 64 * program.classCount)
        self.restart = Self.closure([Int32(program.start)], of: program, isAtStart: false)
        self.stepsOfState = [[], [], []]
        self.passesAtEnd = [true, false, false]
        self.stateCount = 3
        for state in 0..<3 {
            for index in 0..<program.classCount { self.table[state * program.classCount + index] = State(state) }
        }
        self.start = self.state(of: Self.closure([Int32(program.start)], of: program, isAtStart: true))
        self.idle = self.state(of: self.restart)
    }

    deinit {
        self.classes.deallocate()
        self.table.deallocate()
    }

    /// Whether a state never changes again.
    @inline(__always)
    public static func isFinal(_ state: State) -> Bool { state <= self.refused }

    /// The state after some bytes.
    public func run(_ state: State, _ bytes: UnsafeRawBufferPointer) -> State {
        guard state > Self.refused, let start = bytes.baseAddress else { return state }
        var state = state
        var table = self.table
        let classes = self.classes
        let classCount = self.classCount
        for index in 0..<bytes.count {
            let group = Int(classes[Int(start.load(fromByteOffset: index, as: UInt8.self))])
            var next = table[Int(state) &* classCount &+ group]
            if next < 0 {
                next = self.make(state, group)
                table = self.table
            }
            state = next
            if state <= Self.refused { return state }
        }
        return state
    }

    /// What a text that ends in a state is.
    @inline(__always)
    public func passes(_ state: State) -> Bool { self.passesAtEnd[Int(state)] }

    /// Whether a text passes; `nil` when that is uncertain.
    public func passes(_ text: UnsafeRawBufferPointer) -> Bool? {
        let state = self.run(self.start, text)
        return state == Self.uncertain ? nil : self.passes(state)
    }

    /// The classes to which some bytes belong.
    func classes(of bytes: ByteSet) -> [UInt8] {
        var found = [Bool](repeating: false, count: self.classCount)
        for byte in 0..<256 where bytes.contains(UInt8(byte)) { found[Int(self.classes[byte])] = true }
        return found.indices.filter { found[$0] }.map { UInt8($0) }
    }

    /// The next state for a byte of a class.
    @inline(__always)
    func step(_ state: State, class group: UInt8) -> State {
        let next = self.table[Int(state) &* self.classCount &+ Int(group)]
        return next < 0 ? self.make(state, Int(group)) : next
    }

    // MARK: making states

    /// Slow path: a transition that nobody took before.
    @inline(never)
    private func make(_ state: State, _ group: Int) -> State {
        let byte = self.program.byteOfClass[group]
        let next: State
        if self.program.isASCIIOnly, byte >= 0x80 {
            next = Self.uncertain
        } else {
            var steps = self.restart
            for step in self.stepsOfState[Int(state)] {
                if case .bytes(let set, let following) = self.program.steps[Int(step)], set.contains(byte) {
                    steps += Self.closure([Int32(following)], of: self.program, isAtStart: false)
                }
            }
            next = self.state(of: steps)
        }
        self.table[Int(state) * self.classCount + group] = next
        return next
    }

    private func state(of steps: [Int32]) -> State {
        let steps = Array(Set(steps)).sorted()
        if steps.isEmpty { return Self.refused }
        // Acceptance is step 0.
        if steps[0] == 0 { return Self.accepted }
        if let known = self.stateOfSteps[steps] { return known }
        guard self.stateCount < Self.stateCountMax else { return Self.uncertain }
        if self.stateCount == self.stateCapacity { self.enlarge() }
        let state = State(self.stateCount)
        self.stateCount += 1
        (self.table + Int(state) * self.classCount).update(repeating: -1, count: self.classCount)
        self.stepsOfState.append(steps)
        self.passesAtEnd.append(self.isAccepting(atEnd: steps))
        self.stateOfSteps[steps] = state
        return state
    }

    private func enlarge() {
        let capacity = self.stateCapacity * 2
        let table = UnsafeMutablePointer<State>.allocate(capacity: capacity * self.classCount)
        table.initialize(repeating: -1, count: capacity * self.classCount)
        table.update(from: self.table, count: self.stateCount * self.classCount)
        self.table.deallocate()
        self.table = table
        self.stateCapacity = capacity
    }

    private func isAccepting(atEnd steps: [Int32]) -> Bool {
        var waiting = steps
        var seen: Set<Int32> = []
        while let step = waiting.popLast() {
            guard seen.insert(step).inserted else { continue }
            switch self.program.steps[Int(step)] {
            case .atEnd(let next): waiting.append(Int32(next))
            case .either(let one, let other): waiting += [Int32(one), Int32(other)]
            case .accept: return true
            case .bytes, .atStart: break
            }
        }
        return false
    }

    /// The steps that take a byte, ask for the end, or accept, and are reached from `steps` without a byte.
    private static func closure(_ steps: [Int32], of program: AutomatonProgram, isAtStart: Bool) -> [Int32] {
        var waiting = steps
        var seen: Set<Int32> = []
        var result: [Int32] = []
        while let step = waiting.popLast() {
            guard seen.insert(step).inserted else { continue }
            switch program.steps[Int(step)] {
            case .bytes, .atEnd, .accept: result.append(step)
            case .either(let one, let other): waiting += [Int32(one), Int32(other)]
            case .atStart(let next): if isAtStart { waiting.append(Int32(next)) }
            }
        }
        return result
    }
}
