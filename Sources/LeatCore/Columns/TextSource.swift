internal import CLeatKernels

/// Where the texts of a column come from, as pointers into what the column holds: writing a text from here counts no
/// references, which costs more than the writing.
///
/// All cases are trivial. The pointers are valid as long as the column is held, which is up to whoever made the source;
/// the memory of inner sources belongs to a `TextSourceNodes`.
enum TextSource {
    case constant(UnsafeRawPointer?, byteCount: Int)
    case plain(TextList)
    case dictionary(TextList, codes: UnsafePointer<UInt16>)
    case packedDictionary(TextList, codes: Unmanaged<PackedNumbers>)
    case numbers(UnsafePointer<Int64>, NumberForm)
    case packed(Unmanaged<PackedNumbers>, NumberForm)
    case ranked(Unmanaged<RankedNumbers>, NumberForm)
    case identifier(UnsafeRawPointer?, width: Int, isUUID: Bool, places: Unmanaged<RankedRows>?)
    case prefixed(UnsafeRawPointer?, byteCount: Int, rest: UnsafePointer<TextSource>)
    case reference(UnsafePointer<TextSource>, rows: UnsafePointer<Int32>?, droppedByteCount: Int)
    case template(Unmanaged<TemplateTexts>)

    /// The source of a column's texts, with inner sources in `nodes`.
    init(_ column: Column, _ nodes: TextSourceNodes) {
        switch column {
        case .constant(let column):
            let text = column.value.unsafeBytes
            self = .constant(text.baseAddress, byteCount: text.count)
        case .dictionary(let column):
            let texts = TextList(column.values)
            switch column.codeList {
            case .array(let codes): self = .dictionary(texts, codes: codes.stableAddress)
            case .packed(let codes): self = .packedDictionary(texts, codes: Unmanaged.passUnretained(codes))
            }
        case .plain(let column): self = .plain(TextList(column.values))
        case .integer(let column): self = .numbers(column.values.stableAddress, .integer)
        case .number(let column):
            switch column.numbers {
            case .array(let values): self = .numbers(values.stableAddress, column.form)
            case .packed(let numbers): self = .packed(Unmanaged.passUnretained(numbers), column.form)
            case .ranked(let numbers): self = .ranked(Unmanaged.passUnretained(numbers), column.form)
            }
        case .identifier(let column):
            self = .identifier(
                column.bytes.unsafeBytes.baseAddress,
                width: column.width,
                isUUID: column.isUUID,
                places: column.places.map { Unmanaged.passUnretained($0) }
            )
        case .prefixed(let column):
            let prefix = column.prefix.unsafeBytes
            let rest = nodes.add(TextSource(column.rest, nodes))
            self = .prefixed(prefix.baseAddress, byteCount: prefix.count, rest: rest)
        case .reference(let column):
            let target = nodes.add(TextSource(column.target, nodes))
            self = .reference(
                target,
                rows: column.rows?.stableAddress,
                droppedByteCount: column.droppedByteCount
            )
        case .template(let column): self = .template(Unmanaged.passUnretained(column.texts))
        }
    }

    /// Bytes that suffice for the text of a row.
    func room(at row: Int) -> Int {
        switch self {
        case .constant(_, let byteCount): byteCount
        case .dictionary(let texts, let codes): texts.byteCount(Int(codes[row]))
        case .packedDictionary(let texts, let codes): texts.byteCount(Self.code(row, of: codes))
        case .plain(let texts): texts.byteCount(row)
        case .numbers, .packed, .ranked: NumberForm.byteCountMax
        case .identifier(_, let width, let isUUID, _): isUUID ? 36 : width * 2
        case .prefixed(_, let byteCount, let rest): byteCount + rest.pointee.room(at: row)
        case .reference(let target, let rows, _): target.pointee.room(at: rows.map { Int($0[row]) } ?? row)
        case .template(let texts): texts._withUnsafeGuaranteedRef { $0.room(at: row) }
        }
    }

