internal import LeatCore

/// By what rows are grouped.
enum GroupKey: Hashable, Sendable {
    /// The value of a field; rows without it belong to no group.
    case field(String)
    /// The bucket of a moment in time.
    case time(TimeBuckets)
}

/// Numbers for the groups of rows: equal keys within one outer group get equal numbers, counted from 0.
struct GroupKeys {
    let keys: [GroupKey]
    private var texts: [ByteStringTable]
    private var times: [BucketTable]
    private var folds: [PairTable]
    /// Per group the outer group and the number of each key's value.
    private var members: [UInt32] = []

    init(_ keys: [GroupKey]) {
        self.keys = keys
        self.texts = keys.map { _ in ByteStringTable() }
        self.times = keys.map { _ in BucketTable() }
        self.folds = (0...keys.count).map { _ in PairTable() }
    }

    private var width: Int { self.keys.count + 1 }

    /// Number of groups.
    var count: Int { self.members.count / self.width }

    /// Bytes of memory that the keys take.
    var byteCount: Int {
        self.members.count * 4 + self.texts.reduce(0) { $0 + $1.byteCount }
            + self.folds.reduce(0) { $0 + $1.count * 16 }
    }

    /// The group of each selected row; rows that lack a key lose their selection.
    mutating func groups(of rows: inout EventRows, outer: Groups) throws(QueryFailure) -> Groups {
        var columns: [Column?] = []
        var selection = rows.selection
        for key in self.keys {
            let column = try self.column(of: key, rows)
            columns.append(column)
            if column == nil, case .field = key { selection = Bitmap(repeating: false, count: rows.rowCount) }
            if let presence = column?.presence { selection.formIntersection(presence) }
        }
        var group = [UInt32](repeating: 0, count: rows.rowCount)
        if let ofRow = outer.ofRow { group = ofRow }
        if !selection.isEmpty {
            for index in self.keys.indices {
                self.fold(index, columns[index], rows, &selection, into: &group, isOuterSingle: outer.ofRow == nil)
            }
            if self.keys.isEmpty { self.noteOuterGroups(selection, group) }
        }
        rows.selection = selection
        return Groups(ofRow: group, count: self.count)
    }

    /// Whether rows had a time outside of the years that buckets reach.
    var hasTimesBeyond: Bool { self.times.contains { $0.hasTimesBeyond } }

    /// The field that alone makes the groups, if it is so.
    var onlyField: String? {
        guard self.keys.count == 1, case .field(let name) = self.keys[0] else { return nil }
        return name
    }

    /// The group of a text of the only field, in outer group 0.
    mutating func group(of text: UnsafeRawBufferPointer) -> Int {
        let group = self.texts[0].index(of: text)
        self.addDirectMembers()
        return group
    }

    /// The groups of those texts of the only field whose count is not 0, in outer group 0; `UInt32.max` for others.
    mutating func groups(of texts: ByteStrings, where counts: [UInt32]) -> [UInt32] {
        let groups = self.texts[0].indexes(of: texts, where: counts)
        self.addDirectMembers()
        return groups
    }

    /// Adds a text of the only field in an outer group.
    mutating func insert(_ text: UnsafeRawBufferPointer, outer: UInt32) {
        let value = UInt32(self.texts[0].index(of: text))
        let group = UInt32(self.folds[0].index(of: outer, value))
        if Int(group) == self.count { self.addMembers(group) }
    }

    private func column(of key: GroupKey, _ rows: EventRows) throws(QueryFailure) -> Column? {
        switch key {
        case .field(let name): return try rows.column(name)
        case .time:
            // Events have their time beside their columns; a stage may have replaced it.
            return rows.areEvents && !rows.batch.isChanged("@timestamp") ? nil : try rows.column("@timestamp")
        }
    }

