/// See `Column.template`.
public struct TemplateColumn: Sendable {
    /// What the rows are made of; shared by all columns of the same page.
    public let texts: TemplateTexts
    /// The rows that have the field, each with a text in `texts`.
    public let presence: Bitmap?

    public init(texts: TemplateTexts, presence: Bitmap? = nil) {
        self.texts = texts
        self.presence = presence
    }
}

/// Texts of which each is a template – parts that repeat, with slots between them – and the values in its slots.
///
///     parts      "user " │ " logged in after " │ " ms" │ "shutting down" │ …
///     templates  0: parts 0...2, slots of columns 0 and 1      1: part 3, no slot
///     codes      1 1 2 1 …                  (0: the next of `whole`; `absent`: no text)
///     columns    0: 17 4711 …               1: 3 80 …
///
/// The values of a column are in the order of the rows whose templates have a slot of it; a reference to a column of the
/// rows has one at each row instead (`ReferenceColumn.byRowByteCountBound`). All parts lie in one area, so
/// that a search looks at them once.
public final class TemplateTexts: Sendable {
    public struct Template: Sendable {
        /// The first of its `slotCount + 1` parts.
        public var firstPart: Int
        /// The first of its slots in `slots`.
        public var firstSlot: Int
        public var slotCount: Int

        public init(firstPart: Int, firstSlot: Int, slotCount: Int) {
            self.firstPart = firstPart
            self.firstSlot = firstSlot
            self.slotCount = slotCount
        }
    }

    /// The code of a row without a text.
    public static let absent = UInt16.max

    public let parts: ByteStrings
    public let templates: [Template]
    /// Per slot of all templates the index of its column; no template has two slots of one column.
    public let slots: [Int32]
    /// Per row its template, counted from 1.
    public let codes: [UInt16]
    /// The texts that are kept whole.
    public let whole: ByteStrings
    /// The values of slots, all of them present.
    public let columns: [Column]

    /// Bytes that suffice for a text of each template.
    private let room: [Int]
    private let knownPlaces = LazyReference<TemplatePlaces>()
    private let knownTraits = LazyReference<SlotTraits>()
    private let knownOwnTraits = LazyReference<SlotTraits>()
    private let knownWriter = LazyReference<TemplateWriter>()

    /// Texts from parts that fit one another, see above.
    public init(
        parts: ByteStrings,
        templates: [Template],
        slots: [Int32],
        codes: [UInt16],
        whole: ByteStrings,
        columns: [Column]
    ) {
        self.parts = parts
        self.templates = templates
        self.slots = slots
        self.codes = codes
        self.whole = whole
        self.columns = columns
        let longest = columns.map(\.textByteCountMax)
        self.room = templates.map { template in
            let first = Int(parts.offsets[template.firstPart])
            let fixed = Int(parts.offsets[template.firstPart + template.slotCount + 1]) - first
            let range = template.firstSlot..<template.firstSlot + template.slotCount
            return slots[range].reduce(fixed) { $0 + longest[Int($1)] }
        }
    }

    /// The same texts, in their order, for other rows: those of `codes` that are not `absent`.
    public func with(codes: [UInt16]) -> TemplateTexts {
        TemplateTexts(
            parts: self.parts,
            templates: self.templates,
            slots: self.slots,
            codes: codes,
            whole: self.whole,
            columns: self.columns
        )
    }

    /// Where the values of rows are; worked out once.
    var places: TemplatePlaces { self.knownPlaces.value { TemplatePlaces(self) }.takeUnretainedValue() }

    /// What writes the texts of rows; made once.
    @inline(__always)
    private var writer: Unmanaged<TemplateWriter> { self.knownWriter.value { TemplateWriter(self) } }

    /// Traits of each column; worked out once.
    var columnTraits: [TextTraits] {
        self.knownTraits.value { SlotTraits(self.columns.map(\.traits)) }.takeUnretainedValue().traits
    }

    /// Bytes that suffice for any of the texts.
    var textByteCountMax: Int {
        var most = self.room.max() ?? 0
        for index in 0..<self.whole.count { most = max(most, self.whole[index].count) }
        return most
    }

    /// Bytes that suffice for the text of a row.
    func room(at row: Int) -> Int {
        let code = self.codes[row]
        if code == Self.absent { return 0 }
        return code == 0 ? self.whole[self.places.rank(row)].count : self.room[Int(code) - 1]
    }

    /// Writes the text of a row and returns its length, at most `room(at:)`.
    func write(_ row: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
        self.writer._withUnsafeGuaranteedRef { $0.write(row, to: target) }
    }

    /// See `TextSource.prefetch`.
    func prefetch(_ row: Int) { self.writer._withUnsafeGuaranteedRef { $0.prefetch(row) } }

    /// See `TextSource.prefetchText`.
    func prefetchText(_ row: Int) { self.writer._withUnsafeGuaranteedRef { $0.prefetchText(row) } }

    /// Writes some of the elements of the text of a row with a template; see `TemplateWriter`.
    func write(_ row: Int, elements: ClosedRange<Int>, to target: UnsafeMutablePointer<UInt8>) -> Int {
        self.writer._withUnsafeGuaranteedRef { $0.write(row, elements: elements, to: target) }
    }

    /// All texts, one per row.
    var strings: ByteStrings {
        var result = TextGatherer(textCapacity: self.codes.count, byteCapacity: self.parts.bytes.count)
        self.writer._withUnsafeGuaranteedRef { writer in
            for row in self.codes.indices {
                let target = result.reserve(self.room(at: row))
                result.endText(byteCount: writer.write(row, to: target))
            }
        }
        return result.finish()
    }

