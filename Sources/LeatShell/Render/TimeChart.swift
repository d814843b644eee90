/// Draws values over time: one band of columns per series, with a common axis of times below.
///
/// Up to `tallSeriesCountMax` series get bands of several rows below their title; more of them a row each, with the name
/// at the left and the largest value at the right, so that a screen holds them all.
struct TimeChart {
    /// More series than this are summed up in a line.
    private static let seriesCountMax = 40
    private static let tallSeriesCountMax = 3
    private static let nameWidthMax = 32
    private static let widthMin = 8
    private static let blocks = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    private static let plainBlocks = [" ", ".", ".", ":", ":", "|", "|", "#", "#"]

    private let buckets: [Int64]
    private let shown: [TimeSeries.Series]
    private let hiddenCount: Int
    private let terminal: Terminal

    init(_ series: TimeSeries, terminal: Terminal) {
        let ranked = series.series.sorted { $0.total > $1.total }
        self.buckets = series.buckets
        self.shown = Array(ranked.prefix(Self.seriesCountMax))
        self.hiddenCount = ranked.count - self.shown.count
        self.terminal = terminal
    }

    /// The chart with axis and legend, lines ended.
    func draw() -> [UInt8] {
        var output: [UInt8] = []
        if self.shown.count <= Self.tallSeriesCountMax {
            self.appendTall(to: &output)
        } else {
            self.appendRows(to: &output)
        }
        if self.hiddenCount > 0 {
            output.append(contentsOf: "(\(self.hiddenCount) smaller series are not shown)\n".utf8)
        }
        return output
    }

    /// The scale of a series: the common one, so that they compare; one that would vanish on it gets its own.
    private func scale(of series: TimeSeries.Series) -> Double {
        let largest = self.shown.map(\.largest).max() ?? 0
        return series.largest * 40 < largest ? series.largest : largest
    }

    // MARK: bands of several rows

    private func appendTall(to output: inout [UInt8]) {
        let labelWidth = max(4, self.shown.map { Self.label(self.scale(of: $0)).utf8.count }.max() ?? 4)
        let width = max(Self.widthMin, self.terminal.width - labelWidth - 3)
        let height = max(1, min(10, (self.terminal.height - 6) / max(1, self.shown.count)))
        for (number, series) in self.shown.enumerated() {
            let style = Style.sources[number % Style.sources.count]
            self.appendTitle(series, style, to: &output)
            let band = Band(
                scale: self.scale(of: series),
                width: width,
                height: height,
                labelWidth: labelWidth,
                style: style
            )
            self.appendBand(series, band, to: &output)
        }
        self.appendAxis(width: width, indent: labelWidth, to: &output)
    }

    private struct Band {
        let scale: Double
        let width: Int
        let height: Int
        let labelWidth: Int
        let style: Style
    }

    private func appendTitle(_ series: TimeSeries.Series, _ style: Style, to output: inout [UInt8]) {
        output.append(self.terminal.isUnicode ? "■ " : "* ", style, if: self.terminal.hasColor)
        self.appendName(series.name, columnsMax: max(8, self.terminal.width - 30), to: &output)
        output.append("  max \(Self.label(series.largest))", .dim, if: self.terminal.hasColor)
        output.append(0x0A)
    }

    @discardableResult
    private func appendName(_ name: String, columnsMax: Int, to output: inout [UInt8]) -> Int {
        Array((name.isEmpty ? "(none)" : name).utf8).withUnsafeBytes {
            ShownText.append($0, to: &output, columnsMax: columnsMax, terminal: self.terminal)
        }
    }

    private func appendBand(_ series: TimeSeries.Series, _ band: Band, to output: inout [UInt8]) {
        let levels = Self.levels(series.values, width: band.width, scale: band.scale, height: band.height)
        for row in (0..<band.height).reversed() {
            let label = row == band.height - 1 ? Self.label(band.scale) : row == 0 ? "0" : ""
            output.append(contentsOf: [UInt8](repeating: 0x20, count: band.labelWidth - label.utf8.count))
            output.append(label, .dim, if: self.terminal.hasColor)
            output.append(contentsOf: (self.terminal.isUnicode ? " ┤" : " |").utf8)
            self.appendCells(levels.map { $0 - row * 8 }, band.style, to: &output)
            output.append(0x0A)
        }
    }

