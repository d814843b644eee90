/// The system's journal as the input reads it: entries in order, and a text that says where it stands.
protocol JournalReader: AnyObject {
    /// Readable when something may have changed; then `process` is called.
    var descriptor: Int32 { get }

    /// Takes note of changes.
    func process() throws(JournalFailure)

    /// Moves to the next entry; `false` at the end.
    func next() throws(JournalFailure) -> Bool

    /// Before the first entry.
    func seekToHead() throws(JournalFailure)

    /// Behind the last entry.
    func seekToTail() throws(JournalFailure)

    /// To the entry of a cursor, or to where it would be; `next` then comes to what follows it.
    func seek(behind cursor: String) throws(JournalFailure)

    /// Where the current entry is, also after a restart.
    func cursor() throws(JournalFailure) -> String

    /// Time of the current entry, microseconds since 1970.
    func realtimeMicroseconds() throws(JournalFailure) -> UInt64

    /// Calls `body` with each field of the current entry, as `NAME=value`, until it returns `false`.
    func fields(_ body: (UnsafeRawBufferPointer) -> Bool) throws(JournalFailure)

    func close()
}

/// What the journal's library reports.
struct JournalFailure: Error, Hashable, Sendable, CustomStringConvertible { let description: String }