    /// Whether all texts are digits, letters and other characters that stand for themselves in JSON.
    var isPlain: Bool {
        switch self {
        case .numbers(_, let form), .packed(_, let form), .ranked(_, let form): form.isPlain
        case .identifier: true
        case .reference(let target, _, _): target.pointee.isPlain
        case .constant, .plain, .dictionary, .packedDictionary, .prefixed, .template: false
        }
    }

    /// Writes the text of a row that has the field and returns its length, at most `room(at:)`.
    func write(_ row: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
        switch self {
        case .constant(let text, let byteCount):
            if let text { leat_copy_bytes(target, text, byteCount) }
            return byteCount
        case .dictionary(let texts, let codes): return texts.write(Int(codes[row]), to: target)
        case .packedDictionary(let texts, let codes): return texts.write(Self.code(row, of: codes), to: target)
        case .plain(let texts): return texts.write(row, to: target)
        case .numbers(let values, let form): return form.write(values[row], to: target)
        case .packed(let numbers, let form):
            return form.write(numbers._withUnsafeGuaranteedRef { $0[row] }, to: target)
        case .ranked(let numbers, let form):
            return form.write(numbers._withUnsafeGuaranteedRef { $0[row] }, to: target)
        case .identifier(let bytes, let width, let isUUID, let places):
            guard let bytes else { return 0 }
            let value = Self.value(row, of: places)
            return IdentifierColumn.write(bytes + value * width, width: width, isUUID: isUUID, to: target)
        case .prefixed(let prefix, let byteCount, let rest):
            if let prefix { leat_copy_bytes(target, prefix, byteCount) }
            return byteCount + rest.pointee.write(row, to: target + byteCount)
        case .reference(let source, let rows, let droppedByteCount):
            let count = source.pointee.write(rows.map { Int($0[row]) } ?? row, to: target)
            let dropped = min(droppedByteCount, count)
            if dropped > 0 { target.update(from: target + dropped, count: count - dropped) }
            return count - dropped
        case .template(let texts): return texts._withUnsafeGuaranteedRef { $0.write(row, to: target) }
        }
    }
}

extension TextSource {
    @inline(__always)
    fileprivate static func code(_ row: Int, of codes: Unmanaged<PackedNumbers>) -> Int {
        Int(codes._withUnsafeGuaranteedRef { $0[row] })
    }

    @inline(__always)
    fileprivate static func value(_ row: Int, of places: Unmanaged<RankedRows>?) -> Int {
        places?._withUnsafeGuaranteedRef { $0.knownValue(of: row) } ?? row
    }
}

// MARK: memory that will be read

// Rows that a query keeps lie far apart, each with its values in twenty places: one after the other, writing them would
// wait for most of these. Asked for beforehand, many come at a time.
extension TextSource {
    /// Asks for the memory in which the first look at a row will be.
    @inline(__always)
    func prefetch(_ row: Int) {
        switch self {
        case .constant: break
        case .dictionary(_, let codes): leat_prefetch(codes + row)
        case .plain(let texts): texts.prefetchBounds(row)
        case .numbers(let values, _): leat_prefetch(values + row)
        case .packed(let numbers, _): numbers._withUnsafeGuaranteedRef { $0.prefetch(row) }
        case .ranked(let numbers, _): numbers._withUnsafeGuaranteedRef { $0.prefetch(row) }
        case .packedDictionary(_, let codes): codes._withUnsafeGuaranteedRef { $0.prefetch(row) }
        case .identifier(let bytes, let width, _, let places):
            if let bytes { leat_prefetch(bytes + Self.value(row, of: places) * width) }
        case .prefixed(_, _, let rest): rest.pointee.prefetchInner(row)
        case .reference(let target, let rows, _):
            if let rows { leat_prefetch(rows + row) } else { target.pointee.prefetchInner(row) }
        case .template(let texts): texts._withUnsafeGuaranteedRef { $0.prefetch(row) }
        }
    }

