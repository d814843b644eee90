/// The states of an automaton in many texts at once, which go through the same slots.
struct RunOverRows {
    private let automaton: TextAutomaton
    let rowCount: Int
    /// The state of all, if it is the same.
    private var common: TextAutomaton.State?
    private var states: [TextAutomaton.State] = []

    init(_ automaton: TextAutomaton, state: TextAutomaton.State, rowCount: Int) {
        self.automaton = automaton
        self.common = state
        self.rowCount = rowCount
    }

    func state(of index: Int) -> TextAutomaton.State { self.common ?? self.states[index] }

    /// Goes over a value of a column, another one for each row, and then over a text that is the same for all.
    ///
    /// `withNeedle` names the values that contain the needle, if that is known.
    mutating func pass(
        over column: Column,
        withNeedle found: Bitmap?,
        at value: (Int) -> Int,
        followedBy text: UnsafeRawBufferPointer,
        isLast: Bool
    ) {
        if let common = self.common, TextAutomaton.isFinal(common) { return }
        if let found, self.look(at: found, at: value, followedBy: text, isLast: isLast) { return }
        if let common = self.common, case .dictionary(let dictionary) = column,
            self.step(dictionary, from: common, at: value)
        {
            self.step(text)
            return
        }
        if let common = self.common {
            self.states = [TextAutomaton.State](repeating: common, count: self.rowCount)
            self.common = nil
        }
        self.step(column, at: value)
        self.step(text)
    }

    /// Whether all rows are where they began.
    var hasSeenNothing: Bool { self.common == self.automaton.start }

    /// Fast path: the automaton has seen nothing of a needle yet, and what follows forgets all but whether it was found.
    private mutating func look(
        at found: Bitmap,
        at value: (Int) -> Int,
        followedBy text: UnsafeRawBufferPointer,
        isLast: Bool
    ) -> Bool {
        guard let needle = self.automaton.program.needle, self.hasSeenNothing else { return false }
        let behind = self.automaton.run(self.automaton.start, text)
        // Whatever a value leaves behind it is a state that some beginning of the needle leads to.
        guard !TextAutomaton.isFinal(behind), isLast && text.isEmpty || self.forgets(needle, text, behind) else {
            return false
        }
        if found.isEmpty {
            self.common = behind
            return true
        }
        self.common = nil
        self.states = (0..<self.rowCount).map { found[value($0)] ? TextAutomaton.accepted : behind }
        return true
    }

    /// Whether a text leads from every beginning of the needle to one state.
    private func forgets(_ needle: Needle, _ text: UnsafeRawBufferPointer, _ state: TextAutomaton.State) -> Bool {
        needle.bytes.withUnsafeBytes { bytes in
            (1..<max(1, bytes.count)).allSatisfy { count in
                let inside = self.automaton.run(self.automaton.start, bytes.slice(0..<count))
                return self.automaton.run(inside, text) == state
            }
        }
    }

    /// Goes over a text that is the same for all.
    private mutating func step(_ text: UnsafeRawBufferPointer) {
        guard text.count > 0 else { return }
        if let common = self.common {
            self.common = self.automaton.run(common, text)
            return
        }
        var known: [TextAutomaton.State: TextAutomaton.State] = [:]
        var last = (from: TextAutomaton.State(-1), to: TextAutomaton.State(-1))
        for index in self.states.indices {
            let state = self.states[index]
            if state != last.from {
                last = (state, known[state] ?? self.automaton.run(state, text))
                known[state] = last.to
            }
            self.states[index] = last.to
        }
    }

    /// Goes over a value of a column, another one for each row.
    private mutating func step(_ column: Column, at value: (Int) -> Int) {
        switch column {
        case .constant(let column): self.step(column.value.unsafeBytes)
        case .dictionary(let column): self.step(column, at: value)
        case .plain(let column):
            let values = column.values
            self.stepEach { values[value($0)] }
        case .integer(let column):
            let values = column.values
            self.stepEach(room: NumberForm.byteCountMax) { DecimalDigits.write(values[value($0)], to: $1) }
        case .number(let column):
            let form = column.form
            let numbers = column.numbers
            self.stepEach(room: NumberForm.byteCountMax) { form.write(numbers[value($0)], to: $1) }
        case .identifier(let column):
            self.stepEach(room: column.textByteCount) { index, target in
                column.write(value(index), to: target)
                return column.textByteCount
            }
        case .prefixed(let column):
            self.step(column.prefix.unsafeBytes)
            self.step(column.rest, at: value)
        case .reference(let column) where column.droppedByteCount == 0:
            self.step(column.target, at: { column.row(value($0)) })
        case .reference, .template:
            var scratch = TextScratch()
            self.stepEach { scratch.text(of: column, at: value($0)) }
        }
    }

    @inline(__always)
    private mutating func stepEach(_ text: (Int) -> UnsafeRawBufferPointer) {
        let automaton = self.automaton
        for index in self.states.indices {
            let state = self.states[index]
            if TextAutomaton.isFinal(state) { continue }
            self.states[index] = automaton.run(state, text(index))
        }
    }

    @inline(__always)
    private mutating func stepEach(room: Int, _ write: (Int, UnsafeMutablePointer<UInt8>) -> Int) {
        let target = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
        defer { target.deallocate() }
        self.stepEach { UnsafeRawBufferPointer(start: target, count: write($0, target)) }
    }

    /// Fast path: all are in one state, so that each text of a dictionary is gone over once; `false` when there are more
    /// texts than rows.
    private mutating func step(
        _ column: DictionaryColumn,
        from common: TextAutomaton.State,
        at value: (Int) -> Int
    ) -> Bool {
        let texts = column.values
        guard texts.count <= self.rowCount else { return false }
        let ends = (0..<texts.count).map { self.automaton.run(common, texts[$0]) }
        if ends.allSatisfy({ $0 == ends[0] }) {
            self.common = ends[0]
            return true
        }
        let codes = column.codes
        self.common = nil
        self.states = (0..<self.rowCount).map { ends[Int(codes[value($0)])] }
        return true
    }

    /// Each text of a dictionary once per state before it.
    private mutating func step(_ column: DictionaryColumn, at value: (Int) -> Int) {
        var known: [TextAutomaton.State: Int] = [:]
        var ends: [TextAutomaton.State] = []
        let textCount = column.values.count
        let codes = column.codeList
        var last = (state: TextAutomaton.State(-1), place: 0)
        for index in self.states.indices {
            let state = self.states[index]
            if TextAutomaton.isFinal(state) { continue }
            if state != last.state {
                let place = known[state] ?? ends.count
                if place == ends.count { ends.append(contentsOf: repeatElement(-1, count: textCount)) }
                known[state] = place
                last = (state, place)
            }
            let code = Int(codes[value(index)])
            if ends[last.place + code] < 0 { ends[last.place + code] = self.automaton.run(state, column.values[code]) }
            self.states[index] = ends[last.place + code]
        }
    }
}