    /// Combines the groups so far with the values of one key.
    private mutating func fold(
        _ index: Int,
        _ column: Column?,
        _ rows: EventRows,
        _ selection: inout Bitmap,
        into group: inout [UInt32],
        isOuterSingle: Bool
    ) {
        var values = [UInt32](repeating: 0, count: rows.rowCount)
        switch self.keys[index] {
        case .field:
            if let column { self.texts[index].number(column, within: selection, into: &values) }
        case .time(let buckets):
            selection = self.times[index].number(rows, column, buckets, within: selection, into: &values)
        }
        if self.isDirect(outer: isOuterSingle) { return self.foldDirectly(values, selection, into: &group) }
        let isLast = index == self.keys.count - 1
        let width = self.valueCount(index)
        let height = index == 0 ? (isOuterSingle ? 1 : Int.max) : self.folds[index - 1].count
        let (size, overflow) = width.multipliedReportingOverflow(by: height)
        if !overflow && size <= Self.smallTableSize && size < rows.rowCount * 2 {
            // Fast path: few combinations, each looked up once per batch.
            var groupOfPair = [UInt32](repeating: .max, count: size)
            group.withUnsafeMutableBufferPointer { group in
                values.withUnsafeBufferPointer { values in
                    groupOfPair.withUnsafeMutableBufferPointer { groupOfPair in
                        selection.forEachSet { row in
                            let slot = Int(group[row]) * width + Int(values[row])
                            if groupOfPair[slot] == .max {
                                groupOfPair[slot] = self.pairGroup(index, group[row], values[row], isLast)
                            }
                            group[row] = groupOfPair[slot]
                        }
                    }
                }
            }
            return
        }
        var lastPair: UInt64 = .max
        var lastGroup: UInt32 = 0
        selection.forEachSet { row in
            let pair = UInt64(group[row]) << 32 | UInt64(values[row])
            if pair != lastPair {
                lastPair = pair
                lastGroup = self.pairGroup(index, group[row], values[row], isLast)
            }
            group[row] = lastGroup
        }
    }

    /// Combinations of groups and values for which a table per batch is worth its memory.
    private static let smallTableSize = 1 << 16

    private func valueCount(_ index: Int) -> Int {
        if case .time = self.keys[index] { self.times[index].starts.count } else { self.texts[index].count }
    }

    @inline(__always)
    private mutating func pairGroup(_ index: Int, _ left: UInt32, _ right: UInt32, _ isLast: Bool) -> UInt32 {
        let group = UInt32(self.folds[index].index(of: left, right))
        if isLast && Int(group) == self.count { self.addMembers(group) }
        return group
    }

    /// Whether the number of the only key's value is the number of the group.
    private func isDirect(outer isSingle: Bool) -> Bool { isSingle && self.keys.count == 1 }

    private mutating func foldDirectly(_ values: [UInt32], _ selection: Bitmap, into group: inout [UInt32]) {
        group = values
        self.addDirectMembers()
    }

    /// Every value of the only key is a group of outer group 0.
    private mutating func addDirectMembers() {
        let count = self.valueCount(0)
        for value in self.count..<max(self.count, count) {
            self.members.append(0)
            self.members.append(UInt32(value))
        }
    }

    /// Writes down the keys of a new group, from the last pair back to the first.
    private mutating func addMembers(_ group: UInt32) {
        var reversed: [UInt32] = []
        var current = group
        for index in self.keys.indices.reversed() {
            let pair = self.folds[index].pairs[Int(current)]
            reversed.append(UInt32(truncatingIfNeeded: pair))
            current = UInt32(truncatingIfNeeded: pair >> 32)
        }
        reversed.append(current)
        self.members += reversed.reversed()
    }

    /// Without keys every outer group is a group of its own.
    private mutating func noteOuterGroups(_ selection: Bitmap, _ group: [UInt32]) {
        selection.forEachSet { row in
            while self.count <= Int(group[row]) { self.members.append(UInt32(self.count)) }
        }
    }

    /// Whether groups have the numbers of their only value: then no pair was ever looked up.
    private var isDirectlyNumbered: Bool { self.keys.count == 1 && self.folds[0].count == 0 && self.count > 0 }

    /// The outer group of a group.
    func outer(of group: Int) -> Int { Int(self.members[group * self.width]) }

    /// The start of the bucket of a group, in nanoseconds.
    func bucket(_ key: Int, of group: Int) -> Int64 {
        self.times[key].starts[Int(self.members[group * self.width + 1 + key])]
    }

    /// The number of the value of one key, equal for equal values.
    func value(_ key: Int, of group: Int) -> UInt32 { self.members[group * self.width + 1 + key] }