    /// Asks for the memory to which that look leads.
    @inline(__always)
    func prefetchText(_ row: Int) {
        switch self {
        case .constant, .numbers, .packed, .ranked, .identifier: break
        case .dictionary(let texts, let codes): texts.prefetchBounds(Int(codes[row]))
        case .packedDictionary(let texts, let codes): texts.prefetchBounds(Self.code(row, of: codes))
        case .plain(let texts): texts.prefetchText(row)
        case .prefixed(_, _, let rest): rest.pointee.prefetchInnerText(row)
        case .reference(let target, let rows, _):
            if let rows {
                target.pointee.prefetchInner(Int(rows[row]))
            } else {
                target.pointee.prefetchInnerText(row)
            }
        case .template(let texts): texts._withUnsafeGuaranteedRef { $0.prefetchText(row) }
        }
    }

    @inline(never)
    private func prefetchInner(_ row: Int) { self.prefetch(row) }

    @inline(never)
    private func prefetchInnerText(_ row: Int) { self.prefetchText(row) }
}

/// Texts end to end, as pointers into `ByteStrings`.
struct TextList {
    private let offsets: UnsafePointer<UInt32>
    private let bytes: UnsafeRawPointer?

    init(_ strings: ByteStrings) {
        self.offsets = strings.offsets.stableAddress
        self.bytes = strings.bytes.unsafeBytes.baseAddress
    }

    @inline(__always)
    func byteCount(_ index: Int) -> Int { Int(self.offsets[index + 1] &- self.offsets[index]) }

    @inline(__always)
    func prefetchBounds(_ index: Int) { leat_prefetch(self.offsets + index) }

    @inline(__always)
    func prefetchText(_ index: Int) {
        if let bytes = self.bytes { leat_prefetch(bytes + Int(self.offsets[index])) }
    }

    @inline(__always)
    func write(_ index: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let start = Int(self.offsets[index])
        let count = Int(self.offsets[index + 1]) &- start
        if let bytes = self.bytes { leat_copy_bytes(target, bytes + start, count) }
        return count
    }
}

/// Memory of the inner parts of sources.
final class TextSourceNodes {
    private var sources: [UnsafeMutablePointer<TextSource>] = []

    func add(_ source: TextSource) -> UnsafePointer<TextSource> {
        let node = UnsafeMutablePointer<TextSource>.allocate(capacity: 1)
        node.initialize(to: source)
        self.sources.append(node)
        return UnsafePointer(node)
    }

    deinit { for node in self.sources { node.deallocate() } }
}

/// Writes the texts of a column, any number of times and from any thread; the fast form of `Column.write`.
public final class TextWriter: @unchecked Sendable {
    // Sound as Sendable: nothing changes after `init`; the column keeps what the pointers point to.
    private let column: Column
    private let nodes = TextSourceNodes()
    private let source: TextSource

    public init(_ column: Column) {
        self.column = column
        self.source = TextSource(column, self.nodes)
    }

    /// Bytes that suffice for the text of a row.
    public func room(at row: Int) -> Int { self.source.room(at: row) }

    /// Writes the text of a row that has the field and returns its length, at most `room(at:)`.
    public func write(_ row: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
        self.source.write(row, to: target)
    }

    /// Asks for the memory in which the first look at a row that will be written soon will be.
    public func prefetch(_ row: Int) { self.source.prefetch(row) }

    /// Asks for the memory to which that look leads.
    public func prefetchText(_ row: Int) { self.source.prefetchText(row) }

    /// Rows between asking for memory and reading it.
    private static let distance = 8

    /// Calls `body` with the rows, whose texts it is going to write, and has their memory at hand.
    @inline(__always)
    func forEach(_ rows: [Int32], _ body: (Int) -> Void) {
        for index in rows.indices {
            if index + 2 * Self.distance < rows.count { self.source.prefetch(Int(rows[index + 2 * Self.distance])) }
            if index + Self.distance < rows.count { self.source.prefetchText(Int(rows[index + Self.distance])) }
            body(Int(rows[index]))
        }
    }
}

extension Array {
    /// Where the elements are, as long as somebody holds this array and nobody changes it.
    ///
    /// Sound on this platform, where an array is always stored in one piece that does not move.
    var stableAddress: UnsafePointer<Element> {
        guard let address = self.withUnsafeBufferPointer({ $0.baseAddress }) else {
            preconditionFailure("an array without storage")
        }
        return address
    }
}
