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
    private let bytes: ByteSet
    private let partsWithNeedle: Bitmap
    /// An automaton for the needle itself, for templates within slots.
    private let automaton: TextAutomaton?
    private var foundInColumns: [Found?]

    /// What is known of texts from the needle that an automaton requires; `nil` when it requires none.
    init?(_ automaton: TextAutomaton, in texts: TemplateTexts) {
        guard let needle = automaton.program.required else { return nil }
        self.texts = texts
        self.needle = needle
        self.bytes = needle.byteSet
        self.partsWithNeedle = texts.parts.indexes(containing: needle, within: nil)
        self.automaton = automaton.program.needle == nil ? Self.automaton(for: needle, in: texts) : automaton
        self.foundInColumns = [Found?](repeating: nil, count: texts.columns.count)
    }

    /// An automaton for a needle that is only a part of what is asked; `nil` when no slot has templates within.
    private static func automaton(for needle: Needle, in texts: TemplateTexts) -> TextAutomaton? {
        let isNested = texts.columns.contains { column in
            switch column {
            case .template: true
            case .reference(let column): if case .template = column.target { true } else { false }
            default: false
            }
        }
        return isNested ? AutomatonProgram(needle).map { TextAutomaton($0) } : nil
    }

    /// Whether a part has the needle.
    func isFound(inPart part: Int) -> Bool { self.partsWithNeedle[part] }

    mutating func verdict(on template: TemplateTexts.Template) -> Verdict {
        for part in template.firstPart...template.firstPart + template.slotCount where self.partsWithNeedle[part] {
            return .all(true)
        }
        var columns: [Int] = []
        for slot in 0..<template.slotCount {
            guard self.isApart(template, slot) else { return .unknown }
            let column = Int(self.texts.slots[template.firstSlot + slot])
            switch self.found(in: column) {
            case .none: break
            case .values, .codes: columns.append(column)
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

    // MARK: borders

    /// Whether no match can lie across a slot's beginning or end.
    private func isApart(_ template: TemplateTexts.Template, _ slot: Int) -> Bool {
        let before = self.texts.parts[template.firstPart + slot]
        let behind = self.texts.parts[template.firstPart + slot + 1]
        if before.isEmpty ? slot > 0 : self.mayBegin(atEndOf: before) { return false }
        if behind.isEmpty { return slot == template.slotCount - 1 }
        return !self.mayEnd(atBeginningOf: behind)
    }

    /// Whether a match can begin before the end of a part, or before the part, and end behind it.
    private func mayBegin(atEndOf part: UnsafeRawBufferPointer) -> Bool {
        guard self.bytes.contains(part[part.count - 1]) else { return false }
        return (1..<self.needle.bytes.count).contains { taken in
            let count = min(taken, part.count)
            return self.isEqual(part.slice(part.count - count..<part.count), taken - count)
        }
    }

    /// Whether a match can begin before a part and end in it or behind it.
    private func mayEnd(atBeginningOf part: UnsafeRawBufferPointer) -> Bool {
        guard self.bytes.contains(part[0]) else { return false }
        return (1..<self.needle.bytes.count).contains { taken in
            let count = min(self.needle.bytes.count - taken, part.count)
            return self.isEqual(part.slice(0..<count), taken)
        }
    }

    /// Whether bytes match those of the needle from one of them on.
    private func isEqual(_ text: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        for index in 0..<text.count {
            let byte = text[index]
            let folded = self.needle.foldsCase && byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
            if folded != self.needle.bytes[start + index] { return false }
        }
        return true
    }

    // MARK: slots

    private mutating func found(in column: Int) -> Found {
        if let known = self.foundInColumns[column] { return known }
        let found: Found
        if self.texts.columnTraits[column].mayHold(self.needle) {
            found = self.found(in: self.texts.columns[column])
        } else {
            found = .none
        }
        self.foundInColumns[column] = found
        return found
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

extension Needle {
    /// The bytes of texts that may be part of a match.
    fileprivate var byteSet: ByteSet {
        var set = ByteSet()
        for byte in self.bytes { set.formUnion(ByteSet(byte, foldsCase: self.foldsCase)) }
        return set
    }
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
