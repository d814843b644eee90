/// The part of a query that storage can test per segment and block before any row is decoded.
///
/// It may let too much through, never too little: a block that it refuses holds no row that the query wants.
public indirect enum Prefilter: Hashable, Sendable {
    /// Everything may match.
    case all
    /// Nothing can match.
    case none
    /// Every part may match.
    case and([Prefilter])
    /// At least one part may match.
    case or([Prefilter])
    /// Some value of any searched field (all but tags, ids and times, see `spec` of free text) contains the needle.
    case anyField(Needle)
    /// Some value of the field contains the needle.
    case contains(field: String, Needle)
    /// Some value of the field (a tag begins with `#`) equals this text.
    case equals(field: String, [UInt8])
    /// Some row has the field.
    case present(field: String)
    /// Some value of the field is a number within the bounds.
    case numeric(field: String, ClosedRange<Double>)
}

/// Bytes to look for.
public struct Needle: Hashable, Sendable {
    /// The bytes, at least one; in lower case when `foldsCase`.
    public let bytes: [UInt8]
    /// Whether ASCII letters match in either case.
    public let foldsCase: Bool

    public init(_ bytes: [UInt8], foldsCase: Bool = false) {
        self.bytes = bytes
        self.foldsCase = foldsCase
    }
}

/// A run of at most `Batch.rowCountMax` rows that can be tested cheaply and read when it may matter.
///
/// Conformers: blocks of sealed segments, open rows of a datasource, blocks of local files.
public protocol BlockSource: Sendable {
    /// Number of rows.
    var rowCount: Int { get }

    /// First and last event time in the block, nanoseconds since 1970 UTC.
    var timeRange: ClosedRange<Int64> { get }

    /// Number of rows that `read` gives when that is certain without reading; `nil` when it is not.
    var exactRowCount: Int? { get }

    /// Uncompressed size of the rows in bytes, for progress.
    var byteCount: Int { get }

    /// Whether `mayMatch` costs next to nothing, as it looks at little; if not, it is asked where blocks are read.
    var isTestedUnread: Bool { get }

    /// Whether the block could hold a row that passes; `false` only when it surely holds none.
    func mayMatch(_ prefilter: Prefilter) throws(DamagedBlock) -> Bool

    /// What is known of a field's values without reading them; `nil` when nothing is.
    func statistics(of field: String) -> FieldStatistics?

    /// The block's rows, oldest arrival first.
    func read() throws(DamagedBlock) -> Batch

    /// Those of the block's rows that could pass, and perhaps others, oldest arrival first.
    ///
    /// For sources whose rows have to be made: what surely does not pass is not made.
    func read(passing prefilter: Prefilter) throws(DamagedBlock) -> Batch
}

extension BlockSource {
    public var isTestedUnread: Bool { true }

    public func read(passing prefilter: Prefilter) throws(DamagedBlock) -> Batch { try self.read() }

    public var exactRowCount: Int? { nil }

    public func statistics(of field: String) -> FieldStatistics? { nil }
}

/// What a block knows of the values of a field, exactly.
public struct FieldStatistics: Hashable, Sendable {
    /// Rows that have the field.
    public var presentCount: Int
    /// When all values are integers in canonical form: the least and the largest.
    public var integers: ClosedRange<Int64>?

    public init(presentCount: Int, integers: ClosedRange<Int64>? = nil) {
        self.presentCount = presentCount
        self.integers = integers
    }
}
