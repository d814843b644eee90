internal import LeatCore

/// Gathers the rows of one block of a file, whatever its format.
///
/// Per row: `set` fields, then `endRow` or `endDocument`. The text of a row may be the value of a field, which is then
/// held once under both names as long as all rows of the block do the same.
final class LocalRows {
    /// Which field is the text of a row.
    enum Text: UInt8 {
        /// The row has none.
        case none
        /// A column of its own, `@rawstring`.
        case own
        case message, log, msg

        var field: String? {
            switch self {
            case .none, .own: nil
            case .message: "message"
            case .log: "log"
            case .msg: "msg"
            }
        }
    }

    /// The time of lines that carry none, in nanoseconds since 1970 UTC: when the file is read.
    let arrival: Int64
    var builder = BatchBuilder()
    private var texts: [Text] = []
    private let textColumn: Int
    private var knownColumns: [(name: UnsafePointer<UInt8>, column: Int)] = []
    private var guesses: [(name: ByteSlice, column: Int)] = []
    private var guess = 0
    /// Documents whose `@timestamp` is no time; their rows have the time of arrival.
    private(set) var badTimeCount = 0

    init(arrival: Int64) {
        self.arrival = arrival
        self.textColumn = self.builder.columnIndex(of: "@rawstring")
    }

    var isFull: Bool { self.builder.isFull }

    func noteBadTime() { self.badTimeCount += 1 }

    /// Sets a field whose name is written in this program.
    func set(_ name: StaticString, _ value: UnsafeRawBufferPointer) {
        for known in self.knownColumns where known.name == name.utf8Start {
            self.builder.append(value, to: known.column)
            return
        }
        let bytes = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        let column = self.builder.columnIndex(of: bytes)
        self.knownColumns.append((name.utf8Start, column))
        self.builder.append(value, to: column)
    }

    /// Sets a field whose name stands in the line.
    func set(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        // Fast path: the row has the names of the row before, in the same order.
        if self.guess < self.guesses.count, name.isEqual(to: self.guesses[self.guess].name.unsafeBytes) {
            self.builder.append(value, to: self.guesses[self.guess].column)
            self.guess += 1
            return
        }
        let column = self.builder.columnIndex(of: name)
        if self.guess < self.guesses.count { self.guesses.removeSubrange(self.guess...) }
        self.guesses.append((ByteSlice(copying: name), column))
        self.guess += 1
        self.builder.append(value, to: column)
    }

    /// Sets the row's text.
    func setText(_ value: UnsafeRawBufferPointer) { self.builder.append(value, to: self.textColumn) }

    /// Completes the row.
    func endRow(timestamp: Int64?, text: Text) {
        self.builder.endRow(timestamp: timestamp ?? self.arrival)
        self.texts.append(text)
        self.guess = 0
    }

    /// A row that is nothing but its text.
    func addPlain(_ line: UnsafeRawBufferPointer, timestamp: Int64? = nil) {
        self.setText(line)
        self.endRow(timestamp: timestamp, text: .own)
    }

    /// The rows.
    func finish() -> Batch {
        var batch = self.builder.finish()
        let texts = self.texts
        self.texts = []
        guard let first = texts.first, texts.contains(where: { $0.field != nil }) else { return batch }
        if texts.allSatisfy({ $0 == first }), let field = first.field, let column = Self.column(field, batch) {
            batch.set("@rawstring", to: column)
            return batch
        }
        Self.mixTexts(texts, in: &batch)
        return batch
    }

    /// Slow path: rows take their texts from different fields.
    private static func mixTexts(_ texts: [Text], in batch: inout Batch) {
        var sources: [Text: ByteStrings] = [:]
        for text in Set(texts) {
            if case .plain(let column) = Self.column(text.field ?? "@rawstring", batch) {
                sources[text] = column.values
            }
        }
        var offsets: [UInt32] = [0]
        var bytes: [UInt8] = []
        var presence = Bitmap(repeating: true, count: texts.count)
        for (row, text) in texts.enumerated() {
            if text != .none, let values = sources[text] {
                bytes.append(contentsOf: values[row])
            } else {
                presence.set(row, to: false)
            }
            offsets.append(UInt32(bytes.count))
        }
        let values = ByteStrings(offsets: offsets, bytes: ByteSlice(bytes))
        batch.set("@rawstring", to: .plain(PlainColumn(values: values, presence: presence.isFull ? nil : presence)))
    }

    private static func column(_ name: String, _ batch: Batch) -> Column? {
        do throws(DamagedBlock) {
            return try batch.column(name)
        } catch {
            preconditionFailure("a batch in memory is damaged: \(error)")
        }
    }
}
