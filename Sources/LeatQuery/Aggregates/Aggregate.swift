internal import LeatCore

/// A step of a plan that consumes all rows and gives other rows.
protocol AggregatePlan: Sendable {
    /// The columns of the rows that it gives, in order; `nil` when they depend on the events.
    var columns: [String]? { get }

    /// A state without rows, for one worker.
    func makeState(_ context: StageContext) -> any AggregateState
}

/// What an aggregate knows of the rows so far, for each of many groups.
///
/// Every aggregate runs grouped; alone it has the one group 0. A state belongs to one thread at a time.
protocol AggregateState: AnyObject {
    /// Takes in the selected rows of a batch.
    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure)

    /// Whether what is known of a block without reading it says all that `update` would learn from its rows in group 0.
    func canAnswer(from block: any BlockSource) -> Bool

    /// Takes in all rows of a block for which `canAnswer` says so, without reading it.
    func answer(from block: any BlockSource)

    /// Takes in another worker's state, which stays as it is; group `i` of `other` is group `groups[i]` here.
    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) throws(QueryFailure)

    /// Writes the rows of a group: sets the fields of each in turn and calls `next` for it; no call means no row.
    func emit(
        _ group: Int,
        into writer: RowWriter,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure)

    /// The number that a group has in a column (`nil`: in any), by which groups are ranked; `nil` without such a value.
    func rank(of group: Int, by column: String?) -> Double?
}

extension AggregateState {
    func rank(of group: Int, by column: String?) -> Double? { nil }

    func canAnswer(from block: any BlockSource) -> Bool { false }

    func answer(from block: any BlockSource) {
        preconditionFailure("a block is answered by \(Self.self), which cannot")
    }

    /// `other` as a state of the same aggregate.
    func sibling(_ other: any AggregateState) -> Self {
        guard let other = other as? Self else { preconditionFailure("states of different aggregates") }
        return other
    }
}

/// To which group each row of a batch belongs.
struct Groups {
    /// The group per row of the batch, undefined for rows that are not selected; `nil` puts all rows in group 0.
    let ofRow: [UInt32]?
    /// Number of groups so far.
    let count: Int

    /// All rows in one group.
    static let one = Groups(ofRow: nil, count: 1)

    @inline(__always)
    subscript(row: Int) -> Int { self.ofRow.map { Int($0[row]) } ?? 0 }

    /// The groups of picked rows.
    func picked(_ rows: [Int32]) -> Groups {
        guard let ofRow = self.ofRow else { return self }
        return Groups(ofRow: rows.map { ofRow[Int($0)] }, count: self.count)
    }
}

extension Array {
    /// Appends `element` until there are `count`.
    mutating func grow(to count: Int, with element: Element) {
        if self.count < count { self.append(contentsOf: repeatElement(element, count: count - self.count)) }
    }
}
