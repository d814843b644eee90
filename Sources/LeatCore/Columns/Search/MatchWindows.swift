/// Pieces of the texts of a template column that hold whatever an expression matches there.
///
/// Each template is followed once: the automaton runs over its parts, and over its slots as over any text with the slot's
/// bytes and lengths. Before a window no match has begun and none is under way; behind it none can begin. So a matcher finds in the
/// window what it would find in the whole text, unless it reaches the end of the window in the middle of an attempt:
/// then it must see more. Rows whose windows are the same text, as those of few distinct values are, share one.
public struct MatchWindows {
    private let texts: TemplateTexts
    private let automaton: TextAutomaton
    private var slots: SlotEnds
    /// Whether the expression asks where the text begins or ends, so that windows must do that there, too.
    private let asksForStart: Bool
    private let asksForEnd: Bool

    /// Ends of windows that are tried before the end of the text is taken.
    private static let endCountMax = 8

    /// Elements of a template: its first part, the value in its first slot, its second part, and so on.
    private struct Window {
        var first: Int
        var last: Int
    }

    /// `nil` for an expression of which the automaton does not know where it is idle, that matches an empty text, or that
    /// counts characters.
    public init?(_ texts: TemplateTexts, _ automaton: TextAutomaton) {
        guard !automaton.program.isASCIIOnly, !TextAutomaton.isFinal(automaton.start), automaton.knowsIdle else {
            return nil
        }
        self.texts = texts
        self.automaton = automaton
        self.slots = SlotEnds(automaton)
        self.asksForStart = automaton.program.steps.contains { if case .atStart = $0 { true } else { false } }
        self.asksForEnd = automaton.program.steps.contains { if case .atEnd = $0 { true } else { false } }
    }

    /// Calls `body` for the candidates, which have a text and may have a match: with a piece of text, whether the text
    /// goes on behind it, and the rows that have it.
    ///
    /// `body` returns `false`, which it may only when the text goes on, to be called again with more of it.
    public mutating func visit<Failure: Error>(
        within candidates: Bitmap,
        _ body: (_ piece: UnsafeRawBufferPointer, _ goesOn: Bool, _ rows: ArraySlice<UInt16>) throws(Failure) -> Bool
    ) throws(Failure) {
        let windows = self.windows(within: candidates)
        let (rows, starts) = self.texts.rowsByCode(within: candidates) { $0 == 0 || windows[$0] != nil }
        var scratch = WindowScratch()
        for code in 0...self.texts.templates.count where starts[code] < starts[code + 1] {
            let left = rows[starts[code]..<starts[code + 1]]
            guard let window = windows[code] else {
                for index in left.indices {
                    let text = self.texts.whole[self.texts.places.rank(Int(left[index]))]
                    let isDone = try body(text, false, left[index...index])
                    precondition(isDone, "there is no more of the text")
                }
                continue
            }
            var visit = Visit(template: self.texts.templates[code - 1], window: window, rows: left)
            while !visit.rows.isEmpty {
                if try !self.visitShared(&visit, &scratch, body) { try self.visitEach(&visit, &scratch, body) }
                visit.window.last += 1
            }
        }
    }

    // MARK: windows

    /// Per code of a candidate its window; `nil` where nothing matches, and for texts that are kept whole.
    private mutating func windows(within candidates: Bitmap) -> [Window?] {
        let codeCount = self.texts.templates.count + 1
        var isUsed = [Bool](repeating: false, count: Int(UInt16.max) + 1)
        self.texts.codes.withUnsafeBufferPointer { codes in
            isUsed.withUnsafeMutableBufferPointer { isUsed in
                candidates.forEachSet { isUsed[Int(codes[$0])] = true }
            }
        }
        return (0..<codeCount).map { code in
            code > 0 && isUsed[code] ? self.window(of: self.texts.templates[code - 1]) : nil
        }
    }

