public import LeatCore

/// Writes rows of one batch as JSON: values are strings, `@timestamp` is a number (epoch milliseconds).
///
/// Keys come in the order `@timestamp`, `@id`, tags, fields, `@rawstring`, or in that of the given columns. A field
/// that a row lacks is left out.
public final class RowRenderer: Sendable {
    /// A column with its key as it stands in JSON: `"name":`.
    private struct Output: Sendable {
        let name: String
        let key: [UInt8]
        let column: Column
        let isNumber: Bool
    }

    private let outputs: [Output]
    /// Fast forms of the same for many rows.
    private let line: JSONLineWriter?
    private let text: TextWriter?

    /// A renderer of `columns`, or of all fields; throws when one of them cannot be read.
    ///
    /// When it is known that rows will be written as lines, `rowCount` of them, what repeats is made ready once.
    public init(_ batch: Batch, columns: [String]? = nil, rowCount: Int = 0) throws(DamagedBlock) {
        var outputs: [Output] = []
        for name in columns ?? Self.outputOrder(batch.fieldNames) {
            guard let column = try batch.column(name) else { continue }
            var key: [UInt8] = []
            JSONText.appendString(Array(name.utf8), to: &key)
            key.append(UInt8(ascii: ":"))
            outputs.append(Output(name: name, key: key, column: column, isNumber: name == "@timestamp"))
        }
        let fields = outputs.map { JSONLineWriter.Field(name: $0.name, column: $0.column, isNumber: $0.isNumber) }
        self.line = rowCount > 0 ? JSONLineWriter(fields, rowCount: rowCount) : nil
        let last = rowCount > 0 ? outputs.last : nil
        self.text = last.flatMap { $0.name == "@rawstring" ? TextWriter($0.column) : nil }
        self.outputs = outputs
    }

    /// A renderer of those columns that can be read; the scan has reported the others.
    convenience init(readable batch: Batch, columns: [String]?) {
        let names = (columns ?? batch.fieldNames).filter { name in
            do throws(DamagedBlock) { return try batch.column(name) != nil } catch { return false }
        }
        do throws(DamagedBlock) {
            try self.init(batch, columns: columns == nil ? Self.outputOrder(names) : names)
        } catch {
            preconditionFailure("a column was readable and is not: \(error)")
        }
    }

    /// The names in the order of output: time, id, tags, fields, text.
    public static func outputOrder(_ names: [String]) -> [String] {
        func rank(_ name: String) -> Int {
            switch name {
            case "@timestamp": 0
            case "@id": 1
            case "@rawstring": 4
            default: name.hasPrefix("#") ? 2 : 3
            }
        }
        return names.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
            .map(\.element)
    }

    /// Appends a row as one object, without a newline.
    public func appendJSON(row: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for output in self.outputs where output.column.isPresent(at: row) {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes.append(contentsOf: output.key)
            output.column.withBytes(at: row) { value in
                if output.isNumber && JSONNumber.isInteger(value) {
                    bytes.append(contentsOf: value)
                } else {
                    JSONText.appendString(value, to: &bytes)
                }
            }
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Appends the text of the event, or its fields when it has none; without a newline.
    public func appendText(row: Int, to bytes: inout [UInt8]) {
        if let text = self.outputs.last, text.name == "@rawstring", text.column.isPresent(at: row) {
            text.column.withBytes(at: row) { bytes.append(contentsOf: $0) }
            return
        }
        let fields = self.fields(row: row)
        if let text = fields.first(where: { $0.name == "@rawstring" }) {
            bytes += text.value.utf8
        } else {
            bytes += fields.map { "\($0.name)->\($0.value)" }.joined(separator: ", ").utf8
        }
    }

    /// The fields of a row in output order, as text.
    public func fields(row: Int) -> [(name: String, value: String)] {
        self.outputs.filter { $0.column.isPresent(at: row) }.map { output in
            (output.name, output.column.withBytes(at: row) { String(decoding: $0, as: UTF8.self) })
        }
    }
}

/// What a line of an answer holds.
enum LineForm {
    /// An object with all fields.
    case json
    /// The text of the event.
    case text
}

extension RowRenderer {
    /// Asks for the memory in which the first look at a row that will be written soon will be.
    @inline(__always)
    func prefetch(row: Int, as form: LineForm) {
        switch form {
        case .json: self.line?.prefetch(row: row)
        case .text: self.text?.prefetch(row)
        }
    }

    /// Asks for the memory to which that look leads.
    @inline(__always)
    func prefetchText(row: Int, as form: LineForm) {
        switch form {
        case .json: self.line?.prefetchText(row: row)
        case .text: self.text?.prefetchText(row)
        }
    }

    /// Writes a row with a newline into `target` from `start` on.
    ///
    /// - Returns: Where it ends, or `nil` when it may not fit or has no text, whatever was written.
    @inline(__always)
    func writeLine(
        row: Int,
        as form: LineForm,
        into target: UnsafeMutableRawBufferPointer,
        from start: Int
    ) -> Int? {
        switch form {
        case .json: self.line?.write(row: row, into: target, from: start)
        case .text: self.writeTextLine(row: row, into: target, from: start)
        }
    }

    private func writeTextLine(row: Int, into target: UnsafeMutableRawBufferPointer, from start: Int) -> Int? {
        guard let text = self.text, self.outputs[self.outputs.count - 1].column.isPresent(at: row),
            start + text.room(at: row) < target.count, let base = target.baseAddress
        else { return nil }
        let end = start + text.write(row, to: (base + start).assumingMemoryBound(to: UInt8.self))
        target[end] = 0x0A
        return end + 1
    }

    /// The same for any row.
    fileprivate func appendLine(row: Int, as form: LineForm, to bytes: inout [UInt8]) {
        switch form {
        case .json: self.appendJSON(row: row, to: &bytes)
        case .text: self.appendText(row: row, to: &bytes)
        }
        bytes.append(0x0A)
    }
}

extension RowSlice {
    /// Bytes of a piece of written rows; larger rows are pieces of their own.
    private static let pieceByteCount = 2 << 20
    /// Bytes after which a piece ends that is written the slow way.
    private static let slowPieceByteCount = 64 << 10

    /// The first rows as JSON, a line each, and how many they are; at least one, unless there is none.
    public func jsonLines() -> (piece: [UInt8], rowCount: Int) { self.lines(as: .json) }

    /// The first rows as text, a line each, and how many they are; at least one, unless there is none.
    public func textLines() -> (piece: [UInt8], rowCount: Int) { self.lines(as: .text) }

    private func lines(as form: LineForm) -> (piece: [UInt8], rowCount: Int) {
        var rowCount = 0
        var piece = [UInt8](unsafeUninitializedCapacity: self.estimatedByteCount) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            rowCount = self.forEach(as: form) { renderer, row in
                guard let end = renderer.writeLine(row: row, as: form, into: target, from: count) else { return false }
                count = end
                return true
            }
        }
        if rowCount == 0 {
            // Slow path: a row that is larger than a piece, or without what lines are usually made of.
            rowCount = self.forEach(as: form) { renderer, row in
                guard piece.count < Self.slowPieceByteCount else { return false }
                renderer.appendLine(row: row, as: form, to: &piece)
                return true
            }
        }
        return (piece, rowCount)
    }

    /// Few rows need no large piece: memory that is touched for the first time costs as much as writing it.
    private var estimatedByteCount: Int { min(Self.pieceByteCount, max(1, self.count) * 16_384) }
}
