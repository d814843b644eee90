public import LeatCore

/// The rows of a repository as they were at one moment.
///
/// A snapshot keeps what it shows alive: merging and retention do not disturb a query that holds one.
public struct Snapshot: Sendable {
    /// The blocks, newest first, rows that are not sealed yet included.
    public let blocks: [any BlockSource]
    /// Files, or parts of files, whose rows are missing from the answer, with the reason.
    public let damaged: [String]

    public init(blocks: [any BlockSource], damaged: [String]) {
        self.blocks = blocks
        self.damaged = damaged
    }
}