    /// The window of a template; `nil` when nothing matches in its texts.
    private mutating func window(of template: TemplateTexts.Template) -> Window? {
        let count = 2 * template.slotCount + 1
        // Before each element the states in which the automaton can be, as long as they are known.
        var before: [[TextAutomaton.State]] = [[self.automaton.start]]
        while before.count <= count {
            guard let next = self.ends(of: before.count - 1, template, from: before[before.count - 1]) else { break }
            before.append(next)
        }
        if before.count > count, !before[count].contains(where: { self.mayPass($0) }) { return nil }
        let idle = self.automaton.idle
        var window = Window(first: 0, last: count - 1)
        if !self.asksForStart { window.first = before.lastIndex { $0 == [idle] } ?? 0 }
        if self.asksForEnd { return window }
        var tries = 0
        for end in stride(from: window.first + 1, to: before.count, by: 1) where end < count {
            // Before a match can be complete it makes no sense to look.
            guard before[end].contains(TextAutomaton.accepted), tries < Self.endCountMax else { continue }
            tries += 1
            if self.isQuiet(from: end, template) {
                window.last = end - 1
                break
            }
        }
        return window
    }

    private func mayPass(_ state: TextAutomaton.State) -> Bool {
        state == TextAutomaton.uncertain || self.automaton.passes(state)
    }

    /// Whether no match can begin at an element or behind it.
    private mutating func isQuiet(from first: Int, _ template: TemplateTexts.Template) -> Bool {
        var states = [self.automaton.idle]
        for element in first..<2 * template.slotCount + 1 {
            guard let next = self.ends(of: element, template, from: states) else { return false }
            states = next
            if states.contains(where: { $0 == TextAutomaton.accepted || $0 == TextAutomaton.uncertain }) {
                return false
            }
        }
        return !states.contains { self.mayPass($0) }
    }

    private mutating func ends(
        of element: Int,
        _ template: TemplateTexts.Template,
        from states: [TextAutomaton.State]
    ) -> [TextAutomaton.State]? {
        if element & 1 == 0 {
            return self.slots.ends(of: self.texts.parts[template.firstPart + element / 2], from: states)
        }
        let column = Int(self.texts.slots[template.firstSlot + element / 2])
        return self.slots.ends(of: self.texts.columns[column], self.texts.columnTraits[column], from: states)
    }

    // MARK: rows

    /// The rows of one template on their way through a visitor.
    private struct Visit {
        let template: TemplateTexts.Template
        var window: Window
        /// Rows of which more must be seen, or that were not visited yet.
        var rows: ArraySlice<UInt16>

        var elements: ClosedRange<Int> { self.window.first...self.window.last }
        /// Whether the texts go on behind the window.
        var goesOn: Bool { self.window.last < 2 * self.template.slotCount }
    }

    /// Visits rows whose windows are alike together; `false`, without a visit, where hardly any are.
    private func visitShared<Failure: Error>(
        _ visit: inout Visit,
        _ scratch: inout WindowScratch,
        _ body: (UnsafeRawBufferPointer, Bool, ArraySlice<UInt16>) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        let rows = visit.rows
        let firstSlot = visit.template.firstSlot
        let varying = visit.elements.filter { $0 & 1 == 1 }.map { Int(self.texts.slots[firstSlot + $0 / 2]) }
            .filter { if case .constant = self.texts.columns[$0] { false } else { true } }
        if varying.isEmpty {
            let text = scratch.text(of: self.texts, Int(rows[rows.startIndex]), visit.elements)
            if try body(text, visit.goesOn, rows) { visit.rows = [] }
            return true
        }
        guard let (codes, count) = self.combinations(of: varying, rows) else { return false }
        let (ordered, starts) = rows.ordered(by: codes, among: count)
        for code in 0..<count {
            let group = ordered[starts[code]..<starts[code + 1]]
            let text = scratch.text(of: self.texts, Int(group[group.startIndex]), visit.elements)
            guard try body(text, visit.goesOn, group) else {
                visit.rows = ordered[starts[code]...]
                return true
            }
        }
        visit.rows = []
        return true
    }

    /// Entries of a table in which combinations of values are looked up.
    private static let combinationCountMax = 1 << 18

    /// Per row which combination of values it has in some columns, and how many combinations there are; `nil` where they
    /// are no dictionaries or small numbers, or more than half of the rows have one of their own.
    private func combinations(of columns: [Int], _ rows: ArraySlice<UInt16>) -> (codes: [UInt16], count: Int)? {
        var codes = [UInt16](repeating: 0, count: rows.count)
        var count = 1
        let places = self.texts.places
        for column in columns {
            guard let values = DistinctValues(of: self.texts.columns[column]) else { return nil }
            let (size, overflows) = count.multipliedReportingOverflow(by: values.count)
            guard !overflows, size <= Self.combinationCountMax else { return nil }
            var numbers = [UInt16](repeating: .max, count: size)
            count = 0
            for (index, row) in rows.enumerated() {
                let value = values.code(of: places.value(of: column, row: Int(row)))
                let place = Int(codes[index]) * values.count + value
                if numbers[place] == .max {
                    guard count * 2 < rows.count else { return nil }
                    numbers[place] = UInt16(count)
                    count += 1
                }
                codes[index] = numbers[place]
            }
        }
        return (codes, count)
    }

