internal import LeatStorage

/// What became of the items of a bulk request, in their order, in 8 bytes each.
struct BulkItems: Sendable {
    /// One item.
    ///
    /// Whether it was refused says `BulkItems.refused`.
    struct Item: Sendable {
        let kind: BulkAction.Kind
        /// Number of the part of the batch that holds the row, `none` without a row.
        let part: UInt16
        /// Row in that part.
        let row: UInt16
        /// Number of the index name.
        let index: UInt16

        static let none = UInt16.max
    }

    private(set) var items: [Item] = []
    /// The items that were refused, by ascending position.
    private(set) var refused: [RefusedItem] = []
    /// The index names of the items.
    private(set) var indexNames: [String] = []
    /// The `_id`s that clients gave, by position.
    private(set) var ids: [UInt32: String] = [:]
    private var numberOfIndex: [String: UInt16] = [:]

    /// Number of items so far.
    var count: Int { self.items.count }

    /// The number of an index name; `nil` when there are too many.
    mutating func number(ofIndex name: String) -> UInt16? {
        // Fast path: most requests have one index.
        if self.indexNames.count == 1, self.indexNames[0] == name { return 0 }
        if let known = self.numberOfIndex[name] { return known }
        guard self.indexNames.count < Int(Item.none) else { return nil }
        let number = UInt16(self.indexNames.count)
        self.indexNames.append(name)
        self.numberOfIndex[name] = number
        return number
    }

    /// Adds an item that became a row.
    mutating func append(_ kind: BulkAction.Kind, index: UInt16, id: String?, part: UInt16, row: UInt16) {
        if let id { self.ids[UInt32(self.items.count)] = id }
        self.items.append(Item(kind: kind, part: part, row: row, index: index))
    }

    /// Adds an item that was refused.
    mutating func append(_ kind: BulkAction.Kind, index: UInt16, id: String?, fault: ItemFault) {
        self.refused.append(
            RefusedItem(
                position: UInt32(self.items.count),
                status: UInt16(fault.status),
                type: fault.type,
                reason: fault.reason
            )
        )
        self.append(kind, index: index, id: id, part: Item.none, row: 0)
    }
}

/// Why one item is refused, for good: sending it again will not help.
struct ItemFault: Error, Hashable, Sendable {
    let status: Int
    /// Elasticsearch's error type.
    let type: String
    let reason: String

    /// A document that cannot be read.
    static func document(_ reason: String) -> ItemFault {
        ItemFault(status: 400, type: "document_parsing_exception", reason: reason)
    }

    /// An item that asks for what is not allowed.
    static func argument(_ reason: String) -> ItemFault {
        ItemFault(status: 400, type: "illegal_argument_exception", reason: reason)
    }
}
