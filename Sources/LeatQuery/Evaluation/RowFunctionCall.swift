internal import LeatCore

/// What a row function reads, ready to be read from a batch.
enum OperandProgram: Sendable {
    case field(String)
    case expression(ExpressionProgram)
    case array(String)
    case allFields
}

/// Calls row functions for all rows of a batch: once per distinct combination of inputs where that is cheaper.
enum RowFunctionCall {
    /// What a function wrote.
    struct Outputs {
        /// Per declared output its values, absent where nothing was written.
        var declared: [Column?]
        /// Values under other names, absent where nothing was written.
        var others: [(name: String, column: Column)] = []
        /// Fields that were taken away, with the rows.
        var removed: [(name: String, rows: Bitmap)] = []
    }

    /// Whether the query goes on is asked every 64 values: one may take a regular expression milliseconds.
    private static let checkMask = 0x3F

    /// The outputs for the rows of `selection`.
    static func apply(
        _ function: any RowFunction,
        _ operands: [OperandProgram],
        _ rows: EventRows,
        within selection: Bitmap,
        _ context: StageContext
    ) throws(QueryFailure) -> Outputs {
        var reader = try OperandReader(operands, rows, within: selection, context)
        let domain = RowDomain(columns: reader.distinguishing, selection: selection)
        reader.pick(domain.rows)
        var declared = function.outputs.map { _ in PartialColumn() }
        var others = NamedColumns()
        var outputs = RowOutputs(count: declared.count)
        let checkMask = function.checksEachRow ? 0 : Self.checkMask
        var byteCount = TextByteCount(context.options.limits)
        for index in domain.rows.indices {
            if index & checkMask == 0 { try context.check() }
            outputs.clear()
            try reader.withInputs(index) { (inputs) throws(QueryFailure) in
                try byteCount.check(inputs)
                try function.apply(inputs, &outputs)
            }
            try byteCount.add(outputs)
            for output in declared.indices {
                if let value = outputs.values[output] { declared[output].set(value, at: index) }
            }
            for other in outputs.others { others.set(other.name, other.value, at: index) }
            try byteCount.check(columns: others.columns.count, rows: index + 1)
        }
        return Outputs(
            declared: declared.map { $0.isEmpty ? nil : domain.expanded($0, rowCount: rows.rowCount) },
            others: others.columns.map { ($0.name, domain.expanded($0.values, rowCount: rows.rowCount)) },
            removed: others.removed.map { ($0.name, domain.expanded($0.indexes, rowCount: rows.rowCount)) }
        )
    }

    /// The rows among `selection` that a predicate keeps.
    static func test(
        _ predicate: any RowPredicate,
        _ operands: [OperandProgram],
        _ rows: EventRows,
        within selection: Bitmap,
        _ context: StageContext
    ) throws(QueryFailure) -> Bitmap {
        var reader = try OperandReader(operands, rows, within: selection, context)
        let domain = RowDomain(columns: reader.distinguishing, selection: selection)
        reader.pick(domain.rows)
        var passing: [Bool] = []
        passing.reserveCapacity(domain.rows.count)
        for index in domain.rows.indices {
            if passing.count & Self.checkMask == 0 { try context.check() }
            passing.append(
                try reader.withInputs(index) { (inputs) throws(QueryFailure) in try predicate.test(inputs) }
            )
        }
        return Bitmap(within: selection, count: rows.rowCount) { passing[domain.index(of: $0)] }
    }
}

/// How much text a function reads and makes: chains of functions may let a text grow without end.
private struct TextByteCount {
    private let limits: QueryLimits
    private var count = 0

    init(_ limits: QueryLimits) { self.limits = limits }

    /// Throws when the inputs of one call are too long together.
    @inline(__always)
    func check(_ inputs: RowInputs) throws(QueryFailure) {
        var count = 0
        for value in inputs.values { count += value?.count ?? 0 }
        if count > self.limits.valueBytes { throw .textTooLong(limit: self.limits.valueBytes) }
    }

    /// Throws when columns whose names come with the rows take too much memory, whatever their texts.
    @inline(__always)
    func check(columns: Int, rows: Int) throws(QueryFailure) {
        let byteCount = columns * rows * MemoryLayout<UInt32>.size
        if byteCount > self.limits.batchTextBytes { throw .textTooLong(limit: self.limits.batchTextBytes) }
    }

    /// Adds what one call made; throws beyond the limit of a text, or of a batch.
    @inline(__always)
    mutating func add(_ outputs: RowOutputs) throws(QueryFailure) {
        var own = 0
        for value in outputs.values { own += value?.count ?? 0 }
        for other in outputs.others { own += other.value?.count ?? 0 }
        if own > self.limits.valueBytes { throw .textTooLong(limit: self.limits.valueBytes) }
        self.count += own
        if self.count > self.limits.batchTextBytes { throw .textTooLong(limit: self.limits.batchTextBytes) }
    }
}

