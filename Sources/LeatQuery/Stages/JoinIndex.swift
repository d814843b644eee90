internal import LeatCore

/// The rows of a table by the values of some columns.
final class JoinIndex: Sendable {
    private let rowsOfKey: [[UInt8]: [Int]]
    private let globsOfRow: [(glob: GlobPattern, row: Int)]
    private let networksOfRow: [(network: SubnetSet, length: Int, row: Int)]

    /// An index over the columns `keys`; a table that lacks one of them has no rows for any value.
    init(_ table: JoinTable, keys: [String], foldsCase: Bool) {
        let columns = keys.compactMap { table.index(of: $0) }
        var rowsOfKey: [[UInt8]: [Int]] = [:]
        var globs: [(glob: GlobPattern, row: Int)] = []
        var networks: [(network: SubnetSet, length: Int, row: Int)] = []
        if columns.count == keys.count {
            for (row, values) in table.rows.enumerated() {
                let key = columns.compactMap { values[$0] }
                guard key.count == columns.count, let first = key.first else { continue }
                rowsOfKey[Self.joined(key, foldsCase: foldsCase), default: []].append(row)
                let text = String(decoding: first, as: UTF8.self)
                globs.append((GlobPattern(text, foldsCase: foldsCase), row))
                var network = SubnetSet()
                if network.insert(text) {
                    networks.append((network, Int(text.split(separator: "/").last ?? "") ?? 128, row))
                }
            }
        }
        self.rowsOfKey = rowsOfKey
        self.globsOfRow = globs
        self.networksOfRow = networks.sorted { ($1.length, $1.row) < ($0.length, $0.row) }
    }

    /// Values with their lengths between them, so that no two tuples make one key.
    private static func joined(_ values: [[UInt8]], foldsCase: Bool) -> [UInt8] {
        var key: [UInt8] = []
        for value in values {
            if values.count > 1 { withUnsafeBytes(of: UInt32(value.count)) { key += $0 } }
            key += foldsCase ? Array(String(decoding: value, as: UTF8.self).lowercased().utf8) : value
        }
        return key
    }

    /// The rows whose columns equal the values, in order.
    func rows(_ values: [[UInt8]], foldsCase: Bool) -> [Int] {
        self.rowsOfKey[Self.joined(values, foldsCase: foldsCase)] ?? []
    }

    /// The rows whose first column, as a glob, matches.
    func globs(matching value: [UInt8], foldsCase: Bool) -> [Int] {
        value.withUnsafeBytes { bytes in self.globsOfRow.filter { $0.glob.matches(bytes) }.map(\.row) }
    }

    /// The rows whose first column is a network that holds the address, the most specific first.
    func networks(holding address: [UInt8]) -> [Int] {
        guard let parsed = address.withUnsafeBytes({ InternetAddress($0) }) else { return [] }
        return self.networksOfRow.filter { $0.network.contains(parsed) }.map(\.row)
    }
}
