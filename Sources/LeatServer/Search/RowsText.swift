internal import LeatCore
internal import LeatQuery

/// The forms in which rows are sent; chosen by `Accept`.
enum RowsForm: Hashable, Sendable {
    case ndjson, json, text, csv

    /// The form for an `Accept` header.
    ///
    /// Without one, or with `*/*`, it is NDJSON and not Humio's documented text, since Grafana's live tail sends no
    /// `Accept` and needs objects.
    init(_ call: Call) {
        switch call.accepts(["application/x-ndjson", "application/json", "text/plain", "text/csv"]) {
        case "application/json": self = .json
        case "text/plain": self = .text
        case "text/csv": self = .csv
        default: self = .ndjson
        }
    }

    var mediaType: String {
        switch self {
        case .ndjson: "application/x-ndjson"
        case .json: "application/json"
        case .text: "text/plain; charset=utf-8"
        case .csv: "text/csv; charset=utf-8"
        }
    }
}

/// Writes the rows of an answer as text, piece by piece.
struct RowsText {
    private let rows: QueryRows
    private let columns: [String]?
    private let form: RowsForm
    /// Whether further rows follow, so that an array stays open.
    private let isOpen: Bool
    private var next = 0
    private var renderers: [UInt32: RowRenderer] = [:]
    private var csvColumns: [String] = []

    /// Bytes after which a piece is sent.
    static let pieceByteCount = 128 << 10
    /// What stands between the rows of an array, and at its end.
    static let arraySeparator = ",\n"
    static let arrayEnd = "]\n"

    init(_ rows: QueryRows, columns: [String]?, form: RowsForm, isOpen: Bool = false) {
        self.rows = rows
        self.columns = columns
        self.form = form
        self.isOpen = isOpen
    }

    /// The next piece; `nil` after the last.
    ///
    /// - Throws: When a stored block turns out to be damaged.
    mutating func piece() throws(DamagedBlock) -> [UInt8]? {
        guard self.next <= self.rows.count else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.pieceByteCount + 4_096)
        if self.next == 0 { self.begin(&bytes) }
        while self.next < self.rows.count, bytes.count < Self.pieceByteCount {
            try self.append(self.rows.order[self.next], to: &bytes)
            self.next += 1
        }
        if self.next == self.rows.count, bytes.count < Self.pieceByteCount {
            if self.form == .json, !self.isOpen { bytes += Self.arrayEnd.utf8 }
            self.next += 1
        }
        return bytes
    }

    private mutating func begin(_ bytes: inout [UInt8]) {
        if self.form == .json { bytes.append(UInt8(ascii: "[")) }
        guard self.form == .csv else { return }
        self.csvColumns = self.columns ?? self.allColumns()
        Self.appendCSV(self.csvColumns, to: &bytes)
    }

    private func allColumns() -> [String] {
        var seen: Set<String> = []
        var names: [String] = []
        for batch in self.rows.batches {
            for name in batch.fieldNames where seen.insert(name).inserted { names.append(name) }
        }
        return RowRenderer.outputOrder(names)
    }

    private mutating func append(_ row: QueryRows.Reference, to bytes: inout [UInt8]) throws(DamagedBlock) {
        let renderer: RowRenderer
        if let known = self.renderers[row.batch] {
            renderer = known
        } else {
            renderer = try RowRenderer(self.rows.batches[Int(row.batch)], columns: self.columns)
            self.renderers[row.batch] = renderer
        }
        switch self.form {
        case .ndjson, .text: Self.append(Int(row.row), of: renderer, as: self.form, to: &bytes)
        case .json:
            if self.next > 0 { bytes += Self.arraySeparator.utf8 }
            Self.append(Int(row.row), of: renderer, as: .json, to: &bytes)
        case .csv:
            let fields = Dictionary(renderer.fields(row: Int(row.row)).map { ($0.name, $0.value) }) { $1 }
            Self.appendCSV(self.csvColumns.map { fields[$0] ?? "" }, to: &bytes)
        }
    }

    /// Appends a row, with its newline if the form has rows in lines of their own; not for CSV, which has columns.
    static func append(_ row: Int, of renderer: RowRenderer, as form: RowsForm, to bytes: inout [UInt8]) {
        guard form == .text else {
            renderer.appendJSON(row: row, to: &bytes)
            if form == .ndjson { bytes.append(0x0A) }
            return
        }
        renderer.appendText(row: row, to: &bytes)
        bytes.append(0x0A)
    }

    /// RFC 4180: quotes where they are needed, doubled inside.
    static func appendCSV(_ values: [String], to bytes: inout [UInt8]) {
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            if value.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) {
                bytes.append(0x22)
                for byte in value.utf8 { bytes += byte == 0x22 ? [0x22, 0x22] : [byte] }
                bytes.append(0x22)
            } else {
                bytes += value.utf8
            }
        }
        bytes += "\r\n".utf8
    }
}