/// The operands of a function over one batch.
struct OperandReader {
    private let columns: [Column?]
    private let arrays: [(operand: Int, elements: [(suffix: String, column: Column)])]
    private let fields: [(name: String, column: Column)]
    private let isPlain: Bool
    /// The rows whose inputs are asked for, and the texts of `columns` in them.
    private var rows: [Int32] = []
    private var texts: [PickedTexts?] = []

    init(
        _ operands: [OperandProgram],
        _ rows: EventRows,
        within selection: Bitmap,
        _ context: StageContext
    ) throws(QueryFailure) {
        var columns: [Column?] = []
        var arrays: [(operand: Int, elements: [(suffix: String, column: Column)])] = []
        var fields: [(name: String, column: Column)] = []
        for (index, operand) in operands.enumerated() {
            switch operand {
            case .field(let name): columns.append(try rows.column(name))
            case .expression(let program):
                let values = try program.evaluate(rows, within: selection, context)
                columns.append(values.column(rowCount: rows.rowCount))
            case .array(let name):
                columns.append(nil)
                arrays.append((index, try Self.elements(of: name, rows)))
            case .allFields:
                columns.append(nil)
                for name in rows.fieldNames {
                    if let column = try rows.column(name) { fields.append((name, column.addressable)) }
                }
            }
        }
        self.columns = columns
        self.arrays = arrays
        self.fields = fields
        self.isPlain = arrays.isEmpty && fields.isEmpty
    }

    /// All fields whose name begins with the array's name and `[`.
    private static func elements(
        of name: String,
        _ rows: EventRows
    ) throws(QueryFailure) -> [(suffix: String, column: Column)] {
        let base = name.hasSuffix("[]") ? String(name.dropLast(2)) : name
        var result: [(suffix: String, column: Column)] = []
        for field in rows.fieldNames where field.hasPrefix(base) && field.dropFirst(base.count).hasPrefix("[") {
            if let column = try rows.column(field) {
                result.append((String(field.dropFirst(base.count)), column.addressable))
            }
        }
        return result
    }

    /// The columns on which the inputs depend; `nil` when rows surely differ.
    var distinguishing: [Column?]? { self.isPlain ? self.columns : nil }

    /// Says which rows will be asked for; to be called first.
    mutating func pick(_ rows: [Int32]) {
        self.rows = rows
        self.texts = self.columns.map { $0.map { PickedTexts($0, rows: rows) } }
    }

    /// Calls `body` with the inputs of the picked row `index`, valid during the call.
    @inline(__always)
    func withInputs<Result>(
        _ index: Int,
        _ body: (RowInputs) throws(QueryFailure) -> Result
    ) throws(QueryFailure) -> Result {
        let row = Int(self.rows[index])
        let values = self.texts.map { $0?.pointer(index, row: row) }
        if self.isPlain { return try body(RowInputs(values: values)) }
        var elements: [(suffix: String, value: UnsafeRawBufferPointer)] = []
        for array in self.arrays {
            for element in array.elements {
                if let value = element.column.pointer(at: row) { elements.append((element.suffix, value)) }
            }
        }
        var fields: [(name: String, value: UnsafeRawBufferPointer)] = []
        for field in self.fields {
            if let value = field.column.pointer(at: row) { fields.append((field.name, value)) }
        }
        return try body(RowInputs(values: values, arrayElements: elements, fields: fields))
    }
}

/// The texts of some rows of a column, in memory, so that they can be pointed at.
struct PickedTexts {
    private let column: Column
    private let isPicked: Bool

    /// When these are few of the rows, and the texts are not there already, only theirs are made.
    init(_ column: Column, rows: [Int32]) {
        switch column {
        case .constant, .dictionary, .plain: self.isPicked = false
        default: self.isPicked = rows.count * 2 < column.rowCount
        }
        self.column = (self.isPicked ? column.gathered(rows) : column).addressable
    }

    /// The text of the picked row `index`, which is row `row` of the column; valid while this value lives.
    @inline(__always)
    func pointer(_ index: Int, row: Int) -> UnsafeRawBufferPointer? {
        self.column.pointer(at: self.isPicked ? index : row)
    }
}

/// The rows for which something has to be computed, one per distinct combination of inputs.
struct RowDomain {
    /// One row of each combination.
    private(set) var rows: [Int32] = []
    /// Per row of the batch the number of its combination; undefined for rows outside the selection.
    private var indexOfRow: [UInt16]

