internal import LeatCore

/// What the encoding of a column may lean on.
struct EncodingContext {
    /// Columns of the block that others may refer to, by name.
    struct Candidate {
        var name: String
        var texts: RowTexts
        var presence: Bitmap?
    }

    /// Times of the rows of the block.
    var times: [Int64]
    /// Per value its row; `nil` when value and row have the same number.
    var rows: [Int32]?
    var candidates: [Candidate] = []
    /// Fields whose pages say by themselves which rows have them, for others that the same rows have.
    var presences: [(name: String, rows: Bitmap)] = []
    /// How many templates are around.
    var depth = 0
    /// Takes the keys of the search filter; `nil` for columns that have none.
    var keys: BlockFilterBuilder?

    /// Adds the keys of a column's values; parts of a column have none of their own.
    ///
    /// `areDistinct` says that they stand for many rows, so that their identifiers deserve keys for their parts.
    func addKeys(of values: ByteStrings, areDistinct: Bool = false) {
        if self.depth == 0 { self.keys?.add(values, areDistinct: areDistinct) }
    }

    /// Adds the keys of numbers, of which short ones have none.
    func addKeys(ofNumbers values: ByteStrings) {
        guard self.depth == 0, let keys = self.keys else { return }
        let areKeyless = (0..<values.count).allSatisfy { values[$0].count < BlockFilter.keylessByteCount }
        if !areKeyless { keys.add(values, areDistinct: false) }
    }

    /// Adds the keys of texts of lower-case hexadecimal digits, as many in each.
    func addKeys(ofHexadecimal values: ByteStrings) {
        if self.depth == 0 { self.keys?.add(hexadecimal: values, digitCount: values[0].count) }
    }

    /// Adds the keys of texts that were split into templates.
    func addKeys(of split: TemplateSplit, of texts: ByteStrings) {
        if self.depth == 0 { self.keys?.add(split, of: texts) }
    }

    /// The context for some of the values, by their index.
    func narrowed(to values: [Int32]) -> EncodingContext {
        var context = self
        context.depth += 1
        if let rows = self.rows {
            context.rows = values.map { rows[Int($0)] }
        } else {
            context.rows = values
        }
        return context
    }

    func row(of value: Int) -> Int { self.rows.map { Int($0[value]) } ?? value }
}

/// What the decoding of a column leans on.
struct DecodingContext {
    /// Times of the rows of the block; `nil` when a page is read without its block.
    var times: [Int64]?
    /// Per value its row; `nil` when value and row have the same number.
    var rows: RowMap?
    /// How many encodings are around; files may hold anything.
    var depth = 0
    /// Number of rows of the page.
    var rowCount = 0
    /// Whether the values are those of a slot of a template, and the texts of the templates those of the page's rows.
    var isSlotOfRows = false
    /// Whether numbers of fields that some rows lack stay end to end, as queries take them.
    var keepsNumbers: Bool
    /// Reads another column of the block.
    var column: ((String) throws(FormatError) -> Column?)?

    init(
        times: [Int64]? = nil,
        keepsNumbers: Bool = false,
        column: ((String) throws(FormatError) -> Column?)? = nil
    ) {
        self.times = times
        self.keepsNumbers = keepsNumbers
        self.column = column
    }

    /// The context for some of the values, by their index; `values` is called if somebody needs them.
    func narrowed(to values: @escaping () -> [Int32]) -> DecodingContext {
        var context = self.deeper
        context.isSlotOfRows = self.depth == 0
        let outer = self.rows
        context.rows = RowMap {
            guard let outer = outer?.rows else { return values() }
            return values().map { outer[Int($0)] }
        }
        return context
    }

    var deeper: DecodingContext {
        var context = self
        context.depth += 1
        context.isSlotOfRows = false
        return context
    }

    /// The times of the rows of the first `count` values.
    func times(count: Int) throws(FormatError) -> [Int64] {
        guard let times = self.times else { throw FormatError(offset: 0, reason: "times without their rows") }
        guard let rows = self.rows?.rows else {
            guard count <= times.count else { throw FormatError(offset: 0, reason: "times without their rows") }
            return count == times.count ? times : Array(times[..<count])
        }
        guard count <= rows.count, rows.allSatisfy({ times.indices.contains(Int($0)) }) else {
            throw FormatError(offset: 0, reason: "times without their rows")
        }
        return rows[..<count].map { times[Int($0)] }
    }

    /// Rows of values, worked out when somebody asks.
    final class RowMap {
        private let make: () -> [Int32]
        private(set) lazy var rows: [Int32] = self.make()

        init(_ make: @escaping () -> [Int32]) { self.make = make }
    }
}
