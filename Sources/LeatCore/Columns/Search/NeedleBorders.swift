/// Whether a needle can lie across a border between the parts and slots of a template.
///
/// Goes over a template from left to right with the set of beginnings of the needle that can end where it is: in parts
/// byte by byte, in slots over any value with the slot's bytes and lengths. If the needle can end in an element that it
/// did not begin in, some text may have it across a border. A set is a word with a bit per length, so that each byte
/// takes a shift; longer needles are looked for in windows, each of whose borders lies within one of them.
struct NeedleBorders {
    private var windows: [NeedleWindow]

    init(_ needle: Needle) {
        let starts = stride(from: 0, to: max(1, needle.bytes.count - 1), by: NeedleWindow.byteCountMax - 1)
        self.windows = starts.map { start in
            let end = min(start + NeedleWindow.byteCountMax, needle.bytes.count)
            return NeedleWindow(needle.bytes[start..<end], foldsCase: needle.foldsCase)
        }
    }

    /// Whether no text of a template has the needle across a border.
    mutating func areClear(in template: TemplateTexts.Template, of texts: TemplateTexts) -> Bool {
        for index in self.windows.indices {
            let isClear = self.windows[index].isClear(in: template, of: texts)
            if !isClear { return false }
        }
        return true
    }
}

/// Up to 64 bytes of a needle; bit n of a set stands for its first n + 1 bytes.
private struct NeedleWindow {
    static let byteCountMax = 64

    /// Which beginnings go on in the values of a column.
    private struct Slot {
        /// Bytes of the needle that values may have.
        var allowed: UInt64
        /// Beginnings that values may end with, all of it left out.
        var ends: UInt64
        var lengths: ClosedRange<Int>
    }

    private let byteCount: Int
    /// Per byte the places in the needle where it matches.
    private let places: [UInt64]
    private let bytes: ArraySlice<UInt8>
    private let foldsCase: Bool
    private var slots: [Int: Slot] = [:]

    init(_ bytes: ArraySlice<UInt8>, foldsCase: Bool) {
        self.bytes = bytes
        self.foldsCase = foldsCase
        self.byteCount = bytes.count
        var places = [UInt64](repeating: 0, count: 256)
        for (place, byte) in bytes.enumerated() {
            places[Int(byte)] |= 1 << UInt64(place)
            if let other = Self.otherCase(of: byte, foldsCase) { places[Int(other)] |= 1 << UInt64(place) }
        }
        self.places = places
    }

    /// The capital letter that stands for a byte of a needle that folds case.
    private static func otherCase(of byte: UInt8, _ foldsCase: Bool) -> UInt8? {
        foldsCase && byte &- UInt8(ascii: "a") < 26 ? byte & ~0x20 : nil
    }

    private var whole: UInt64 { 1 << UInt64(self.byteCount - 1) }

    mutating func isClear(in template: TemplateTexts.Template, of texts: TemplateTexts) -> Bool {
        guard self.byteCount > 1 else { return true }
        var before: UInt64 = 0
        for slot in 0...template.slotCount {
            guard let behind = self.beginnings(behind: texts.parts[template.firstPart + slot], before) else {
                return false
            }
            if slot == template.slotCount { break }
            let column = Int(texts.slots[template.firstSlot + slot])
            guard let exits = self.beginnings(behind: self.slot(column, of: texts), behind) else { return false }
            before = exits
        }
        return true
    }

    /// The beginnings that can end behind a part, of those that can end before it and those that begin in it; `nil` when
    /// one that began before it is whole.
    private func beginnings(behind part: UnsafeRawBufferPointer, _ before: UInt64) -> UInt64? {
        var going = before
        for byte in part where going != 0 {
            going = (going << 1) & self.places[Int(byte)]
            if going & self.whole != 0 { return nil }
        }
        // What begins in the part begins behind its last byte that the needle does not have.
        var start = part.count
        let first = max(0, part.count - self.byteCount + 1)
        while start > first, self.places[Int(part[start - 1])] != 0 { start -= 1 }
        var own: UInt64 = 0
        for index in start..<part.count { own = (own << 1 | 1) & self.places[Int(part[index])] }
        return going | own
    }

    /// The same for the values of a column.
    private func beginnings(behind slot: Slot, _ before: UInt64) -> UInt64? {
        var exits = slot.lengths.lowerBound == 0 ? before : 0
        var going = before
        var length = 0
        while going != 0, length < slot.lengths.upperBound {
            length += 1
            going = (going << 1) & slot.allowed
            if going & self.whole != 0 { return nil }
            if length >= slot.lengths.lowerBound { exits |= going }
        }
        return exits | slot.ends
    }

    private mutating func slot(_ column: Int, of texts: TemplateTexts) -> Slot {
        if let known = self.slots[column] { return known }
        let traits = texts.columnTraits[column]
        var slot = Slot(allowed: 0, ends: 0, lengths: traits.lengths)
        for (place, byte) in self.bytes.enumerated() {
            let other = Self.otherCase(of: byte, self.foldsCase)
            if traits.bytes.contains(byte) || other.map({ traits.bytes.contains($0) }) ?? false {
                slot.allowed |= 1 << UInt64(place)
            }
        }
        for length in stride(from: 1, through: min(traits.lengths.upperBound, self.byteCount - 1), by: 1) {
            let bit: UInt64 = 1 << UInt64(length - 1)
            guard slot.allowed & bit != 0 else { break }
            slot.ends |= bit
        }
        self.slots[column] = slot
        return slot
    }
}
