/// Draws values over time: one band of columns per series, with a common axis of times below.
struct TimeChart {
    private struct Series {
        let name: String
        /// Per bucket the value; `nil` where the row has none.
        var values: [Double?] = []

        var largest: Double { self.values.reduce(0) { max($0, $1 ?? 0) } }
        var total: Double { self.values.reduce(0) { $0 + ($1 ?? 0) } }
    }

    /// More series than this are summed up in a line.
    private static let seriesCountMax = 12
    private static let blocks = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    private static let plainBlocks = [" ", ".", ".", ":", ":", "|", "|", "#", "#"]

    private var index: ColumnIndex
    private let columns: [String]
    private var buckets: [Int64] = []
    private var series: [Series]
    private var hasText = false

    init(columns: [String]) {
        self.columns = columns
        self.index = ColumnIndex(columns)
        self.series = columns.filter { $0 != "_bucket" }.map { Series(name: $0) }
    }

    /// Adds the row of one bucket.
    mutating func add(_ row: AnswerRow) {
        let cells = self.index.cells(of: row)
        var next = 0
        for (position, name) in self.columns.enumerated() {
            let text = cells[position].map { String(decoding: row.bytes[$0], as: UTF8.self) }
            if name == "_bucket" {
                self.buckets.append(text.flatMap { Int64($0) } ?? 0)
                continue
            }
            let number = text.flatMap { Double($0) }
            if number == nil, text?.isEmpty == false { self.hasText = true }
            self.series[next].values.append(number)
            next += 1
        }
    }

    /// Whether the rows are what a chart can show: ascending moments and numbers.
    var canBeDrawn: Bool {
        !self.hasText && !self.series.isEmpty && zip(self.buckets, self.buckets.dropFirst()).allSatisfy { $0 < $1 }
    }

    /// The chart with axis and legend, lines ended.
    func draw(terminal: Terminal) -> [UInt8] {
        let ranked = self.series.sorted { $0.total > $1.total }
        let shown = Array(ranked.prefix(Self.seriesCountMax))
        let largest = shown.map(\.largest).max() ?? 0
        let labelWidth = max(4, shown.map { Self.label($0.largest).utf8.count }.max() ?? 4)
        let width = max(8, terminal.width - labelWidth - 3)
        let height = max(1, min(10, (terminal.height - 6) / max(1, shown.count)))
        var output: [UInt8] = []
        for (number, series) in shown.enumerated() {
            let style = Style.sources[number % Style.sources.count]
            self.appendTitle(series, style, terminal, to: &output)
            // A common scale, so that bands compare; a series that would vanish on it gets its own.
            let scale = series.largest * 40 < largest ? series.largest : largest
            self.appendBand(
                series,
                Band(scale: scale, width: width, height: height, labelWidth: labelWidth, style: style),
                terminal,
                to: &output
            )
        }
        self.appendAxis(width: width, labelWidth: labelWidth, terminal, to: &output)
        if ranked.count > shown.count {
            output.append(contentsOf: "(\(ranked.count - shown.count) smaller series are not shown)\n".utf8)
        }
        return output
    }

    private struct Band {
        let scale: Double
        let width: Int
        let height: Int
        let labelWidth: Int
        let style: Style
    }

    private func appendTitle(_ series: Series, _ style: Style, _ terminal: Terminal, to output: inout [UInt8]) {
        var name: [UInt8] = []
        Array(series.name.utf8).withUnsafeBytes {
            _ = ShownText.append($0, to: &name, columnsMax: max(8, terminal.width - 30), terminal: terminal)
        }
        output.append(terminal.isUnicode ? "■ " : "* ", style, if: terminal.hasColor)
        output.append(contentsOf: name)
        output.append("  max \(Self.label(series.largest))", .dim, if: terminal.hasColor)
        output.append(0x0A)
    }

    private func appendBand(_ series: Series, _ band: Band, _ terminal: Terminal, to output: inout [UInt8]) {
        let levels = Self.columns(series.values, width: band.width).map { value -> Int in
            guard let value, value > 0, band.scale > 0 else { return 0 }
            return max(1, Int((value / band.scale * Double(band.height * 8)).rounded()))
        }
        let blocks = terminal.isUnicode ? Self.blocks : Self.plainBlocks
        for row in (0..<band.height).reversed() {
            let label = row == band.height - 1 ? Self.label(band.scale) : row == 0 ? "0" : ""
            output.append(contentsOf: [UInt8](repeating: 0x20, count: band.labelWidth - label.utf8.count))
            output.append(label, .dim, if: terminal.hasColor)
            output.append(contentsOf: (terminal.isUnicode ? " ┤" : " |").utf8)
            let line = levels.map { blocks[min(8, max(0, $0 - row * 8))] }.joined().trimmedAtEnd
            output.append(line, band.style, if: terminal.hasColor)
            output.append(0x0A)
        }
    }

    /// The values spread or gathered to `width` columns; of several in one column the largest counts, so that peaks stay.
    private static func columns(_ values: [Double?], width: Int) -> [Double?] {
        guard values.count > width else {
            let repeats = max(1, width / max(1, values.count))
            return values.flatMap { [Double?](repeating: $0, count: repeats) }
        }
        return (0..<width).map { column in
            let part = values[(column * values.count / width)..<((column + 1) * values.count / width)]
            return part.compactMap { $0 }.max()
        }
    }

    private func appendAxis(width: Int, labelWidth: Int, _ terminal: Terminal, to output: inout [UInt8]) {
        guard let first = self.buckets.first, let last = self.buckets.last else { return }
        let drawn = Self.columns(self.series[0].values, width: width).count
        output.append(contentsOf: [UInt8](repeating: 0x20, count: labelWidth))
        output.append(contentsOf: (terminal.isUnicode ? " └" : " +").utf8)
        output.append(contentsOf: String(repeating: terminal.isUnicode ? "─" : "-", count: drawn).utf8)
        output.append(0x0A)
        let left = ShownTime.text(milliseconds: first, showsMilliseconds: false)
        let right = ShownTime.text(milliseconds: last, showsMilliseconds: false)
        output.append(contentsOf: [UInt8](repeating: 0x20, count: labelWidth + 2))
        output.append(contentsOf: left.utf8)
        if drawn >= left.count + right.count + 2 {
            output.append(contentsOf: [UInt8](repeating: 0x20, count: drawn - left.count - right.count))
            output.append(contentsOf: right.utf8)
        }
        output.append(0x0A)
    }

    /// A number in few characters: `950`, `12.5k`, `3.2M`.
    static func label(_ value: Double) -> String {
        for (limit, suffix) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")] where value >= limit {
            let unit = suffix == "k" ? 1e3 : limit
            return Self.short(value / unit) + suffix
        }
        return Self.short(value)
    }

    private static func short(_ value: Double) -> String {
        if value == value.rounded() || value >= 1000 { return String(Int(value.rounded())) }
        let scaled = (value * 100).rounded() / 100
        return "\(scaled)"
    }
}
