/// Where the columns of a table stand: measured from rows, then fitted to the terminal's width.
///
/// `measure` rows, `decide` once, then append the header and every row.
struct TableLayout {
    private struct ColumnLayout {
        var name: String
        var width: Int
        var isNumber = true
        var hasValue = false
        /// Whether values are moments in milliseconds, shown as times.
        var isTime: Bool
        var largest = 0.0
        var isNegative = false
    }

    private static let gap = 2
    private static let widthMin = 6
    private static let barWidthMin = 8
    private static let barWidthMax = 50

    private let terminal: Terminal
    private let wantsBars: Bool
    private var columns: [ColumnLayout]
    private var shownCount: Int
    /// The column whose values are drawn as bars.
    private var barColumn: Int?
    private var barWidth = 0
    private var rowCount = 0

    init(columns: [String], terminal: Terminal, isChart: Bool, hasBars: Bool) {
        self.terminal = terminal
        self.wantsBars = hasBars || isChart
        self.columns = columns.map { name in
            let width = Array(name.utf8).withUnsafeBytes { ShownText.width($0, terminal: terminal) }
            let isTime = name == "_bucket" || name == "@timestamp" || name == "@ingesttimestamp"
            return ColumnLayout(name: name, width: width, isTime: isTime)
        }
        self.shownCount = columns.count
    }

    /// Takes the width and the kind of a row's values into account.
    mutating func measure(_ row: AnswerRow, _ cells: [Range<Int>?]) {
        self.rowCount += 1
        row.bytes.withUnsafeBytes { bytes in
            for (index, cell) in cells.enumerated() {
                guard let cell else { continue }
                let value = UnsafeRawBufferPointer(rebasing: bytes[cell])
                self.columns[index].hasValue = true
                if self.columns[index].isTime, Self.milliseconds(value) != nil {
                    self.columns[index].width = max(self.columns[index].width, 24)
                    continue
                }
                let width = self.shownNumber(value)?.utf8.count ?? ShownText.width(value, terminal: self.terminal)
                self.columns[index].width = max(self.columns[index].width, width)
                guard self.columns[index].isNumber else { continue }
                if let number = Self.number(value) {
                    self.columns[index].largest = max(self.columns[index].largest, number)
                    if number < 0 { self.columns[index].isNegative = true }
                } else {
                    self.columns[index].isNumber = false
                }
            }
        }
    }

    /// Fixes the widths: bars take what is left, wide columns give what is missing.
    mutating func decide() {
        for index in self.columns.indices where !self.columns[index].hasValue || self.columns[index].isTime {
            self.columns[index].isNumber = false
        }
        guard self.terminal.isTerminal || self.wantsBars else { return }
        self.chooseBars()
        guard self.terminal.isTerminal else { return }
        while self.total > self.terminal.width {
            let shown = self.columns[..<self.shownCount]
            let widest = shown.indices.max { self.columns[$0].width < self.columns[$1].width } ?? 0
            if self.columns[widest].width > Self.widthMin {
                let excess = self.total - self.terminal.width
                let others = shown.indices.filter { $0 != widest }.map { self.columns[$0].width }.max() ?? Self.widthMin
                let target = max(Self.widthMin, others, self.columns[widest].width - excess)
                self.columns[widest].width = min(self.columns[widest].width - 1, target)
            } else if self.shownCount > 1 {
                self.shownCount -= 1
            } else {
                self.columns[0].width = max(1, self.terminal.width)
                return
            }
        }
    }

    private var total: Int {
        let shown = self.columns[..<self.shownCount]
        return shown.reduce(0) { $0 + $1.width } + Self.gap * max(0, self.shownCount - 1)
    }

    private mutating func chooseBars() {
        guard self.wantsBars, self.rowCount > 1, self.columns.count > 1, let last = self.columns.indices.last else {
            return
        }
        let preferred = self.columns.firstIndex { $0.name == "_count" } ?? last
        let column = self.columns[preferred]
        guard column.isNumber, !column.isNegative, column.largest > 0 else { return }
        let room = self.terminal.width - self.total - Self.gap
        guard room >= Self.barWidthMin else { return }
        self.barColumn = preferred
        self.barWidth = min(room, Self.barWidthMax)
    }

