internal import LeatCore

/// Gathers the rows of an aggregate.
///
/// Fields stay set from row to row until cleared, so that nested aggregates repeat those of the outer ones.
final class RowWriter {
    private struct Output {
        let name: String
        var isSet = false
        var value: [UInt8] = []
        /// The column of the builder, as long as it is of this generation.
        var target = -1
        var generation = -1
    }

    private var outputs: [Output] = []
    private var indexOfName: [String: Int] = [:]
    private var builder = BatchBuilder()
    private var finished: [Batch] = []
    private(set) var rowCount = 0
    private let rowCountMax: Int
    /// Whether rows were dropped because there were too many.
    private(set) var isCut = false

    init(columns: [String] = [], rowCountMax: Int = .max) {
        self.rowCountMax = rowCountMax
        for name in columns { _ = self.column(name) }
    }

    /// The number of a column, made when new.
    func column(_ name: String) -> Int {
        if let known = self.indexOfName[name] { return known }
        self.indexOfName[name] = self.outputs.count
        self.outputs.append(Output(name: name))
        return self.outputs.count - 1
    }

    /// All columns so far, in order.
    var columns: [String] { self.outputs.map(\.name) }

    /// Sets a field of the row; a different value from another aggregate is an error.
    func set(_ column: Int, to value: UnsafeRawBufferPointer) throws(QueryFailure) {
        if self.outputs[column].isSet {
            let isSame = self.outputs[column].value.elementsEqual(value)
            if !isSame { throw .conflict(field: self.outputs[column].name) }
            return
        }
        self.outputs[column].isSet = true
        self.outputs[column].value.removeAll(keepingCapacity: true)
        self.outputs[column].value.append(contentsOf: value)
    }

    func set(_ column: Int, to value: [UInt8]) throws(QueryFailure) {
        try value.withRawBytes { (bytes) throws(QueryFailure) in try self.set(column, to: bytes) }
    }

    func set(_ column: Int, to value: Double) throws(QueryFailure) {
        var bytes: [UInt8] = []
        NumberText.append(value, to: &bytes)
        try self.set(column, to: bytes)
    }

    func set(_ column: Int, to value: Int) throws(QueryFailure) {
        try NumberText.withDecimal(Int64(value)) { (bytes) throws(QueryFailure) in try self.set(column, to: bytes) }
    }

    /// Whether the row has the field already.
    func isSet(_ column: Int) -> Bool { self.outputs[column].isSet }

    /// The value of a field of the row as a number.
    func number(_ column: Int) -> Double? {
        guard self.outputs[column].isSet else { return nil }
        return self.outputs[column].value.withUnsafeBytes { NumberText.parse($0) }
    }

    /// Takes a field from the row.
    func clear(_ column: Int) { self.outputs[column].isSet = false }

    /// Runs `body`, then takes away those fields that were not set before.
    func scoped(_ body: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        guard self.outputs.count <= 64 else { return try self.scopedSlowly(body) }
        var before: UInt64 = 0
        for index in self.outputs.indices where self.outputs[index].isSet { before |= 1 << UInt64(index) }
        try body()
        for index in self.outputs.indices {
            self.outputs[index].isSet = index < 64 && before >> UInt64(index) & 1 == 1
        }
    }

    private func scopedSlowly(_ body: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        let before = self.outputs.map(\.isSet)
        try body()
        for index in self.outputs.indices { self.outputs[index].isSet = index < before.count && before[index] }
    }

    /// Completes a row of the fields that are set.
    func endRow() {
        guard self.rowCount < self.rowCountMax else {
            self.isCut = true
            return
        }
        for index in self.outputs.indices where self.outputs[index].isSet {
            if self.outputs[index].generation != self.builder.generation {
                self.outputs[index].target = self.builder.columnIndex(of: self.outputs[index].name)
                self.outputs[index].generation = self.builder.generation
            }
            let target = self.outputs[index].target
            self.outputs[index].value.withUnsafeBytes { self.builder.append($0, to: target) }
        }
        self.builder.endRow(timestamp: 0)
        self.rowCount += 1
        if self.builder.isFull { self.finished.append(self.builder.finish()) }
    }

    /// The rows so far, in order; the writer is empty afterwards.
    func finish() -> [Batch] {
        if self.builder.rowCount > 0 { self.finished.append(self.builder.finish()) }
        defer { self.finished = [] }
        return self.finished
    }
}