    /// Visits rows one by one, up to the first of which more must be seen.
    private func visitEach<Failure: Error>(
        _ visit: inout Visit,
        _ scratch: inout WindowScratch,
        _ body: (UnsafeRawBufferPointer, Bool, ArraySlice<UInt16>) throws(Failure) -> Bool
    ) throws(Failure) {
        let rows = visit.rows
        for index in rows.indices {
            let text = scratch.text(of: self.texts, Int(rows[index]), visit.elements)
            guard try body(text, visit.goesOn, rows[index...index]) else {
                visit.rows = rows[index...]
                return
            }
        }
        visit.rows = []
    }
}

/// Values of a column as numbers below `count`, equal ones for equal values.
private struct DistinctValues {
    private enum Source {
        case codes(CodeList)
        case numbers(NumberList, least: Int64)
    }

    private let source: Source
    let count: Int

    /// Numbers that are further apart are not worth a table.
    private static let spanMax: Int64 = 1 << 16

    init?(of column: Column) {
        switch column {
        case .dictionary(let column):
            self.source = .codes(column.codeList)
            self.count = column.values.count
        case .number(let column):
            let bounds = column.numbers.bounds
            let (span, overflows) = bounds.upperBound.subtractingReportingOverflow(bounds.lowerBound)
            guard !overflows, span < Self.spanMax else { return nil }
            self.source = .numbers(column.numbers, least: bounds.lowerBound)
            self.count = Int(span) + 1
        case .constant, .integer, .plain, .identifier, .prefixed, .reference, .template: return nil
        }
    }

    @inline(__always)
    func code(of index: Int) -> Int {
        switch self.source {
        case .codes(let codes): Int(codes[index])
        case .numbers(let numbers, let least): Int(numbers[index] &- least)
        }
    }
}

/// Memory in which windows are put together.
private struct WindowScratch {
    private var storage = ByteStorage(byteCount: 1_024)

    /// Some elements of the text of a row with a template; valid until the next call.
    mutating func text(of texts: TemplateTexts, _ row: Int, _ elements: ClosedRange<Int>) -> UnsafeRawBufferPointer {
        let room = texts.room(at: row)
        if room > self.storage.bytes.count { self.storage = ByteStorage(byteCount: room * 2) }
        let target = self.storage.start.assumingMemoryBound(to: UInt8.self)
        return UnsafeRawBufferPointer(start: target, count: texts.write(row, elements: elements, to: target))
    }
}

extension TemplateTexts {
    /// The rows of `candidates` with wanted codes, code by code, and where those of each code begin, and the last end.
    fileprivate func rowsByCode(
        within candidates: Bitmap,
        where isWanted: (Int) -> Bool
    ) -> (rows: ArraySlice<UInt16>, starts: [Int]) {
        var wanted = [Bool](repeating: false, count: Int(UInt16.max) + 1)
        for code in 0...self.templates.count { wanted[code] = isWanted(code) }
        var rows: [UInt16] = []
        var codes: [UInt16] = []
        candidates.forEachSet { row in
            let code = self.codes[row]
            guard wanted[Int(code)] else { return }
            rows.append(UInt16(truncatingIfNeeded: row))
            codes.append(code)
        }
        let (elements, starts) = rows[...].ordered(by: codes, among: self.templates.count + 1)
        return (elements, starts)
    }
}

extension ArraySlice<UInt16> {
    /// The elements in the order of their codes, which are below `codeCount`, equal codes in the order in which they are,
    /// and where those of each code begin, and the last end.
    fileprivate func ordered(by codes: [UInt16], among codeCount: Int) -> (elements: ArraySlice<UInt16>, starts: [Int])
    {
        var starts = [Int](repeating: 0, count: codeCount + 1)
        for code in codes { starts[Int(code) + 1] += 1 }
        for code in 0..<codeCount { starts[code + 1] += starts[code] }
        var next = starts
        var result = [UInt16](repeating: 0, count: codes.count)
        for (element, code) in zip(self, codes) {
            result[next[Int(code)]] = element
            next[Int(code)] += 1
        }
        return (result[...], starts)
    }
}