    /// What was left out, for the end of the table.
    var note: String? {
        let hidden = self.columns.count - self.shownCount
        guard hidden > 0 else { return nil }
        return "(\(hidden) more column\(hidden == 1 ? "" : "s") do not fit; use --format json or csv)\n"
    }

    func appendHeader(to line: inout [UInt8]) {
        for (index, column) in self.columns[..<self.shownCount].enumerated() {
            let isLast = index == self.shownCount - 1
            Array(column.name.utf8).withUnsafeBytes { name in
                self.append(name, column, isLast: isLast, style: .header, to: &line)
            }
        }
        line.append(0x0A)
    }

    func append(_ row: AnswerRow, _ cells: [Range<Int>?], to line: inout [UInt8]) {
        row.bytes.withUnsafeBytes { bytes in
            for (index, column) in self.columns[..<self.shownCount].enumerated() {
                let value = cells[index].map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
                let isLast = index == self.shownCount - 1 && self.barColumn == nil
                self.appendCell(value, column, isLast: isLast, to: &line)
            }
            if let barColumn, let cell = cells[barColumn] {
                let number = Self.number(UnsafeRawBufferPointer(rebasing: bytes[cell])) ?? 0
                let share = number / self.columns[barColumn].largest
                let bar = Bar.text(share: share, width: self.barWidth, isUnicode: self.terminal.isUnicode)
                line.append(bar, .number, if: self.terminal.hasColor)
            }
        }
        while line.last == 0x20 { line.removeLast() }
        line.append(0x0A)
    }

    private func appendCell(
        _ value: UnsafeRawBufferPointer?,
        _ column: ColumnLayout,
        isLast: Bool,
        to line: inout [UInt8]
    ) {
        guard let value else {
            self.append(UnsafeRawBufferPointer(start: nil, count: 0), column, isLast: isLast, style: .plain, to: &line)
            return
        }
        if column.isTime, let milliseconds = Self.milliseconds(value) {
            var text: [UInt8] = []
            ShownTime.append(milliseconds: milliseconds, to: &text)
            text.withUnsafeBytes { self.append($0, column, isLast: isLast, style: .plain, to: &line) }
        } else if column.isNumber, let number = self.shownNumber(value) {
            Array(number.utf8).withUnsafeBytes { self.append($0, column, isLast: isLast, style: .plain, to: &line) }
        } else {
            let style = column.isNumber ? .plain : Style.level(value) ?? .plain
            self.append(value, column, isLast: isLast, style: style, to: &line)
        }
    }

    /// A number with more digits behind its point than anybody reads, rounded for a terminal; `nil`: shown as it is.
    private func shownNumber(_ value: UnsafeRawBufferPointer) -> String? {
        guard self.terminal.isTerminal, value.count > 6 else { return nil }
        return ShownNumber.rounded(value)
    }

    private func append(
        _ value: UnsafeRawBufferPointer,
        _ column: ColumnLayout,
        isLast: Bool,
        style: Style,
        to line: inout [UInt8]
    ) {
        let limit = self.terminal.isTerminal ? column.width : .max
        var cell: [UInt8] = []
        let columns = ShownText.append(value, to: &cell, columnsMax: limit, terminal: self.terminal)
        let padding = [UInt8](repeating: 0x20, count: max(0, column.width - columns))
        if column.isNumber { line.append(contentsOf: padding) }
        line.begin(style, if: self.terminal.hasColor)
        line.append(contentsOf: cell)
        line.end(style, if: self.terminal.hasColor)
        if isLast { return }
        if !column.isNumber { line.append(contentsOf: padding) }
        line.append(contentsOf: [UInt8](repeating: 0x20, count: Self.gap))
    }

    /// The value as a number, `nil` when it is none or too long to be one.
    static func number(_ value: UnsafeRawBufferPointer) -> Double? {
        guard (1...32).contains(value.count) else { return nil }
        return Double(String(decoding: value, as: UTF8.self))
    }

    private static func milliseconds(_ value: UnsafeRawBufferPointer) -> Int64? {
        guard (1...15).contains(value.count) else { return nil }
        return Int64(String(decoding: value, as: UTF8.self))
    }
}
