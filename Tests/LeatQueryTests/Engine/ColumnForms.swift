import LeatCore
import LeatTesting

@testable import LeatQuery

/// The same texts in every form in which a column can be stored.
struct ColumnForms {
    /// How many forms a column can have one in the other.
    private static let depthMax = 2

    private let column: Column
    /// The text per row, `nil` where the field is absent.
    private let values: [[UInt8]?]
    private let depth: Int

    /// All forms that can hold the texts of a column, by name.
    static func all(of column: Column, _ random: inout SeededRandom) -> [(name: String, column: Column)] {
        Self(column, depth: 0).forms(&random)
    }

    private init(_ column: Column, depth: Int) {
        self.column = column
        self.values = (0..<column.rowCount).map { column.bytes(at: $0) }
        self.depth = depth
    }

    private init(_ texts: [[UInt8]], depth: Int) {
        self.init(.plain(PlainColumn(values: ByteStrings(texts))), depth: depth)
    }

    private var presence: Bitmap? { self.column.presence }
    private var present: [[UInt8]] { self.values.compactMap { $0 } }

    private func forms(_ random: inout SeededRandom) -> [(name: String, column: Column)] {
        let texts = self.values.map { $0 ?? [] }
        var forms: [(name: String, column: Column)] = [
            ("plain", .plain(PlainColumn(values: ByteStrings(texts), presence: self.presence))),
            ("dictionary", self.dictionary(texts)),
        ]
        if Set(self.present).count == 1, let only = self.present.first {
            let constant = ConstantColumn(value: ByteSlice(only), rowCount: texts.count, presence: self.presence)
            forms.append(("constant", .constant(constant)))
        }
        let integers = self.present.map { text in text.withUnsafeBytes { NumberText.canonicalInteger($0) } }
        if integers.allSatisfy({ $0 != nil }) {
            var next = integers.makeIterator()
            let values = self.values.map { $0 == nil ? 0 : (next.next() ?? nil) ?? 0 }
            forms.append(("integer", .integer(IntegerColumn(values: values, presence: self.presence))))
        }
        forms += self.numbers(&random) + self.identifiers()
        guard self.depth < Self.depthMax, !self.present.isEmpty else { return forms }
        forms.append(("template", self.template(&random)))
        forms.append(("reference", self.reference(&random)))
        forms.append(("reference to other rows", self.referenceToOtherRows(&random)))
        if let prefixed = self.prefixed(&random) { forms.append(("prefixed", prefixed)) }
        return forms
    }

    /// Any of the forms.
    private func any(_ random: inout SeededRandom) -> Column {
        self.forms(&random).randomElement(using: &random)?.column ?? self.column
    }

    private func dictionary(_ texts: [[UInt8]]) -> Column {
        var codeOfValue: [[UInt8]: UInt16] = [:]
        var distinct: [[UInt8]] = []
        let codes = texts.map { text -> UInt16 in
            if let known = codeOfValue[text] { return known }
            codeOfValue[text] = UInt16(distinct.count)
            distinct.append(text)
            return UInt16(distinct.count - 1)
        }
        return .dictionary(
            DictionaryColumn(values: ByteStrings(distinct), codes: codes, presence: self.presence)
        )
    }

    // MARK: Numbers and identifiers

    private func numbers(_ random: inout SeededRandom) -> [(name: String, column: Column)] {
        guard let first = self.present.first else { return [] }
        var candidates: [(String, NumberForm)] = [("number", .integer), ("address", .address)]
        candidates += (1...3).map { ("decimal", .decimal(scale: $0)) }
        if (1...NumberForm.digitCountMax).contains(first.count) {
            candidates.append(("padded", .padded(digitCount: first.count)))
        }
        if let time = first.withUnsafeBytes({ TimeText(of: $0) }) { candidates.append(("time", .time(time))) }
        return candidates.compactMap { name, form in
            let numbers = self.present.map { text in text.withUnsafeBytes { form.value(of: $0) } }
            guard numbers.allSatisfy({ $0 != nil }) else { return nil }
            var next = numbers.makeIterator()
            let values = self.values.map { $0 == nil ? 7 : (next.next() ?? nil) ?? 7 }
            let list = self.list(of: values, &random)
            return (name, .number(NumberColumn(form: form, numbers: list, presence: self.presence)))
        }
    }

