internal import LeatCore

/// A list of texts as templates and the columns of what varies in them.
struct TemplateSplit {
    /// What repeats: one more part than there are slots.
    struct Template {
        var statics: [[UInt8]]
        /// Per slot the column that holds its values.
        var columns: [Int]
        var count = 0
        /// Hashes of the keys before the slots; 0 where there is none.
        fileprivate var names: [UInt64]
        /// Place of its first text among the spans, to compare others with.
        fileprivate var isKept: Bool { self.count >= TemplateSplit.countMin }
    }

    /// The values of a slot, in the order of the texts.
    struct SlotColumn {
        var starts: [UInt32] = []
        var ends: [UInt32] = []
        /// Index of the text that each value is from.
        var texts: [Int32] = []
    }

    /// Templates of fewer texts are not worth their own columns.
    static let countMin = 3
    /// More templates than this say that the texts have none.
    static let templateCountMax = 4_000

    private(set) var templates: [Template] = []
    /// Per text its template, from 1; 0 for a text that is kept whole.
    private(set) var codes: [UInt16] = []
    private(set) var columns: [SlotColumn] = []
    /// Texts that are kept whole.
    private(set) var whole: [Int] = []
    /// Per text how many slots were found in it, and the borders of all of them in the area of the texts, end to end;
    /// also of texts that are kept whole.
    private(set) var spanCounts: [UInt16] = []
    private(set) var spanStarts: [UInt32] = []
    private(set) var spanEnds: [UInt32] = []

    /// Splits texts; `nil` when most of them have nothing in common.
    init?(_ texts: ByteStrings) {
        var found = FoundTemplates(count: texts.count)
        for index in 0..<texts.count {
            guard found.add(texts[index], at: UInt32(texts.offsets[index])) else { return nil }
            // A look at the first texts saves the work for columns of one-off texts.
            if index == 2_047, found.templates.count > 1_400 { return nil }
        }
        let kept = found.templates.reduce(0) { $0 + ($1.isKept ? $1.count : 0) }
        guard kept * 2 >= texts.count, kept > 0 else { return nil }
        self.collect(found)
        self.spanCounts = found.spanCounts
        self.spanStarts = found.starts
        self.spanEnds = found.ends
    }

    /// Gives every kept template its columns and fills them.
    private mutating func collect(_ found: FoundTemplates) {
        let numbers = self.keep(found)
        self.codes.reserveCapacity(found.codes.count)
        for (text, code) in found.codes.enumerated() {
            let number = code < 0 ? 0 : numbers[Int(code)]
            self.codes.append(number)
            if number == 0 { self.whole.append(text) }
        }
        self.fill(found)
    }

    /// Takes the templates that are worth it and names the columns of their slots; per template its number, from 1.
    private mutating func keep(_ found: FoundTemplates) -> [UInt16] {
        var numbers = [UInt16](repeating: 0, count: found.templates.count)
        var columnOfName: [UInt64: Int] = [:]
        var columnCount = 0
        for (index, template) in found.templates.enumerated() where template.isKept {
            var template = template
            var occurrences: [UInt64: UInt64] = [:]
            for name in template.names {
                var column = columnCount
                if name != 0 {
                    let occurrence = occurrences[name, default: 0]
                    occurrences[name] = occurrence + 1
                    let key = name &+ occurrence &* 0x9E37_79B9_7F4A_7C15
                    column = columnOfName[key] ?? column
                    columnOfName[key] = column
                }
                if column == columnCount { columnCount += 1 }
                template.columns.append(column)
            }
            self.templates.append(template)
            numbers[index] = UInt16(self.templates.count)
        }
        self.columns = [SlotColumn](repeating: SlotColumn(), count: columnCount)
        return numbers
    }

    /// Sorts the slots of all texts into their columns.
    private mutating func fill(_ found: FoundTemplates) {
        // Each column's part of three long lists.
        var next = [Int](repeating: 0, count: self.columns.count + 1)
        for template in self.templates {
            for column in template.columns { next[column + 1] += template.count }
        }
        for column in self.columns.indices { next[column + 1] += next[column] }
        let bounds = next
        let slots = self.templates.flatMap(\.columns)
        var firstSlots: [Int] = [0]
        for template in self.templates { firstSlots.append(firstSlots[firstSlots.count - 1] + template.columns.count) }
        var starts = [UInt32](repeating: 0, count: bounds[bounds.count - 1])
        var ends = starts
        var texts = [Int32](repeating: 0, count: starts.count)
        var span = 0
        for text in 0..<found.codes.count {
            let number = Int(self.codes[text])
            if number > 0 {
                for (slot, place) in (firstSlots[number - 1]..<firstSlots[number]).enumerated() {
                    let index = next[slots[place]]
                    next[slots[place]] = index + 1
                    starts[index] = found.starts[span + slot]
                    ends[index] = found.ends[span + slot]
                    texts[index] = Int32(truncatingIfNeeded: text)
                }
            }
            span += Int(found.spanCounts[text])
        }
        for column in self.columns.indices {
            let range = bounds[column]..<bounds[column + 1]
            self.columns[column].starts = Array(starts[range])
            self.columns[column].ends = Array(ends[range])
            self.columns[column].texts = Array(texts[range])
        }
    }
}