    init(columns: [Column?]?, selection: Bitmap) {
        self.indexOfRow = [UInt16](repeating: 0, count: selection.count)
        let coded = columns.map { $0.compactMap { $0 }.filter { !$0.isConstant } }
        switch coded.map({ ($0.count, $0.first) }) {
        case (0, _)?:
            // Constants only: any row stands for all.
            selection.forEachSet { if self.rows.isEmpty { self.rows.append(Int32($0)) } }
        case (1, .dictionary(let dictionary)?)? where dictionary.values.count * 2 < selection.count:
            self.group(by: dictionary, selection)
        default:
            selection.forEachSet { row in
                self.indexOfRow[row] = UInt16(truncatingIfNeeded: self.rows.count)
                self.rows.append(Int32(row))
            }
        }
    }

    private mutating func group(by dictionary: DictionaryColumn, _ selection: Bitmap) {
        // The last number stands for rows without the field.
        var indexOfCode = [Int32](repeating: -1, count: dictionary.values.count + 1)
        selection.forEachSet { row in
            let isPresent = dictionary.presence?[row] ?? true
            let code = isPresent ? Int(dictionary.codeList[row]) : dictionary.values.count
            if indexOfCode[code] < 0 {
                indexOfCode[code] = Int32(self.rows.count)
                self.rows.append(Int32(row))
            }
            self.indexOfRow[row] = UInt16(truncatingIfNeeded: indexOfCode[code])
        }
    }

    @inline(__always)
    func index(of row: Int) -> Int { Int(self.indexOfRow[row]) }

    /// The rows of `selection`, combination by combination, and where those of each begin, and the last end.
    func rowsByIndex(within selection: Bitmap) -> (rows: [UInt16], starts: [Int]) {
        var starts = [Int](repeating: 0, count: self.rows.count + 1)
        selection.forEachSet { starts[self.index(of: $0) + 1] += 1 }
        for index in self.rows.indices { starts[index + 1] += starts[index] }
        var next = starts
        var rows = [UInt16](repeating: 0, count: starts[self.rows.count])
        selection.forEachSet { row in
            let index = self.index(of: row)
            rows[next[index]] = UInt16(truncatingIfNeeded: row)
            next[index] += 1
        }
        return (rows, starts)
    }

    /// The values of the combinations, given to all rows.
    func expanded(_ values: PartialColumn, rowCount: Int) -> Column {
        var values = values
        let (strings, present) = values.finish(count: self.rows.count)
        let presence = present.map { present in Bitmap(count: rowCount) { present[Int(self.indexOfRow[$0])] } }
        return .dictionary(DictionaryColumn(values: strings, codes: self.indexOfRow, presence: presence))
    }

    /// The rows of combinations.
    func expanded(_ indexes: Set<Int>, rowCount: Int) -> Bitmap {
        Bitmap(count: rowCount) { indexes.contains(Int(self.indexOfRow[$0])) }
    }
}

extension Column {
    /// Whether all rows have the same value.
    var isConstant: Bool {
        guard case .constant(let column) = self else { return false }
        return column.presence == nil
    }
}

/// Values under construction for ascending rows, some of which have none.
struct PartialColumn {
    private var builder = TextColumnBuilder(rowCapacity: 0)
    private var present: [Int] = []

    var isEmpty: Bool { self.present.isEmpty }

    /// Sets the value of a row; rows come in ascending order, of two values for one the last stays.
    mutating func set(_ value: [UInt8], at row: Int) { value.withUnsafeBytes { self.set($0, at: row) } }

    mutating func set(_ value: UnsafeRawBufferPointer, at row: Int) {
        if self.present.last == row {
            self.builder.removeLast()
        } else {
            self.present.append(row)
        }
        while self.builder.count < row { self.builder.appendEmpty() }
        self.builder.append(value)
    }

    /// The values of `count` rows, and which rows have one (`nil`: all).
    mutating func finish(count: Int) -> (values: ByteStrings, present: Bitmap?) {
        while self.builder.count < count { self.builder.appendEmpty() }
        guard self.present.count < count else { return (self.builder.finish(), nil) }
        var bits = Bitmap(repeating: false, count: count)
        for row in self.present { bits.set(row) }
        return (self.builder.finish(), bits)
    }
}

/// Columns under construction whose names come with the rows.
struct NamedColumns {
    private(set) var columns: [(name: String, values: PartialColumn)] = []
    private(set) var removed: [(name: String, indexes: Set<Int>)] = []
    private var indexOfName: [String: Int] = [:]

    /// Sets the value of a field in a row, or takes the field away.
    mutating func set(_ name: String, _ value: [UInt8]?, at row: Int) {
        guard let value else {
            if let known = self.removed.firstIndex(where: { $0.name == name }) {
                self.removed[known].indexes.insert(row)
            } else {
                self.removed.append((name, [row]))
            }
            return
        }
        let index: Int
        if let known = self.indexOfName[name] {
            index = known
        } else {
            index = self.columns.count
            self.indexOfName[name] = index
            self.columns.append((name, PartialColumn()))
        }
        self.columns[index].values.set(value, at: row)
    }
}