    /// Numbers of all rows in one of their forms; without those of absent rows where that can be.
    private func list(of values: [Int64], _ random: inout SeededRandom) -> NumberList {
        func packedOrNot(_ values: [Int64]) -> NumberList {
            Bool.random(using: &random) ? .array(values) : .packed(Self.packed(values, &random))
        }
        guard let presence = self.presence, Bool.random(using: &random) else { return packedOrNot(values) }
        let present = presence.rows.map { values[Int($0)] }
        return .ranked(RankedNumbers(packedOrNot(present), at: presence))
    }

    /// Numbers in frames, some of which are too narrow for the largest of their numbers.
    private static func packed(_ values: [Int64], _ random: inout SeededRandom) -> PackedNumbers {
        var frames: [PackedNumbers.Frame] = []
        var exceptions: [PackedNumbers.Exception] = []
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: values.count, by: PackedNumbers.numbersPerFrame) {
            let part = values[start..<min(values.count, start + PackedNumbers.numbersPerFrame)]
            let least = part.min() ?? 0
            let spread = UInt64(bitPattern: (part.max() ?? 0) &- least)
            let fullWidth = 64 - spread.leadingZeroBitCount
            let width = Bool.random(using: &random) ? fullWidth : Int.random(in: 0...fullWidth, using: &random)
            frames.append(PackedNumbers.Frame(least: least, offset: UInt32(bytes.count), width: UInt8(width)))
            var bits = [UInt8](repeating: 0, count: (part.count * width + 7) / 8)
            for (index, value) in part.enumerated() {
                let own = UInt64(bitPattern: value &- least)
                for bit in 0..<width where own >> UInt64(bit) & 1 == 1 {
                    bits[(index * width + bit) / 8] |= 1 << UInt8((index * width + bit) % 8)
                }
                // Swift shifts by 64 and more give 0.
                let high = own >> UInt64(width)
                if high > 0 { exceptions.append(.init(index: Int32(start + index), high: high)) }
            }
            bytes += bits
        }
        return PackedNumbers(
            count: values.count,
            frames: frames,
            bytes: ByteSlice(bytes),
            factor: 1,
            base: 0,
            exceptions: exceptions
        )
    }

    private func identifiers() -> [(name: String, column: Column)] {
        guard let first = self.present.first, first.count >= 2 else { return [] }
        let isUUID = first.count == 36
        let width = isUUID ? 16 : first.count / 2
        let form = IdentifierColumn(bytes: .empty, width: width, isUUID: isUUID)
        var bytes: [UInt8] = []
        for value in self.values {
            guard let value else {
                bytes += [UInt8](repeating: 0, count: width)
                continue
            }
            guard let own = value.withUnsafeBytes({ form.value(of: $0) }) else { return [] }
            bytes += own
        }
        let column = IdentifierColumn(bytes: ByteSlice(bytes), width: width, isUUID: isUUID, presence: self.presence)
        return [(isUUID ? "uuid" : "hex", .identifier(column))]
    }

    // MARK: Columns of columns

    private func prefixed(_ random: inout SeededRandom) -> Column? {
        guard var common = self.present.first else { return nil }
        for text in self.present { common = Array(zip(common, text).prefix { $0 == $1 }.map(\.0)) }
        guard !common.isEmpty else { return nil }
        let count = Int.random(in: 1...common.count, using: &random)
        let rest = PlainColumn(
            values: ByteStrings(self.values.map { Array($0?.dropFirst(count) ?? []) }),
            presence: self.presence
        )
        let column = Self(.plain(rest), depth: self.depth + 1).any(&random)
        return .prefixed(PrefixedColumn(prefix: ByteSlice(Array(common.prefix(count))), rest: column))
    }

    private func reference(_ random: inout SeededRandom) -> Column {
        let texts = self.values.map { Array("id".utf8) + ($0 ?? Array("none".utf8)) }
        let target = Self(texts, depth: self.depth + 1).any(&random)
        return .reference(
            ReferenceColumn(
                target: target,
                droppedByteCount: 2,
                rowCount: self.values.count,
                presence: self.presence
            )
        )
    }

    private func referenceToOtherRows(_ random: inout SeededRandom) -> Column {
        var distinct = Array(Set(self.present))
        distinct.sort { $0.lexicographicallyPrecedes($1) }
        distinct.shuffle(using: &random)
        let rows = self.values.map { value in Int32(value.flatMap { distinct.firstIndex(of: $0) } ?? 0) }
        let target = Self(distinct, depth: self.depth + 1).any(&random)
        return .reference(
            ReferenceColumn(target: target, rows: rows, rowCount: self.values.count, presence: self.presence)
        )
    }

    private func template(_ random: inout SeededRandom) -> Column {
        var made = TemplateAssembly(sharesColumns: Bool.random(using: &random))
        for value in self.values {
            if let value { made.add(value, isWhole: Int.random(in: 0..<5, using: &random) == 0) } else { made.skip() }
        }
        let columns = made.slotTexts.map { Self($0, depth: self.depth + 1).any(&random) }
        let texts = TemplateTexts(
            parts: ByteStrings(made.parts),
            templates: made.templates,
            slots: made.slots,
            codes: made.codes,
            whole: ByteStrings(made.whole),
            columns: columns
        )
        return .template(TemplateColumn(texts: texts, presence: self.presence))
    }
}

