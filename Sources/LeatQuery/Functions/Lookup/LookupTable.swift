internal import LeatCore

/// A file or table in which `match()` looks values up.
struct LookupTable: Sendable {
    let columns: [String]
    /// Per row the value of each column; rows may be shorter than the columns.
    let rows: [[[UInt8]]]

    /// A table from the bytes of a CSV file (names in its first line) or a JSON file (`[{…}]`, or `{"key": {…}}`, whose
    /// keys are the column `keyColumn`); `nil` when they are neither.
    init?(_ bytes: ByteSlice, keyColumn: String) {
        var text = bytes.unsafeBytes
        if text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF { text = text.slice(3..<text.count) }
        let first = text.trimmed.first
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            guard let table = Self.json(text, keyColumn: keyColumn) else { return nil }
            self = table
            return
        }
        let records = CSVText.records(text)
        guard let header = records.first else { return nil }
        self.columns = header.map { String(decoding: $0, as: UTF8.self) }
        self.rows = Array(records.dropFirst())
    }

    init(columns: [String], rows: [[[UInt8]]]) {
        self.columns = columns
        self.rows = rows
    }

    private static func json(_ text: UnsafeRawBufferPointer, keyColumn: String) -> LookupTable? {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(text) } catch { return nil }
        var objects: [[JSONValue.Member]] = []
        switch value {
        case .array(let elements): objects = elements.compactMap(\.object)
        case .object(let members):
            objects = members.map { [.init(key: keyColumn, value: .string($0.key))] + ($0.value.object ?? []) }
        default: return nil
        }
        var columns: [String] = []
        var indexOfName: [String: Int] = [:]
        for member in objects.joined() where indexOfName[member.key] == nil {
            indexOfName[member.key] = columns.count
            columns.append(member.key)
        }
        let rows = objects.map { members in
            var row = [[UInt8]](repeating: [], count: columns.count)
            for member in members {
                if let index = indexOfName[member.key] { row[index] = Self.text(member.value) }
            }
            return row
        }
        return LookupTable(columns: columns, rows: rows)
    }

    private static func text(_ value: JSONValue) -> [UInt8] {
        switch value {
        case .string(let text): Array(text.utf8)
        case .null: []
        default: Array(value.jsonText.utf8)
        }
    }

    func value(_ row: Int, _ column: Int) -> [UInt8] {
        column < self.rows[row].count ? self.rows[row][column] : []
    }
}

/// The rows of a table by their keys.
struct LookupIndex: Sendable {
    enum Mode: String, Sendable {
        case string, cidr, glob
    }

    /// Rows of one glob or one length of subnet mask.
    private struct Subnets: Sendable {
        let length: Int
        let isVersion4: Bool
        var rows: [InternetAddress: [Int]] = [:]
    }

    let table: LookupTable
    private let mode: Mode
    private let foldsCase: Bool
    private var exact: [[[UInt8]]: [Int]] = [:]
    private var globs: [(patterns: [GlobPattern], row: Int)] = []
    /// The longest masks first, so that the most specific subnet is found first.
    private var subnets: [Subnets] = []

    init(_ table: LookupTable, keys: [Int], mode: Mode, foldsCase: Bool) {
        self.table = table
        self.mode = mode
        self.foldsCase = foldsCase
        for row in table.rows.indices {
            let values = keys.map { table.value(row, $0) }
            switch mode {
            case .string: self.exact[values.map(self.folded), default: []].append(row)
            case .glob:
                let patterns = values.map { GlobPattern(String(decoding: $0, as: UTF8.self), foldsCase: foldsCase) }
                self.globs.append((patterns, row))
            case .cidr: self.insertSubnet(values.first ?? [], row)
            }
        }
        self.subnets.sort { $0.length > $1.length }
    }

    private func folded(_ value: [UInt8]) -> [UInt8] {
        self.foldsCase ? value.withUnsafeBytes { TextCase.lowercased($0) } : value
    }

    private mutating func insertSubnet(_ value: [UInt8], _ row: Int) {
        let parts = String(decoding: value, as: UTF8.self).split(separator: "/", maxSplits: 1)
        guard let first = parts.first, let address = InternetAddress(String(first)) else { return }
        let most = address.bytes.count * 8
        guard let length = parts.count == 2 ? Int(parts[1]) : most, (0...most).contains(length) else { return }
        let isVersion4 = address.isVersion4
        var index = self.subnets.firstIndex { $0.length == length && $0.isVersion4 == isVersion4 }
        if index == nil {
            self.subnets.append(Subnets(length: length, isVersion4: isVersion4))
            index = self.subnets.count - 1
        }
        if let index { self.subnets[index].rows[address.masked(to: length), default: []].append(row) }
    }

    /// The rows that fit the values of an event, the last of the table first, at most `limit`.
    func find(_ values: [UnsafeRawBufferPointer?], limit: Int) -> [Int] {
        let keys = values.compactMap { $0 }
        guard keys.count == values.count, !keys.isEmpty else { return [] }
        switch self.mode {
        case .string:
            return Array((self.exact[keys.map { self.folded(Array($0)) }] ?? []).reversed().prefix(limit))
        case .glob:
            var found: [Int] = []
            for glob in self.globs.reversed() where found.count < limit {
                if zip(glob.patterns, keys).allSatisfy({ $0.0.matches($0.1) }) { found.append(glob.row) }
            }
            return found
        case .cidr:
            guard let address = InternetAddress(keys[0]) else { return [] }
            var found: [Int] = []
            for subnet in self.subnets where subnet.isVersion4 == address.isVersion4 && found.count < limit {
                found += (subnet.rows[address.masked(to: subnet.length)] ?? []).reversed()
            }
            return Array(found.prefix(limit))
        }
    }
}