    private func appendCells(_ levels: [Int], _ style: Style, to output: inout [UInt8], isTrimmed: Bool = true) {
        let blocks = self.terminal.isUnicode ? Self.blocks : Self.plainBlocks
        let line = levels.map { blocks[min(8, max(0, $0))] }.joined()
        output.append(isTrimmed ? line.trimmedAtEnd : line, style, if: self.terminal.hasColor)
    }

    // MARK: one row per series

    private func appendRows(to output: inout [UInt8]) {
        let names = self.shown.map { DisplayWidth.of($0.name.isEmpty ? "(none)" : $0.name) }
        let nameWidth = min(max(4, names.max() ?? 4), Self.nameWidthMax, max(4, self.terminal.width / 3))
        let labels = self.shown.map { "max \(Self.label($0.largest))" }
        let room = self.terminal.width - nameWidth - 2
        let labelWidth = (labels.map(\.utf8.count).max() ?? 0) + 1
        // A narrow terminal has the series rather than its largest value.
        let hasLabels = room - labelWidth >= Self.widthMin
        let width = max(1, hasLabels ? room - labelWidth : room)
        for (number, series) in self.shown.enumerated() {
            let style = Style.sources[number % Style.sources.count]
            var name: [UInt8] = []
            let columns = self.appendName(series.name, columnsMax: nameWidth, to: &name)
            output.append(contentsOf: name)
            output.append(contentsOf: [UInt8](repeating: 0x20, count: nameWidth - columns))
            output.append(contentsOf: (self.terminal.isUnicode ? " │" : " |").utf8)
            let levels = Self.levels(series.values, width: width, scale: self.scale(of: series), height: 1)
            self.appendCells(levels, style, to: &output, isTrimmed: false)
            if hasLabels { output.append(" " + labels[number], .dim, if: self.terminal.hasColor) }
            output.append(0x0A)
        }
        self.appendAxis(width: width, indent: nameWidth, to: &output)
    }

    // MARK: what both have

    /// Per column the height in eighths of a row; anything above zero is visible.
    private static func levels(_ values: [Double?], width: Int, scale: Double, height: Int) -> [Int] {
        Self.columns(values, width: width).map { value in
            guard let value, value > 0, scale > 0 else { return 0 }
            return max(1, Int((value / scale * Double(height * 8)).rounded()))
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

    private func appendAxis(width: Int, indent: Int, to output: inout [UInt8]) {
        guard let first = self.buckets.first, let last = self.buckets.last else { return }
        let drawn = Self.columns(self.shown[0].values, width: width).count
        output.append(contentsOf: [UInt8](repeating: 0x20, count: indent))
        output.append(contentsOf: (self.terminal.isUnicode ? " └" : " +").utf8)
        output.append(contentsOf: String(repeating: self.terminal.isUnicode ? "─" : "-", count: drawn).utf8)
        output.append(0x0A)
        var left = ShownTime.text(milliseconds: first, showsMilliseconds: false)
        if indent + 2 + left.utf8.count > self.terminal.width { left = Self.timeOfDay(left) }
        let right = ShownTime.text(milliseconds: last, showsMilliseconds: false)
        output.append(contentsOf: [UInt8](repeating: 0x20, count: indent + 2))
        output.append(contentsOf: left.utf8)
        if drawn >= left.count + right.count + 2 {
            let middle = self.middle(from: left.count, to: drawn - right.count, drawn: drawn)
            output.append(contentsOf: middle.utf8)
            output.append(contentsOf: right.utf8)
        }
        output.append(0x0A)
    }

    /// What stands between the first and the last time: the time of the middle column where there is room for it.
    private func middle(from start: Int, to end: Int, drawn: Int) -> String {
        let index = self.buckets.count / 2
        let time = ShownTime.text(milliseconds: self.buckets[index], showsMilliseconds: false)
        let text = Self.timeOfDay(time)
        let column = drawn * index / self.buckets.count
        guard column >= start + 3, column + text.count + 3 <= end else {
            return String(repeating: " ", count: end - start)
        }
        return String(repeating: " ", count: column - start) + text
            + String(repeating: " ", count: end - column - text.count)
    }

    private static func timeOfDay(_ time: String) -> String { String(time.dropFirst("2026-11-20T".count)) }

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
