public import LeatCore

/// Writes rows of one batch as JSON: values are strings, `@timestamp` is a number (epoch milliseconds).
///
/// Keys come in the order `@timestamp`, `@id`, tags, fields, `@rawstring`, or in that of the given columns. A field
/// that a row lacks is left out.
public struct RowRenderer: Sendable {
    /// A column with its key as it stands in JSON: `"name":`.
    private struct Output: Sendable {
        let name: String
        let key: [UInt8]
        let column: Column
        let isNumber: Bool
    }

    private let outputs: [Output]

    /// A renderer of `columns`, or of all fields; throws when one of them cannot be read.
    public init(_ batch: Batch, columns: [String]? = nil) throws(DamagedBlock) {
        var outputs: [Output] = []
        for name in columns ?? Self.outputOrder(batch.fieldNames) {
            guard let column = try batch.column(name) else { continue }
            var key: [UInt8] = []
            JSONText.appendString(Array(name.utf8), to: &key)
            key.append(UInt8(ascii: ":"))
            outputs.append(Output(name: name, key: key, column: column, isNumber: name == "@timestamp"))
        }
        self.outputs = outputs
    }

    /// A renderer of those columns that can be read; the scan has reported the others.
    init(readable batch: Batch, columns: [String]?) {
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
                if output.isNumber && NumberText.isJSONInteger(value) {
                    bytes.append(contentsOf: value)
                } else {
                    JSONText.appendString(value, to: &bytes)
                }
            }
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// The fields of a row in output order, as text.
    public func fields(row: Int) -> [(name: String, value: String)] {
        self.outputs.filter { $0.column.isPresent(at: row) }.map { output in
            (output.name, output.column.withBytes(at: row) { String(decoding: $0, as: UTF8.self) })
        }
    }
}
