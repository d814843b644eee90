internal import LeatCore

/// What the named groups of an expression matched in the rows of a batch, as columns in the making.
struct MatchedGroups {
    /// The rows with a match.
    private(set) var matched: Bitmap

    private struct Field {
        let name: String
        /// The groups of that name.
        let groups: [Int]
        var texts = TextColumnBuilder(rowCapacity: 0)
        /// Per row the number of its text.
        var codes: [UInt16]
        var present: Bitmap
    }

    private var fields: [Field] = []

    init(of pattern: Pattern, rowCount: Int) {
        self.matched = Bitmap(repeating: false, count: rowCount)
        for group in pattern.groups where !self.fields.contains(where: { $0.name == group.name }) {
            self.fields.append(
                Field(
                    name: group.name,
                    groups: pattern.groups.filter { $0.name == group.name }.map(\.number),
                    codes: [UInt16](repeating: 0, count: rowCount),
                    present: self.matched
                )
            )
        }
    }

    /// Adds the last match of a matcher, which is in `text`, for rows that have no match yet.
    mutating func add(_ matcher: PatternMatcher, _ text: UnsafeRawBufferPointer, _ rows: ArraySlice<UInt16>) {
        for row in rows { self.matched.set(Int(row)) }
        for index in self.fields.indices {
            // Of groups with one name the last that took part counts.
            var range: Range<Int>?
            for group in self.fields[index].groups { range = matcher.range(ofGroup: group) ?? range }
            guard let range else { continue }
            let code = UInt16(truncatingIfNeeded: self.fields[index].texts.count)
            self.fields[index].texts.append(text.slice(range))
            for row in rows {
                self.fields[index].codes[Int(row)] = code
                self.fields[index].present.set(Int(row))
            }
        }
    }

    /// The fields that some row has, and their columns, which are absent where a group took no part.
    mutating func finish() -> [(name: String, column: Column)] {
        var result: [(name: String, column: Column)] = []
        for index in self.fields.indices where self.fields[index].texts.count > 0 {
            let texts = self.fields[index].texts.finish()
            let column = DictionaryColumn(
                values: texts,
                codes: self.fields[index].codes,
                presence: self.fields[index].present
            )
            result.append((self.fields[index].name, .dictionary(column)))
        }
        return result
    }
}

extension Column {
    /// The templates of which all texts are made, and the rows that have a text; `nil` for other columns.
    var wholeTemplates: (texts: TemplateTexts, presence: Bitmap?)? {
        switch self {
        case .template(let column): return (column.texts, column.presence)
        case .reference(let column) where column.rows == nil && column.droppedByteCount == 0:
            guard let target = column.target.wholeTemplates else { return nil }
            return (target.texts, Bitmap.intersection(column.presence, target.presence))
        default: return nil
        }
    }
}
