/// Where a text that passes must have a needle: in which parts of templates, in which values of their slots.
///
/// Parts are searched once for all templates, and so are the distinct values of each slot; what is too short for the
/// needle, or lacks one of its bytes, is not searched. This decides most templates before an automaton runs, exactly
/// where no match can span a part and a slot.
struct NeedleInTemplates {
    /// What is known of the texts of a template.
    enum Verdict {
        /// All of them have the needle, or none.
        case all(Bool)
        /// Those that have it in the value of one of these columns.
        case values([Int])
        /// Nothing.
        case unknown
    }

    /// The values of a column that have the needle.
    private enum Found {
        case none
        case values(Bitmap)
        /// Those with one of these codes.
        case codes(Bitmap, CodeList)
        case unknown
    }

    private let texts: TemplateTexts
    private let needle: Needle
    private var borders: NeedleBorders
    private let partsWithNeedle: Bitmap
    /// An automaton for the needle itself, for templates within slots.
    private let automaton: TextAutomaton?
    private var foundInColumns: [Found?]
    /// What is in `foundInColumns`, in a form that costs nothing to look at.
    private var outcomes: [Outcome]

    private enum Outcome { case notAsked, none, some, unknown }

    /// What is known of texts from the needle that an automaton requires; `nil` when it requires none.
    init?(_ automaton: TextAutomaton, in texts: TemplateTexts) {
        guard let needle = automaton.program.required else { return nil }
        self.texts = texts
        self.needle = needle
        self.borders = NeedleBorders(needle)
        self.partsWithNeedle = texts.parts.indexes(containing: needle, within: nil)
        self.automaton = automaton.program.needle == nil ? automaton.ofRequired : automaton
        self.foundInColumns = [Found?](repeating: nil, count: texts.columns.count)
        self.outcomes = [Outcome](repeating: .notAsked, count: texts.columns.count)
    }

    /// Whether a part has the needle.
    func isFound(inPart part: Int) -> Bool { self.partsWithNeedle[part] }

    mutating func verdict(on template: TemplateTexts.Template) -> Verdict {
        for part in template.firstPart...template.firstPart + template.slotCount where self.partsWithNeedle[part] {
            return .all(true)
        }
        guard self.borders.areClear(in: template, of: self.texts) else { return .unknown }
        var columns: [Int] = []
        for slot in 0..<template.slotCount {
            let column = Int(self.texts.slots[template.firstSlot + slot])
            switch self.outcome(of: column) {
            case .none, .notAsked: break
            case .some: columns.append(column)
            case .unknown: return .unknown
            }
        }
        return columns.isEmpty ? .all(false) : .values(columns)
    }

    /// Which of the values of a column have the needle; only for columns that `verdict` named.
    func valueTest(of column: Int) -> (Int) -> Bool {
        switch self.foundInColumns[column] {
        case .values(let values): { values[$0] }
        case .codes(let texts, let codes): { texts[Int(codes[$0])] }
        case .none?, .unknown?, nil: { _ in false }
        }
    }

    // MARK: slots

    private mutating func outcome(of column: Int) -> Outcome {
        if self.outcomes[column] != .notAsked { return self.outcomes[column] }
        let mayHold = self.texts.columnTraits[column].mayHold(self.needle)
        let found = mayHold ? self.found(in: self.texts.columns[column]) : .none
        self.foundInColumns[column] = found
        switch found {
        case .none: self.outcomes[column] = .none
        case .values, .codes: self.outcomes[column] = .some
        case .unknown: self.outcomes[column] = .unknown
        }
        return self.outcomes[column]
    }

    private func found(in column: Column) -> Found {
        switch column {
        case .constant(let column):
            let isThere = column.value.withUnsafeBytes { ByteSearch.find(self.needle, in: $0) != nil }
            return isThere ? .values(Bitmap(repeating: true, count: column.rowCount)) : .none
        case .dictionary(let column):
            let texts = column.values.indexes(containing: self.needle, within: nil)
            return texts.isEmpty ? .none : .codes(texts, column.codeList)
        case .identifier(let column):
            return column.rows(containing: self.needle, within: nil).map { self.values($0) } ?? .unknown
        case .plain(let column): return self.values(column.values.indexes(containing: self.needle, within: nil))
        case .reference(let column): return self.found(in: column)
        case .template(let column):
            guard let automaton = self.automaton else { return .unknown }
            var search = TemplateSearch(column.texts, automaton)
            let matches = search.rows(within: nil)
            return matches.uncertain == nil ? self.values(matches.passing) : .unknown
        case .integer, .number, .prefixed: return .unknown
        }
    }

    private func found(in column: ReferenceColumn) -> Found {
        guard column.target.traits.mayHold(self.needle) else { return .none }
        guard column.droppedByteCount == 0 else { return .unknown }
        switch self.found(in: column.target) {
        case .none: return .none
        case .unknown: return .unknown
        case .values(let values):
            guard column.rows != nil else { return .values(values) }
            return self.values(Bitmap(count: column.rowCount) { values[column.row($0)] })
        case .codes(let texts, let codes):
            guard column.rows != nil else { return .codes(texts, codes) }
            return self.values(Bitmap(count: column.rowCount) { texts[Int(codes[column.row($0)])] })
        }
    }

    private func values(_ values: Bitmap) -> Found { values.isEmpty ? .none : .values(values) }
}

extension TextTraits {
    /// Whether a text with these traits may contain a needle.
    public func mayHold(_ needle: Needle) -> Bool {
        self.lengths.upperBound >= needle.bytes.count
            && needle.bytes.allSatisfy { byte in
                self.bytes.contains(byte)
                    || needle.foldsCase && byte &- UInt8(ascii: "a") < 26 && self.bytes.contains(byte & ~0x20)
            }
    }
}