/// The first pass: each text's template, and all spans end to end.
private struct FoundTemplates {
    var templates: [TemplateSplit.Template] = []
    /// Per text the template, -1 if it is kept whole.
    var codes: [Int32] = []
    var spanCounts: [UInt16] = []
    var starts: [UInt32] = []
    var ends: [UInt32] = []
    /// What repeats in each template, end to end, and where each part ends, to compare texts with.
    private var shapes: [Shape] = []
    private var table = TemplateTable()
    private var tokenizer = TemplateTokenizer()

    private struct Shape {
        var bytes: [UInt8]
        var ends: [UInt32]

        init(_ template: TemplateSplit.Template) {
            self.bytes = template.statics.flatMap { $0 }
            self.ends = []
            for part in template.statics { self.ends.append((self.ends.last ?? 0) + UInt32(part.count)) }
        }
    }

    init(count: Int) {
        self.codes.reserveCapacity(count)
        self.spanCounts.reserveCapacity(count)
    }

    /// Adds a text whose bytes begin at `offset`; `false` when there are too many templates.
    mutating func add(_ text: UnsafeRawBufferPointer, at offset: UInt32) -> Bool {
        guard self.tokenizer.split(text) else {
            self.codes.append(-1)
            self.spanCounts.append(0)
            return true
        }
        let hash = self.tokenizer.hash
        if let known = self.table[hash] {
            guard self.matches(text, Int(known)) else {
                self.codes.append(-1)
                self.spanCounts.append(0)
                return true
            }
            self.templates[Int(known)].count += 1
            self.codes.append(known)
        } else {
            guard self.templates.count < TemplateSplit.templateCountMax else {
                self.codes.append(-1)
                self.spanCounts.append(0)
                return true
            }
            let number = Int32(self.templates.count)
            self.table.insert(hash, number)
            let template = self.template(of: text)
            self.templates.append(template)
            self.shapes.append(Shape(template))
            self.codes.append(number)
        }
        for span in self.tokenizer.spans {
            self.starts.append(offset + span.start)
            self.ends.append(offset + span.end)
        }
        self.spanCounts.append(UInt16(self.tokenizer.spans.count))
        return true
    }

    private func template(of text: UnsafeRawBufferPointer) -> TemplateSplit.Template {
        var statics: [[UInt8]] = []
        var names: [UInt64] = []
        var start = 0
        for span in self.tokenizer.spans {
            statics.append(Array(text[start..<Int(span.start)]))
            names.append(span.name)
            start = Int(span.end)
        }
        statics.append(Array(text[start...]))
        return TemplateSplit.Template(statics: statics, columns: [], count: 1, names: names)
    }

    /// Whether a text really has the template that its hash says.
    private func matches(_ text: UnsafeRawBufferPointer, _ template: Int) -> Bool {
        let shape = self.shapes[template]
        guard shape.ends.count == self.tokenizer.spans.count + 1 else { return false }
        return shape.bytes.withUnsafeBytes { bytes in
            self.tokenizer.spans.withUnsafeBufferPointer { spans in
                var start = 0
                var from = 0
                for slot in 0...spans.count {
                    let end = slot < spans.count ? Int(spans[slot].start) : text.count
                    let partEnd = Int(shape.ends[slot])
                    let isEqual = ByteHash.isEqual(
                        UnsafeRawBufferPointer(rebasing: bytes[from..<partEnd]),
                        UnsafeRawBufferPointer(rebasing: text[start..<end])
                    )
                    if !isEqual { return false }
                    from = partEnd
                    if slot < spans.count { start = Int(spans[slot].end) }
                }
                return true
            }
        }
    }
}

/// Templates by the hash of what repeats in them, which is a hash already.
private struct TemplateTable {
    /// Twice as many as there may be templates, so that look-ups end soon.
    private static let slotCount = 8_192
    private var slots = [(hash: UInt64, number: Int32)](repeating: (0, -1), count: Self.slotCount)

    subscript(hash: UInt64) -> Int32? {
        var slot = Int(truncatingIfNeeded: hash >> 40) & (Self.slotCount - 1)
        while self.slots[slot].number >= 0 {
            if self.slots[slot].hash == hash { return self.slots[slot].number }
            slot = (slot + 1) & (Self.slotCount - 1)
        }
        return nil
    }

    /// Adds a template that is not there; there are at most `TemplateSplit.templateCountMax`.
    mutating func insert(_ hash: UInt64, _ number: Int32) {
        var slot = Int(truncatingIfNeeded: hash >> 40) & (Self.slotCount - 1)
        while self.slots[slot].number >= 0 { slot = (slot + 1) & (Self.slotCount - 1) }
        self.slots[slot] = (hash, number)
    }
}
