internal import LeatCore

/// What the encoding of a column may lean on.
struct EncodingContext {
    /// Columns of the block that others may refer to, by name, each with a text per row of the block.
    struct Candidate {
        var name: String
        var strings: ByteStrings
        var presence: Bitmap?
    }

    /// Times of the rows of the block.
    var times: [Int64]
    /// Per value its row; `nil` when value and row have the same number.
    var rows: [Int32]?
    var candidates: [Candidate] = []
    /// How many templates are around.
    var depth = 0

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
    var rows: [Int32]?
    /// How many encodings are around; files may hold anything.
    var depth = 0
    /// Reads another column of the block.
    var column: ((String) throws(FormatError) -> Column?)?

    init(times: [Int64]? = nil, column: ((String) throws(FormatError) -> Column?)? = nil) {
        self.times = times
        self.column = column
    }

    func narrowed(to values: [Int32]) -> DecodingContext {
        var context = self.deeper
        if let rows = self.rows {
            context.rows = values.map { rows[Int($0)] }
        } else {
            context.rows = values
        }
        return context
    }

    var deeper: DecodingContext {
        var context = self
        context.depth += 1
        return context
    }

    /// The time of the row of a value.
    func time(of value: Int) throws(FormatError) -> Int64 {
        let row = self.rows.map { value < $0.count ? Int($0[value]) : -1 } ?? value
        guard let times = self.times, times.indices.contains(row) else {
            throw FormatError(offset: 0, reason: "times without their rows")
        }
        return times[row]
    }
}
