/// What is known of sources when the inputs start, from earlier runs or from the program before this one.
struct KnownSources {
    private(set) var positions: [SourcePosition]

    /// Until when files were looked at, nanoseconds since 1970; `nil` when nobody has looked at any.
    ///
    /// One that was written later, and of which nothing is known, nobody has read.
    private(set) var lastSeen: Int64?

    init(_ positions: [SourcePosition]) {
        self.positions = positions
        self.lastSeen = positions.map(\.modifiedAtNanoseconds).max()
    }

    /// Adds what another program knew at a time, nanoseconds since 1970.
    mutating func add(_ positions: [SourcePosition], knownAt time: Int64) {
        self.positions += positions
        self.lastSeen = max(self.lastSeen ?? time, time)
    }

    /// The same without some of the positions.
    func filter(_ isKept: (SourcePosition) -> Bool) -> KnownSources {
        var result = self
        result.positions.removeAll { !isKept($0) }
        return result
    }
}
