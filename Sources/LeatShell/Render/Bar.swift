/// A horizontal bar of eighths of a column.
enum Bar {
    private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

    /// A bar that takes `share` (0...1) of `width` columns; anything above zero is visible.
    static func text(share: Double, width: Int, isUnicode: Bool) -> String {
        guard share > 0, share.isFinite, width > 0 else { return "" }
        let share = min(1, share)
        guard isUnicode else {
            return String(repeating: "#", count: max(1, Int((share * Double(width)).rounded())))
        }
        let units = max(1, Int((share * Double(width * 8)).rounded()))
        return String(repeating: "█", count: units / 8) + Self.eighths[units % 8]
    }
}