    /// Calls `body` with the text of a key of a group.
    func withText<Result>(
        _ key: Int,
        of group: Int,
        _ body: (UnsafeRawBufferPointer) throws(QueryFailure) -> Result
    ) throws(QueryFailure) -> Result {
        let value = Int(self.value(key, of: group))
        if case .time = self.keys[key] {
            let start = Timestamp(nanoseconds: self.times[key].starts[value]).milliseconds
            return try NumberText.withDecimal(start, body)
        }
        return try self.texts[key].withString(value, body)
    }

    /// The numbers here of another's groups; outer group `i` there is `outer[i]` here.
    mutating func merge(_ other: GroupKeys, outer: [UInt32]) -> [UInt32] {
        // Per key the numbers here of the values there.
        let values = self.keys.indices.map { index -> [UInt32] in
            if case .time = self.keys[index] {
                return other.times[index].starts.map { UInt32(self.times[index].index(of: $0)) }
            }
            return self.texts[index].formUnion(other.texts[index])
        }
        if self.isDirect(outer: other.isDirectlyNumbered) {
            self.addDirectMembers()
            return (0..<other.count).map { values[0][Int(other.value(0, of: $0))] }
        }
        var result: [UInt32] = []
        result.reserveCapacity(other.count)
        for group in 0..<other.count {
            var current = outer[other.outer(of: group)]
            for index in self.keys.indices {
                let value = values[index][Int(other.value(index, of: group))]
                current = UInt32(self.folds[index].index(of: current, value))
            }
            if self.keys.isEmpty {
                while self.count <= Int(current) { self.members.append(UInt32(self.count)) }
            } else if Int(current) == self.count {
                self.addMembers(current)
            }
            result.append(current)
        }
        return result
    }
}

extension ByteStringTable {
    /// The numbers of the texts of the rows of `selection`, each distinct text of a dictionary looked up once.
    mutating func number(_ column: Column, within selection: Bitmap, into values: inout [UInt32]) {
        switch column {
        case .constant(let constant):
            let number = UInt32(constant.value.withUnsafeBytes { self.index(of: $0) })
            selection.forEachSet { values[$0] = number }
        case .dictionary(let dictionary):
            self.number(dictionary, within: selection, into: &values)
        case .integer(let column): self.number(column.values, within: selection, into: &values)
        case .number(let column) where column.form == .integer:
            self.number(column.values, within: selection, into: &values)
        case .plain(let plain):
            selection.forEachSet { values[$0] = UInt32(self.index(of: plain.values[$0])) }
        case .number, .identifier, .prefixed, .reference, .template:
            // Texts of a whole block at once if most are wanted, else one by one.
            if selection.setCount * 4 > selection.count {
                let strings = column.strings
                selection.forEachSet { values[$0] = UInt32(self.index(of: strings[$0])) }
            } else {
                selection.forEachSet { row in
                    values[row] = UInt32(column.withBytes(at: row) { self.index(of: $0) })
                }
            }
        }
    }

    /// The same for few texts, of which only those that occur get a number.
    private mutating func number(
        _ dictionary: DictionaryColumn,
        within selection: Bitmap,
        into values: inout [UInt32]
    ) {
        var numberOfCode = [UInt32](repeating: .max, count: dictionary.values.count)
        dictionary.codes.withUnsafeBufferPointer { codes in
            numberOfCode.withUnsafeMutableBufferPointer { numberOfCode in
                values.withUnsafeMutableBufferPointer { values in
                    selection.forEachSet { row in
                        let code = Int(codes[row])
                        if numberOfCode[code] == .max {
                            numberOfCode[code] = UInt32(self.index(of: dictionary.values[code]))
                        }
                        values[row] = numberOfCode[code]
                    }
                }
            }
        }
    }

    /// The same for texts that are the shortest forms of whole numbers.
    private mutating func number(_ integers: [Int64], within selection: Bitmap, into values: inout [UInt32]) {
        var last: (value: Int64, number: UInt32)?
        selection.forEachSet { row in
            let value = integers[row]
            if let last, last.value == value {
                values[row] = last.number
                return
            }
            let number = UInt32(NumberText.withDecimal(value) { self.index(of: $0) })
            last = (value, number)
            values[row] = number
        }
    }
}
