internal import LeatCore

/// A set of texts that is only added to and counted; those that end in a number, as most identifiers do, take a bit each.
///
/// A text is cut into a beginning and the number at its end, in one way only: the number has no leading zeros, and as
/// many digits as that and `digitCountMax` allow.
struct DistinctTexts {
    private var beginnings = ByteStringTable()
    /// Per beginning the numbers that follow it.
    private var numbers: [NumberSet] = []
    /// Texts without a number at their end.
    private var others = ByteStringTable()
    private var lastBeginning = -1

    /// So many digits are a number below 2^63 whatever they are.
    private static let digitCountMax = 18
    /// Beginnings whose numbers take bits; texts with further ones, such as UUIDs, are kept whole.
    ///
    /// Once there are so many, no further one is added, so that a text always stands in the same place.
    private static let beginningCountMax = 256

    /// How many texts there are.
    var count: Int { self.others.count + self.numbers.reduce(0) { $0 + $1.count } }

    /// Bytes of memory that the texts take.
    var byteCount: Int {
        self.others.byteCount + self.beginnings.byteCount + self.numbers.reduce(0) { $0 + $1.byteCount }
    }

    var isEmpty: Bool { self.others.count == 0 && self.numbers.isEmpty }

    mutating func insert(_ text: UnsafeRawBufferPointer) {
        guard let (count, number) = Self.split(text) else {
            _ = self.others.index(of: text)
            return
        }
        let beginning = UnsafeRawBufferPointer(rebasing: text[..<count])
        if self.lastBeginning < 0 || !self.beginnings.withString(self.lastBeginning, { $0.isEqual(to: beginning) }) {
            guard let known = self.number(of: beginning) else {
                _ = self.others.index(of: text)
                return
            }
            self.lastBeginning = known
        }
        self.numbers[self.lastBeginning].insert(number)
    }

    /// The number of a beginning, which may be new; `nil` when there is no room for it.
    private mutating func number(of beginning: UnsafeRawBufferPointer) -> Int? {
        if let known = self.beginnings.find(beginning) { return known }
        guard self.numbers.count < Self.beginningCountMax else { return nil }
        self.numbers.append(NumberSet())
        return self.beginnings.index(of: beginning)
    }

    /// Inserts the selected texts of a column.
    mutating func insert(_ column: Column, within selection: Bitmap?) {
        let rows = Bitmap.intersection(selection, column.presence)
        switch column {
        case .constant, .dictionary:
            _ = column.tally(within: rows) { text, _ in self.insert(text) }
        case .integer, .number, .prefixed, .plain, .identifier, .reference, .template:
            if self.insertNumbers(column, within: rows) { return }
            (rows ?? Bitmap(repeating: true, count: column.rowCount)).forEachSet { row in
                column.withBytes(at: row) { self.insert($0) }
            }
        }
    }

    /// Fast path: texts that are stored as numbers, perhaps after a common beginning.
    ///
    /// - Returns: Whether it applied; if not, nothing was inserted.
    private mutating func insertNumbers(_ column: Column, within rows: Bitmap?) -> Bool {
        var prefix = ByteSlice.empty
        var numbers = column
        if case .prefixed(let prefixed) = column { (prefix, numbers) = (prefixed.prefix, prefixed.rest) }
        // A digit at the end of the beginning would be part of the number.
        guard let values = numbers.plainIntegers, (prefix.unsafeBytes.last ?? 0) &- 48 >= 10 else { return false }
        guard let beginning = prefix.withUnsafeBytes({ self.number(of: $0) }) else { return false }
        let end = (0..<Self.digitCountMax).reduce(Int64(1)) { power, _ in power * 10 }
        (rows ?? Bitmap(repeating: true, count: values.count)).forEachSet { row in
            if values[row] >= 0 && values[row] < end {
                self.numbers[beginning].insert(UInt64(values[row]))
            } else {
                column.withBytes(at: row) { self.insert($0) }
            }
        }
        return true
    }

    /// How long the beginning of a text is, and the number after it.
    private static func split(_ text: UnsafeRawBufferPointer) -> (count: Int, number: UInt64)? {
        var start = text.count
        let limit = max(0, text.count - Self.digitCountMax)
        while start > limit, text[start - 1] &- 48 < 10 { start -= 1 }
        // Leading zeros belong to the beginning, but the last digit always is a number.
        while start < text.count - 1, text[start] == UInt8(ascii: "0") { start += 1 }
        guard start < text.count else { return nil }
        var number: UInt64 = 0
        for index in start..<text.count { number = number * 10 + UInt64(text[index] &- 48) }
        return (start, number)
    }

