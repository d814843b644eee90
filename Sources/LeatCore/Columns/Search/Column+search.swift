/// What a search found out about rows.
public struct RowMatches: Sendable {
    /// The rows whose text passes.
    public var passing: Bitmap
    /// Rows about which somebody else must decide, none of them in `passing`; `nil` when there are none.
    public var uncertain: Bitmap?

    public init(passing: Bitmap, uncertain: Bitmap? = nil) {
        self.passing = passing
        self.uncertain = uncertain
    }
}

extension Column {
    /// The rows among `candidates` (`nil`: all), which have the field, whose text an automaton lets pass.
    ///
    /// Each distinct text is looked at once, and texts are not put together if what they are made of tells.
    public func rows(passing automaton: TextAutomaton, within candidates: Bitmap?) -> RowMatches {
        switch self {
        case .constant(let column):
            let result = column.value.withUnsafeBytes { automaton.passes($0) }
            let all = candidates ?? Bitmap(repeating: true, count: column.rowCount)
            let none = Bitmap(repeating: false, count: column.rowCount)
            guard let result else { return RowMatches(passing: none, uncertain: all) }
            return RowMatches(passing: result ? all : none)
        case .dictionary(let column): return column.rows(passing: automaton, within: candidates)
        case .plain(let column): return column.values.strings(passing: automaton, within: candidates)
        case .identifier(let column):
            guard automaton.mayPass(column.traits) else { break }
            if let needle = automaton.program.needle, let found = column.rows(containing: needle, within: candidates) {
                return RowMatches(passing: found)
            }
            return self.rows(passingEach: automaton, within: candidates)
        case .template(let column):
            if let candidates, candidates.setCount <= TemplateSearch.sparseRowCountMax {
                return self.rows(passingEach: automaton, within: candidates)
            }
            var search = TemplateSearch(column.texts, automaton)
            return search.rows(within: candidates)
        case .integer, .number:
            guard automaton.mayPass(self.traits) else { break }
            return self.rows(passingEach: automaton, within: candidates)
        case .prefixed(let column):
            guard !column.rest.hasCheapTraits || automaton.mayPass(self.traits) else { break }
            return self.rows(passingEach: automaton, within: candidates)
        case .reference(let column):
            if column.rows == nil, column.droppedByteCount == 0 {
                return column.target.rows(passing: automaton, within: candidates)
            }
            return self.rows(passingEach: automaton, within: candidates)
        }
        return RowMatches(passing: Bitmap(repeating: false, count: self.rowCount))
    }

    /// Whether traits are known without a look at texts.
    private var hasCheapTraits: Bool {
        switch self {
        case .integer, .number, .identifier: true
        case .constant, .dictionary, .plain, .prefixed, .reference, .template: false
        }
    }

    /// Slow path: runs over each text.
    private func rows(passingEach automaton: TextAutomaton, within candidates: Bitmap?) -> RowMatches {
        let rows = candidates?.rows
        var run = RunOverRows(automaton, state: automaton.start, rowCount: rows?.count ?? self.rowCount)
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        if let rows {
            run.pass(over: self, withNeedle: nil, at: { Int(rows[$0]) }, followedBy: nothing, isLast: true)
        } else {
            run.pass(over: self, withNeedle: nil, at: { $0 }, followedBy: nothing, isLast: true)
        }
        var result = RowMatches(passing: Bitmap(repeating: false, count: self.rowCount))
        for index in 0..<run.rowCount {
            let state = run.state(of: index)
            let row = rows.map { Int($0[index]) } ?? index
            if state == TextAutomaton.uncertain {
                result.note(uncertain: row)
            } else if automaton.passes(state) {
                result.passing.set(row)
            }
        }
        return result
    }
}

extension DictionaryColumn {
    fileprivate func rows(passing automaton: TextAutomaton, within candidates: Bitmap?) -> RowMatches {
        let texts = self.values.strings(passing: automaton, within: nil)
        let codes = self.codes
        func rows(of texts: Bitmap) -> Bitmap {
            if texts.isEmpty { return Bitmap(repeating: false, count: codes.count) }
            return Bitmap(codes: codes, among: texts.rows.lazy.map { Int($0) }, within: candidates)
        }
        return RowMatches(passing: rows(of: texts.passing), uncertain: texts.uncertain.map { rows(of: $0) })
    }
}

