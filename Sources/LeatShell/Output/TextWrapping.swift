/// Text for people that fits a width: lines are broken between words.
enum TextWrapping {
    /// The lines of a text; those after the first begin with `indent` columns of space.
    ///
    /// A word that is longer than a line is broken where the line ends.
    static func lines(_ text: String, width: Int, indent: Int = 0) -> [String] {
        let margin = String(repeating: " ", count: indent < width / 2 ? indent : 0)
        var lines: [String] = []
        var line = ""
        var isEmpty = true
        for var word in text.split(separator: " ", omittingEmptySubsequences: true) {
            if !isEmpty, DisplayWidth.of(line) + 1 + DisplayWidth.of(String(word)) > width {
                lines.append(line)
                (line, isEmpty) = (margin, true)
            }
            if !isEmpty { line += " " }
            while DisplayWidth.of(line) + DisplayWidth.of(String(word)) > width, word.count > 1 {
                let room = max(1, width - DisplayWidth.of(line))
                lines.append(line + word.prefix(room))
                word = word.dropFirst(room)
                line = margin
            }
            line += word
            isEmpty = false
        }
        return isEmpty ? lines : lines + [line]
    }

    /// Parts in as few lines as hold them; a part that is longer than a line has one of its own.
    static func joined(_ parts: [String], separator: String, width: Int) -> [String] {
        parts.reduce(into: [String]()) { lines, part in
            if let last = lines.last, DisplayWidth.of(last) + separator.count + DisplayWidth.of(part) <= width {
                lines[lines.count - 1] = last + separator + part
            } else {
                lines.append(part)
            }
        }
    }

    /// Rows of a list: what is told at the left, about it at the right, or below where the left is long.
    static func list(_ rows: [(left: String, right: String)], width: Int) -> [String] {
        let margin = 2
        let longest = rows.map { DisplayWidth.of($0.left) }.max() ?? 0
        // What is told about an entry has at least half of the width.
        let column = margin + min(longest, width / 2 - 2 * margin) + margin
        guard width >= 40 else {
            return rows.flatMap { row in
                Self.lines(row.left, width: width) + Self.indented(Self.lines(row.right, width: width - margin), margin)
            }
        }
        return rows.flatMap { row -> [String] in
            let right = Self.lines(row.right, width: width - column)
            let left = Self.indented([row.left], margin)[0]
            guard DisplayWidth.of(left) + margin <= column, let first = right.first else {
                return [left] + Self.indented(right, column)
            }
            let gap = String(repeating: " ", count: column - DisplayWidth.of(left))
            return [left + gap + first] + Self.indented(Array(right.dropFirst()), column)
        }
    }

    private static func indented(_ lines: [String], _ columns: Int) -> [String] {
        lines.map { String(repeating: " ", count: columns) + $0 }
    }
}

extension String {
    /// The text without white space around it.
    var trimmed: String {
        let start = self.drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// The text without spaces at its beginning.
    var trimmedAtStart: String { String(self.drop { $0 == " " }) }

    /// The text without spaces at its end.
    var trimmedAtEnd: String {
        var end = self.endIndex
        while end > self.startIndex, self[self.index(before: end)] == " " { end = self.index(before: end) }
        return String(self[..<end])
    }
}