    mutating func formUnion(_ other: DistinctTexts) {
        // Through `insert`, as one side may know a beginning that the other had no room for.
        for index in 0..<other.others.count { other.others.withString(index) { self.insert($0) } }
        for index in other.numbers.indices {
            if let own = other.beginnings.withString(index, { self.number(of: $0) }) {
                self.numbers[own].formUnion(other.numbers[index])
            } else {
                other.forEach(ofBeginning: index) { self.insert($0) }
            }
        }
    }

    /// Calls `body` with every text, in no order.
    func forEach(_ body: (UnsafeRawBufferPointer) -> Void) {
        for index in 0..<self.others.count { self.others.withString(index, body) }
        for index in self.numbers.indices { self.forEach(ofBeginning: index, body) }
    }

    private func forEach(ofBeginning index: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        self.numbers[index].forEach { number in
            var text = self.beginnings.string(index)
            NumberText.append(Int64(number), to: &text)
            text.withUnsafeBytes(body)
        }
    }
}

/// A set of numbers below 2^63: a bit for each small one, in chunks.
struct NumberSet {
    private static let chunkBits = 12
    private static let wordsPerChunk = 1 << (Self.chunkBits - 6)
    /// Numbers from here on are kept one by one.
    private static let largeStart: UInt64 = 1 << 27

    /// Per chunk its number among `words`, -1 for none.
    private var places: [Int32] = []
    private var words: [UInt64] = []
    private var large = PairTable()
    private var smallCount = 0

    var count: Int { self.smallCount + self.large.count }

    var byteCount: Int { self.words.count * 8 + self.places.count * 4 + self.large.count * 16 }

    @inline(__always)
    mutating func insert(_ number: UInt64) {
        guard number < Self.largeStart else {
            _ = self.large.index(of: UInt32(number >> 32), UInt32(truncatingIfNeeded: number))
            return
        }
        let chunk = Int(number >> UInt64(Self.chunkBits))
        if chunk >= self.places.count || self.places[chunk] < 0 { self.addChunk(chunk) }
        let bit = Int(number) & (1 << Self.chunkBits - 1)
        let word = Int(self.places[chunk]) * Self.wordsPerChunk + (bit >> 6)
        let mask: UInt64 = 1 << UInt64(bit & 63)
        if self.words[word] & mask == 0 {
            self.words[word] |= mask
            self.smallCount += 1
        }
    }

    private mutating func addChunk(_ chunk: Int) {
        self.places.grow(to: chunk + 1, with: -1)
        self.places[chunk] = Int32(self.words.count / Self.wordsPerChunk)
        self.words.append(contentsOf: repeatElement(0, count: Self.wordsPerChunk))
    }

    mutating func formUnion(_ other: NumberSet) {
        for pair in other.large.pairs { self.insert(pair) }
        for (chunk, place) in other.places.enumerated() where place >= 0 {
            if chunk >= self.places.count || self.places[chunk] < 0 { self.addChunk(chunk) }
            let (own, theirs) = (Int(self.places[chunk]) * Self.wordsPerChunk, Int(place) * Self.wordsPerChunk)
            for word in 0..<Self.wordsPerChunk {
                let new = other.words[theirs + word] & ~self.words[own + word]
                self.smallCount += new.nonzeroBitCount
                self.words[own + word] |= new
            }
        }
    }

    /// Calls `body` with every number.
    func forEach(_ body: (UInt64) -> Void) {
        for (chunk, place) in self.places.enumerated() where place >= 0 {
            for word in 0..<Self.wordsPerChunk {
                var bits = self.words[Int(place) * Self.wordsPerChunk + word]
                while bits != 0 {
                    body(UInt64(chunk << Self.chunkBits + word * 64 + bits.trailingZeroBitCount))
                    bits &= bits &- 1
                }
            }
        }
        for pair in self.large.pairs { body(pair) }
    }
}

extension Column {
    /// The numbers of a column whose texts are their shortest decimal forms.
    fileprivate var plainIntegers: [Int64]? {
        switch self {
        case .integer(let column): column.values
        case .number(let column) where column.form == .integer: column.values
        default: nil
        }
    }
}