extension ByteStrings {
    /// The strings among `candidates` (`nil`: all) that an automaton lets pass.
    func strings(passing automaton: TextAutomaton, within candidates: Bitmap?) -> RowMatches {
        if let needle = automaton.program.needle {
            return RowMatches(passing: self.indexes(containing: needle, within: candidates))
        }
        var candidates = candidates
        if let required = automaton.program.required {
            let found = self.indexes(containing: required, within: candidates)
            if found.isEmpty { return RowMatches(passing: found) }
            candidates = found
        }
        var uncertain: [Int] = []
        let passing = Bitmap(within: candidates, count: self.count) { index in
            let state = automaton.run(automaton.start, self[index])
            if state == TextAutomaton.uncertain { uncertain.append(index) }
            return automaton.passes(state)
        }
        return RowMatches(passing: passing, uncertain: Bitmap(uncertain, count: self.count))
    }

    /// The strings among `selection` (or all) that contain the needle: one pass over all bytes, then the string of
    /// each hit.
    public func indexes(containing needle: Needle, within selection: Bitmap?) -> Bitmap {
        var result = Bitmap(repeating: false, count: self.count)
        let area = self.bytes.unsafeBytes
        let offsets = self.offsets
        let length = needle.bytes.count
        var index = 0
        var position = 0
        while position + length <= area.count, let found = ByteSearch.find(needle, in: area, from: position) {
            index = Self.index(of: found, after: index, in: offsets)
            let end = Int(offsets[index + 1])
            if found + length <= end {
                if selection?[index] ?? true { result.set(index) }
                position = end
            } else {
                position = found + 1
            }
        }
        withExtendedLifetime(self.bytes) {}
        return result
    }

    /// The string that holds the byte at `position`, which is not before `start`: doubling steps, then halving.
    private static func index(of position: Int, after start: Int, in offsets: [UInt32]) -> Int {
        let wanted = UInt32(position)
        var low = start
        var step = 1
        while low + step < offsets.count - 1, offsets[low + step] <= wanted {
            low += step
            step *= 2
        }
        var high = min(low + step, offsets.count - 1)
        // offsets[low] <= wanted < offsets[high]; strings may be empty, the last that starts there holds the byte.
        while high - low > 1 {
            let middle = (low + high) / 2
            if offsets[middle] <= wanted { low = middle } else { high = middle }
        }
        return low
    }
}

extension IdentifierColumn {
    /// The rows among `candidates` (`nil`: all) whose text contains a needle, found in the stored bytes; `nil` when the
    /// needle is too short for that.
    func rows(containing needle: Needle, within candidates: Bitmap?) -> Bitmap? {
        let digits = Self.longestDigits(needle.bytes)
        var result = Bitmap(repeating: false, count: self.rowCount)
        if needle.bytes.count > self.textByteCount { return result }
        // At an even place of the text two digits make one stored byte; at an odd one the first digit stands alone.
        let even = Self.pairs(digits[...])
        let odd = Self.pairs(digits.dropFirst())
        guard odd.count >= 2 else { return nil }
        let area = self.bytes.unsafeBytes
        var scratch = TextScratch()
        let column = Column.identifier(self)
        // A whole text has its first digit at its beginning.
        for wanted in needle.bytes.count == self.textByteCount ? [even] : [even, odd] {
            var position = 0
            wanted.withUnsafeBytes { wanted in
                while let found = ByteSearch.find(wanted, in: area, from: position) {
                    let row = self.row(ofValue: found / self.width)
                    position = found + 1
                    guard candidates?[row] ?? true else { continue }
                    if ByteSearch.find(needle, in: scratch.text(of: column, at: row)) != nil { result.set(row) }
                }
            }
        }
        withExtendedLifetime(self.bytes) {}
        return result
    }

    /// The longest run of lower-case hexadecimal digits.
    private static func longestDigits(_ bytes: [UInt8]) -> [UInt8] {
        bytes.split { self.value($0) == nil }.max { $0.count < $1.count }.map { Array($0) } ?? []
    }

    private static func pairs(_ digits: ArraySlice<UInt8>) -> [UInt8] {
        let values = digits.compactMap { self.value($0) }
        return stride(from: 0, to: values.count - 1, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}

/// Memory in which the texts of rows are written one after another.
struct TextScratch {
    private var storage = ByteStorage(byteCount: 256)

    /// The text of a row; valid until the next call.
    @inline(__always)
    mutating func text(of column: Column, at row: Int) -> UnsafeRawBufferPointer {
        let room = column.room(at: row)
        if room > self.storage.bytes.count { self.storage = ByteStorage(byteCount: room * 2) }
        let count = column.write(row, to: self.storage.start.assumingMemoryBound(to: UInt8.self))
        return UnsafeRawBufferPointer(start: self.storage.start, count: count)
    }
}

extension Bitmap {
    /// A bitmap with some bits set; `nil` when there are none.
    init?(_ rows: [Int], count: Int) {
        guard !rows.isEmpty else { return nil }
        self.init(repeating: false, count: count)
        for row in rows { self.set(row) }
    }
}