    /// Traits of all texts; worked out once.
    var traits: TextTraits {
        self.knownOwnTraits.value { SlotTraits([self.unitedTraits]) }.takeUnretainedValue().traits[0]
    }

    private var unitedTraits: TextTraits {
        var result = self.whole.traits
        if self.whole.count == 0, let first = self.templates.first { result = self.traits(of: first) }
        for template in self.templates { result = result.united(with: self.traits(of: template)) }
        return result
    }

    private func traits(of template: Template) -> TextTraits {
        var result = TextTraits(bytes: ByteSet(), lengths: 0...0)
        for slot in 0...template.slotCount {
            let part = self.parts[template.firstPart + slot]
            result = result.followed(by: TextTraits(bytes: ByteSet(of: part), lengths: part.count...part.count))
            guard slot < template.slotCount else { break }
            result = result.followed(by: self.columnTraits[Int(self.slots[template.firstSlot + slot])])
        }
        return result
    }

    /// Bytes of memory that are held, those of a mapped file left out: with the places of values, and the objects of which
    /// each column has some.
    var byteCount: Int {
        let own = self.codes.count * 6 + self.parts.offsets.count * 4 + self.columns.count * Self.columnByteCount
        return self.columns.reduce(own) { $0 + $1.byteCount }
    }

    private static let columnByteCount = 400

    /// An array behind a reference.
    private final class SlotTraits: Sendable {
        let traits: [TextTraits]
        init(_ traits: [TextTraits]) { self.traits = traits }
    }
}

extension Column {
    /// See `ReferenceColumn.byRowByteCountBound`.
    fileprivate var isByRow: Bool {
        if case .reference(let column) = self { return column.isByRow }
        return false
    }
}

/// Which value of a slot's column belongs to a row, and which rows a template has.
final class TemplatePlaces: Sendable {
    /// The rows, those of texts that are kept whole first, then template after template, ascending in each.
    private let order: [UInt16]
    /// Where the rows of each code begin in `order`, and the end of the last.
    private let starts: [Int32]
    /// Per row how many rows before it have the same code.
    let ranks: [UInt16]
    /// Per column its place among those that several templates have; -1 when only one has it, `byRow` when it has a value
    /// for each row.
    let placeOfShared: [Int32]
    static let byRow: Int32 = -2
    /// Per shared column a bit per row that has a value, and per word of these how many values are before it.
    let sharedRows: [UInt64]
    let sharedBefore: [UInt32]
    let wordCount: Int

    init(_ texts: TemplateTexts) {
        let codeCount = texts.templates.count + 1
        var counts = [Int32](repeating: 0, count: codeCount)
        var ranks = [UInt16](repeating: 0, count: texts.codes.count)
        for (row, code) in texts.codes.enumerated() where code != TemplateTexts.absent {
            ranks[row] = UInt16(truncatingIfNeeded: counts[Int(code)])
            counts[Int(code)] += 1
        }
        var starts: [Int32] = [0]
        for count in counts { starts.append(starts[starts.count - 1] + count) }
        var order = [UInt16](repeating: 0, count: Int(starts[codeCount]))
        for (row, code) in texts.codes.enumerated() where code != TemplateTexts.absent {
            order[Int(starts[Int(code)]) + Int(ranks[row])] = UInt16(truncatingIfNeeded: row)
        }
        self.order = order
        self.starts = starts
        self.ranks = ranks
        self.wordCount = (texts.codes.count + 63) / 64
        var placeOfShared: [Int32] = []
        var sharedRows: [UInt64] = []
        var sharedBefore: [UInt32] = []
        for (column, codes) in Self.users(texts).enumerated() {
            guard codes.count > 1, !texts.columns[column].isByRow else {
                placeOfShared.append(texts.columns[column].isByRow ? Self.byRow : -1)
                continue
            }
            placeOfShared.append(Int32(sharedRows.count / self.wordCount))
            var words = [UInt64](repeating: 0, count: self.wordCount)
            for code in codes {
                for row in order[Int(starts[code])..<Int(starts[code + 1])] {
                    words[Int(row >> 6)] |= 1 << UInt64(row & 63)
                }
            }
            var before = 0
            for word in words {
                sharedBefore.append(UInt32(before))
                before += word.nonzeroBitCount
            }
            sharedRows += words
        }
        self.placeOfShared = placeOfShared
        self.sharedRows = sharedRows
        self.sharedBefore = sharedBefore
    }

    /// Per column the codes of the templates that have a slot of it.
    private static func users(_ texts: TemplateTexts) -> [[Int]] {
        var users = [[Int]](repeating: [], count: texts.columns.count)
        for (number, template) in texts.templates.enumerated() {
            for slot in template.firstSlot..<template.firstSlot + template.slotCount {
                users[Int(texts.slots[slot])].append(number + 1)
            }
        }
        return users
    }

    /// How many rows before a row have the same code.
    @inline(__always)
    func rank(_ row: Int) -> Int { Int(self.ranks[row]) }

    /// The rows of a code, ascending.
    func rows(of code: Int) -> ArraySlice<UInt16> {
        self.order[Int(self.starts[code])..<Int(self.starts[code + 1])]
    }

    /// The index of the value of a column at a row whose template has a slot of it.
    @inline(__always)
    func value(of column: Int, row: Int) -> Int {
        let place = Int(self.placeOfShared[column])
        if place < 0 { return place == Int(Self.byRow) ? row : self.rank(row) }
        let word = (place &* self.wordCount) &+ (row >> 6)
        let below = self.sharedRows[word] & ((1 << UInt64(row & 63)) &- 1)
        return Int(self.sharedBefore[word]) &+ below.nonzeroBitCount
    }
}
