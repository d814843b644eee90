internal import LeatCore

/// The disk work of one flush: all chunks that gathered frames, or none.
///
/// The store makes it on the loop, `run` may block on any thread, and `ChunkStore.finishFlush` takes the outcome.
final class ChunkFlush: @unchecked Sendable {
    // Sound as Sendable: one thread at a time has it, the loop before and after the one that runs it.

    /// What is written to one chunk.
    struct Part {
        let chunk: UInt64
        let path: String
        /// Opened by the flush when there is none.
        var file: (any File)?
        let offset: UInt64
        let bytes: [UInt8]
    }

    private(set) var parts: [Part]
    /// How far sources are read once the flush is durable; `nil` forgets the source.
    let positions: [UInt64: SourcePosition?]
    /// What reads changed of the events that filters hold back, oldest first.
    let held: [(read: UInt64, section: HeldSection)]
    /// Number of the newest read.
    let lastRead: UInt64

    /// Why nothing counts as durable; `nil` after a success.
    private(set) var failure: FileSystemError?
    /// The chunk whose file must be abandoned, since its sync failed.
    private(set) var unsyncedChunk: UInt64?
    /// Whether the name of a new file may not be durable.
    private(set) var isFolderChanged: Bool

    private let disk: any FileSystem
    private let folder: String

    init(
        parts: [Part],
        positions: [UInt64: SourcePosition?],
        held: [(read: UInt64, section: HeldSection)],
        lastRead: UInt64,
        isFolderChanged: Bool,
        disk: any FileSystem,
        folder: String
    ) {
        self.parts = parts
        self.positions = positions
        self.held = held
        self.lastRead = lastRead
        self.isFolderChanged = isFolderChanged
        self.disk = disk
        self.folder = folder
    }

    /// Writes and syncs everything; blocks.
    ///
    /// All writes come before the first sync, so that one commit of the file system's journal serves all files.
    func run() {
        do throws(FileSystemError) {
            for index in self.parts.indices { try self.write(index) }
            for part in self.parts { try self.sync(part) }
            if self.isFolderChanged { try self.disk.syncDirectory(self.folder) }
            self.isFolderChanged = false
        } catch {
            self.failure = error
        }
    }

    /// Writes one part; after an error the end of the file is cut off again.
    private func write(_ index: Int) throws(FileSystemError) {
        if self.parts[index].file == nil {
            let path = self.parts[index].path
            // What a failed attempt left under the name holds nothing durable.
            if try self.disk.status(path) != nil { try self.disk.remove(path) }
            self.parts[index].file = try self.disk.open(path, .createNew)
            self.isFolderChanged = true
        }
        let part = self.parts[index]
        guard let file = part.file else { return }
        do throws(FileSystemError) {
            let result = part.bytes.withUnsafeBytes { bytes in
                // The slice is used only during the call, while the array stays where it is.
                Result { () throws(FileSystemError) in try file.write([ByteSlice(bytes, owner: nil)], at: part.offset) }
            }
            try result.get()
        } catch {
            try file.truncate(to: part.offset)
            throw error
        }
    }

    private func sync(_ part: Part) throws(FileSystemError) {
        do throws(FileSystemError) {
            try part.file?.sync()
        } catch {
            self.unsyncedChunk = part.chunk
            throw error
        }
    }

    /// Gives the bytes back to their chunks as their only owner.
    func takeParts() -> [Part] {
        let parts = self.parts
        self.parts = []
        return parts
    }
}
