extension Collection {
    /// The first `limit` elements in an order, in that order; far fewer than all are ever sorted at a time.
    func first(_ limit: Int, by precedes: (Element, Element) -> Bool) -> [Element] {
        guard limit < self.count else { return self.sorted(by: precedes) }
        guard limit > 0 else { return [] }
        var kept: [Element] = []
        // Whoever does not come before this one is not among the first.
        var last: Element?
        for element in self {
            if let last, !precedes(element, last) { continue }
            kept.append(element)
            guard kept.count >= 2 * limit + 64 else { continue }
            kept.sort(by: precedes)
            kept.removeLast(kept.count - limit)
            last = kept[limit - 1]
        }
        kept.sort(by: precedes)
        return Array(kept.prefix(limit))
    }
}
