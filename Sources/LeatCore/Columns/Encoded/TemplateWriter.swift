internal import CLeatKernels

/// Writes the texts of templates row by row, through pointers into the `TemplateTexts` that own it.
final class TemplateWriter: @unchecked Sendable {
    // Sound as Sendable: nothing changes after `init`. The texts, which hold this object, keep what the pointers point
    // to, except for the places, which are held here.
    private let codes: UnsafePointer<UInt16>
    private let templates: UnsafePointer<TemplateTexts.Template>
    private let slots: UnsafePointer<Int32>
    private let parts: TextList
    private let whole: TextList
    private let columns: UnsafeMutableBufferPointer<TextSource>
    private let nodes = TextSourceNodes()

    private let places: TemplatePlaces
    private let ranks: UnsafePointer<UInt16>
    private let placeOfShared: UnsafePointer<Int32>
    private let sharedRows: UnsafePointer<UInt64>
    private let sharedBefore: UnsafePointer<UInt32>
    private let wordCount: Int

    init(_ texts: TemplateTexts) {
        self.codes = texts.codes.stableAddress
        self.templates = texts.templates.stableAddress
        self.slots = texts.slots.stableAddress
        self.parts = TextList(texts.parts)
        self.whole = TextList(texts.whole)
        self.columns = .allocate(capacity: texts.columns.count)
        for (index, column) in texts.columns.enumerated() {
            self.columns.initializeElement(at: index, to: TextSource(column, self.nodes))
        }
        self.places = texts.places
        self.ranks = self.places.ranks.stableAddress
        self.placeOfShared = self.places.placeOfShared.stableAddress
        self.sharedRows = self.places.sharedRows.stableAddress
        self.sharedBefore = self.places.sharedBefore.stableAddress
        self.wordCount = self.places.wordCount
    }

    deinit { self.columns.deallocate() }

    /// Writes the text of a row, nothing for one without a text, and returns its length.
    func write(_ row: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let code = self.codes[row]
        if code == TemplateTexts.absent { return 0 }
        if code == 0 { return self.whole.write(Int(self.ranks[row]), to: target) }
        return self.write(row, elements: 0...2 * self.templates[Int(code) - 1].slotCount, to: target)
    }

    /// Writes some of the elements of the text of a row with a template and returns their length.
    ///
    /// Element 0 is the first part of the template, 1 the value in its first slot, 2 the second part, and so on.
    func write(_ row: Int, elements: ClosedRange<Int>, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let template = self.templates + (Int(self.codes[row]) - 1)
        let firstPart = template.pointee.firstPart
        let slots = self.slots + template.pointee.firstSlot
        var count = 0
        var element = elements.lowerBound
        while element <= elements.upperBound {
            if element & 1 == 0 {
                count &+= self.parts.write(firstPart &+ element >> 1, to: target + count)
            } else {
                let column = Int(slots[element >> 1])
                count &+= self.columns[column].write(self.value(of: column, row: row), to: target + count)
            }
            element &+= 1
        }
        return count
    }

    /// See `TextSource.prefetch`.
    func prefetch(_ row: Int) {
        leat_prefetch(self.codes + row)
        leat_prefetch(self.ranks + row)
    }

    /// See `TextSource.prefetchText`.
    func prefetchText(_ row: Int) {
        let code = self.codes[row]
        if code == TemplateTexts.absent { return }
        if code == 0 { return self.whole.prefetchText(Int(self.ranks[row])) }
        let template = self.templates + (Int(code) - 1)
        let slots = self.slots + template.pointee.firstSlot
        for slot in 0..<template.pointee.slotCount {
            let column = Int(slots[slot])
            self.columns[column].prefetch(self.value(of: column, row: row))
        }
    }

    /// See `TemplatePlaces.value`.
    @inline(__always)
    private func value(of column: Int, row: Int) -> Int {
        let place = Int(self.placeOfShared[column])
        if place < 0 { return place == Int(TemplatePlaces.byRow) ? row : Int(self.ranks[row]) }
        let word = place &* self.wordCount &+ row >> 6
        let below = self.sharedRows[word] & ((1 << UInt64(row & 63)) &- 1)
        return Int(self.sharedBefore[word]) &+ below.nonzeroBitCount
    }
}
