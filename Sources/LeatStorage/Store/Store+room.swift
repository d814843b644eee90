internal import LeatCore

extension Store {
    /// Why rows are refused for now although nothing is broken: the disk has no room but its reserve.
    var roomFault: StorageError? {
        do {
            let space = try self.options.fileSystem.space(self.options.path)
            guard space.free < self.options.reservedByteCount else { return nil }
            return .diskFull(freeByteCount: space.free, reservedByteCount: self.options.reservedByteCount)
        } catch {
            return .file(error)
        }
    }
}
