/// Offers the known name that a misspelt one probably meant.
public enum NearestName {
    /// The candidate within two edits of `name` (one for names of up to three letters), ignoring ASCII case; of
    /// several, the closest, then the first.
    public static func find(_ name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased().unicodeScalars)
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let limit = min(best.map { $0.distance - 1 } ?? 2, wanted.count <= 3 ? 1 : 2)
            if limit < 0 { break }
            if let distance = Self.distance(wanted, Array(candidate.lowercased().unicodeScalars), limit: limit) {
                best = (candidate, distance)
            }
        }
        return best?.name
    }

    /// Edits (insert, delete, replace, swap of neighbours) between two words, or `nil` beyond `limit`.
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar], limit: Int) -> Int? {
        guard abs(left.count - right.count) <= limit else { return nil }
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
                var least = min(replaced, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    least = min(least, beforeLast[column - 1] + 1)
                }
                current.append(least)
            }
            beforeLast = last
            last = current
        }
        return last[right.count] <= limit ? last[right.count] : nil
    }
}
