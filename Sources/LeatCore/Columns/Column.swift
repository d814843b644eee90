/// One field's values in one batch, in the form in which they are stored.
///
/// There are no types at run time: every value is a byte string, and the encoding is only a shorter way to keep the
/// exact text. Filters and functions look at distinct values and map codes; `write(_:to:)` makes the text of one row,
/// `decoded()` those of all.
///
/// A row where the field is absent differs from one where it is empty: `presence` says which rows have a value
/// (`nil`: all). What a column holds at an absent row is undefined.
public enum Column: Sendable {
    /// The same text in every row that has the field.
    case constant(ConstantColumn)
    /// Few distinct texts, each row with the code of its text.
    case dictionary(DictionaryColumn)
    /// Texts that are integers in canonical decimal form.
    case integer(IntegerColumn)
    /// One text per row.
    case plain(PlainColumn)
    /// Texts that are numbers in another form: decimals, addresses, times.
    case number(NumberColumn)
    /// Texts of hexadecimal digits, as many in each.
    case identifier(IdentifierColumn)
    /// Texts with a common beginning.
    indirect case prefixed(PrefixedColumn)
    /// Texts that another column of the same rows has as well.
    indirect case reference(ReferenceColumn)
    /// Texts as templates and columns of what varies in them.
    case template(TemplateColumn)

    /// Number of rows, at most `Batch.rowCountMax`.
    public var rowCount: Int {
        switch self {
        case .constant(let column): column.rowCount
        case .dictionary(let column): column.codeList.count
        case .integer(let column): column.values.count
        case .plain(let column): column.values.count
        case .number(let column): column.numbers.count
        case .identifier(let column): column.rowCount
        case .prefixed(let column): column.rest.rowCount
        case .reference(let column): column.rowCount
        case .template(let column): column.texts.codes.count
        }
    }

    /// The rows that have the field; `nil` when all have it.
    public var presence: Bitmap? {
        switch self {
        case .constant(let column): column.presence
        case .dictionary(let column): column.presence
        case .integer(let column): column.presence
        case .plain(let column): column.presence
        case .number(let column): column.presence
        case .identifier(let column): column.presence
        case .prefixed(let column): column.rest.presence
        case .reference(let column): column.presence
        case .template(let column): column.presence
        }
    }

    /// The same values with other rows that have the field: some of those that have it now.
    public func with(presence: Bitmap?) -> Column {
        switch self {
        case .constant(let column):
            return .constant(ConstantColumn(value: column.value, rowCount: column.rowCount, presence: presence))
        case .dictionary(let column):
            return .dictionary(DictionaryColumn(values: column.values, codeList: column.codeList, presence: presence))
        case .integer(let column): return .integer(IntegerColumn(values: column.values, presence: presence))
        case .plain(let column): return .plain(PlainColumn(values: column.values, presence: presence))
        case .number(let column):
            return .number(NumberColumn(form: column.form, numbers: column.numbers, presence: presence))
        case .identifier(let column): return .identifier(column.with(presence: presence))
        case .prefixed(let column):
            return .prefixed(PrefixedColumn(prefix: column.prefix, rest: column.rest.with(presence: presence)))
        case .reference(let column): return .reference(column.with(presence: presence))
        case .template(let column): return .template(TemplateColumn(texts: column.texts, presence: presence))
        }
    }

    /// Whether `row` has the field.
    public func isPresent(at row: Int) -> Bool { self.presence?[row] ?? true }
}

/// See `Column.constant`.
public struct ConstantColumn: Sendable {
    public let value: ByteSlice
    public let rowCount: Int
    public let presence: Bitmap?

    public init(value: ByteSlice, rowCount: Int, presence: Bitmap? = nil) {
        self.value = value
        self.rowCount = rowCount
        self.presence = presence
    }
}

/// See `Column.dictionary`.
public struct DictionaryColumn: Sendable {
    /// The distinct texts, in order of first use; at least one.
    public let values: ByteStrings
    /// Per row the index of its text.
    ///
    /// 16 bits suffice, as a batch has at most 65,536 rows.
    public let codeList: CodeList
    public let presence: Bitmap?
    private let knownTally = LazyReference<CodeTally>()

    public init(values: ByteStrings, codes: [UInt16], presence: Bitmap? = nil) {
        self.init(values: values, codeList: .array(codes), presence: presence)
    }

    public init(values: ByteStrings, codeList: CodeList, presence: Bitmap? = nil) {
        self.values = values
        self.codeList = codeList
        self.presence = presence
    }

    /// The codes as an array; a new one at each call for columns of slots, which stay packed.
    public var codes: [UInt16] { self.codeList.array }

    /// How often each text occurs among the rows that have the field; counted once.
    public var tally: CodeTally {
        self.knownTally.value { CodeTally(self.codes, among: self.values.count, within: self.presence) }
            .takeUnretainedValue()
    }
}

/// See `Column.integer`.
public struct IntegerColumn: Sendable {
    /// Per row the number whose shortest decimal form (`-` only before a digit other than 0, no leading zeros) is the
    /// text.
    public let values: [Int64]
    public let presence: Bitmap?

    public init(values: [Int64], presence: Bitmap? = nil) {
        self.values = values
        self.presence = presence
    }
}

/// See `Column.plain`.
public struct PlainColumn: Sendable {
    /// One text per row, empty where the field is absent.
    public let values: ByteStrings
    public let presence: Bitmap?

    public init(values: ByteStrings, presence: Bitmap? = nil) {
        self.values = values
        self.presence = presence
    }
}
