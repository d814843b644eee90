internal import LeatCore

/// Immutable bytes by key.
///
/// Calls block. A key is a path of words with `/` between them. An object is there whole, and durable, or not at all.
protocol ObjectStore: Sendable {
    /// Writes an object, part after part; an existing one is an error.
    func put(_ key: String, _ parts: [ByteSlice]) throws(StorageError)

    /// The bytes of an object; what is mapped stays valid after a deletion.
    func get(_ key: String) throws(StorageError) -> ByteSlice

    /// All keys with their sizes, sorted.
    func list() throws(StorageError) -> [(key: String, byteCount: UInt64)]

    /// Removes an object; one that is absent is no error.
    func delete(_ key: String) throws(StorageError)

    /// Where an operator finds an object.
    func location(of key: String) -> String
}
