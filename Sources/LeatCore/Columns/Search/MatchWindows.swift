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
            var left = rows[starts[code]..<starts[code + 1]]
            guard var window = windows[code] else {
                for index in left.indices {
                    let text = self.texts.whole[self.texts.places.rank(Int(left[index]))]
                    let isDone = try body(text, false, left[index...index])
                    precondition(isDone, "there is no more of the text")
                }
                continue
            }
            let template = self.texts.templates[code - 1]
            while true {
                let isShared = try self.visitShared(&left, template, window, &scratch, body)
                if !isShared { try self.visitEach(&left, template, window, &scratch, body) }
                if left.isEmpty { break }
                window.last += 1
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

    /// Visits the rows of a window in which at most one slot varies, with few distinct values; whether it was one of these.
    ///
    /// Rows that must be seen with more of their text stay in `rows`.
    private func visitShared<Failure: Error>(
        _ rows: inout ArraySlice<UInt16>,
        _ template: TemplateTexts.Template,
        _ window: Window,
        _ scratch: inout WindowScratch,
        _ body: (UnsafeRawBufferPointer, Bool, ArraySlice<UInt16>) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        let goesOn = window.last < 2 * template.slotCount
        let elements = window.first...window.last
        let varying = elements.filter { $0 & 1 == 1 }.map { Int(self.texts.slots[template.firstSlot + $0 / 2]) }
            .filter { if case .constant = self.texts.columns[$0] { false } else { true } }
        if varying.isEmpty {
            let text = scratch.text(of: self.texts, Int(rows[rows.startIndex]), elements)
            if try body(text, goesOn, rows) { rows = [] }
            return true
        }
        guard let column = varying.first, varying.count == 1, case .dictionary(let values) = self.texts.columns[column],
            values.values.count * 2 < rows.count
        else { return false }
        let places = self.texts.places
        let codes = rows.map { values.codeList[places.value(of: column, row: Int($0))] }
        let (ordered, starts) = rows.ordered(by: codes, among: values.values.count)
        for code in 0..<values.values.count where starts[code] < starts[code + 1] {
            let group = ordered[starts[code]..<starts[code + 1]]
            let text = scratch.text(of: self.texts, Int(group[group.startIndex]), elements)
            guard try body(text, goesOn, group) else {
                rows = ordered[starts[code]...]
                return true
            }
        }
        rows = []
        return true
    }

    /// Visits rows one by one; those from the first that must be seen with more of its text stay in `rows`.
    private func visitEach<Failure: Error>(
        _ rows: inout ArraySlice<UInt16>,
        _ template: TemplateTexts.Template,
        _ window: Window,
        _ scratch: inout WindowScratch,
        _ body: (UnsafeRawBufferPointer, Bool, ArraySlice<UInt16>) throws(Failure) -> Bool
    ) throws(Failure) {
        let goesOn = window.last < 2 * template.slotCount
        for index in rows.indices {
            let text = scratch.text(of: self.texts, Int(rows[index]), window.first...window.last)
            guard try body(text, goesOn, rows[index...index]) else {
                rows = rows[index...]
                return
            }
        }
        rows = []
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