/// Texts taken apart at their words with digits.
private struct TemplateAssembly {
    var parts: [[UInt8]] = []
    var templates: [TemplateTexts.Template] = []
    var slots: [Int32] = []
    var codes: [UInt16] = []
    var whole: [[UInt8]] = []
    var slotTexts: [[[UInt8]]] = []

    /// Whether the slots of different templates that have the same place lie in one column.
    let sharesColumns: Bool
    private var codeOfParts: [[[UInt8]]: UInt16] = [:]

    init(sharesColumns: Bool) { self.sharesColumns = sharesColumns }

    mutating func skip() { self.codes.append(TemplateTexts.absent) }

    mutating func add(_ text: [UInt8], isWhole: Bool) {
        guard !isWhole else {
            self.codes.append(0)
            self.whole.append(text)
            return
        }
        let (parts, values) = Self.split(text)
        let code = self.code(of: parts)
        self.codes.append(code)
        let template = self.templates[Int(code) - 1]
        for (index, value) in values.enumerated() {
            self.slotTexts[Int(self.slots[template.firstSlot + index])].append(value)
        }
    }

    private mutating func code(of parts: [[UInt8]]) -> UInt16 {
        if let known = self.codeOfParts[parts] { return known }
        let template = TemplateTexts.Template(
            firstPart: self.parts.count,
            firstSlot: self.slots.count,
            slotCount: parts.count - 1
        )
        self.parts += parts
        for slot in 0..<template.slotCount {
            if self.sharesColumns, slot < self.slotTexts.count {
                self.slots.append(Int32(slot))
            } else {
                self.slots.append(Int32(self.slotTexts.count))
                self.slotTexts.append([])
            }
        }
        self.templates.append(template)
        self.codeOfParts[parts] = UInt16(self.templates.count)
        return UInt16(self.templates.count)
    }

    /// The texts between the words that have a digit, and these words.
    private static func split(_ text: [UInt8]) -> (parts: [[UInt8]], values: [[UInt8]]) {
        var parts: [[UInt8]] = [[]]
        var values: [[UInt8]] = []
        var index = 0
        while index < text.count {
            var end = index
            while end < text.count, Self.isOfWord(text[end]) { end += 1 }
            let word = Array(text[index..<end])
            if word.contains(where: { $0 &- 48 < 10 }) {
                values.append(word)
                parts.append([])
                index = end
            } else {
                end = max(end, index + 1)
                parts[parts.count - 1] += text[index..<end]
                index = end
            }
        }
        return (parts, values)
    }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || byte | 0x20 >= 97 && byte | 0x20 <= 122
    }
}
