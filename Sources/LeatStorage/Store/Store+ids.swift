internal import LeatCore
internal import Synchronization

extension Store {
    /// Saves the ids that only the journal has, before files of it go.
    func saveIDs() throws(StorageError) {
        let runs = self.ids.withLock { $0.takeUnsaved() }
        for (index, run) in runs.enumerated() {
            let number = self.state.withLock { state in
                defer { state.nextIDFile += 1 }
                return state.nextIDFile
            }
            do throws(StorageError) {
                try self.idObjects.put(StorageFileNames.ids(number), [run.encoded()])
                self.state.withLock { $0.idFiles[number] = run.lastArrival }
            } catch {
                self.ids.withLock { ids in
                    for left in runs[index...] { ids.putBack(left) }
                }
                throw error
            }
        }
    }

    /// Removes ids that are older than 24 hours.
    func expireIDs() throws(StorageError) {
        let limit = self.options.time.now().milliseconds - StorageLimits.idMilliseconds
        let expired = self.state.withLock { state in state.idFiles.filter { $0.value < limit }.keys.sorted() }
        for number in expired {
            try self.idObjects.delete(StorageFileNames.ids(number))
            self.state.withLock { $0.idFiles[number] = nil }
        }
    }

    /// Reads the ids of the last 24 hours.
    func loadIDs() throws(StorageError) {
        let limit = self.options.time.now().milliseconds - StorageLimits.idMilliseconds
        for object in try self.idObjects.list() {
            guard let number = StorageFileNames.number(in: object.key) else {
                try self.idObjects.delete(object.key)
                continue
            }
            self.state.withLock { $0.nextIDFile.raise(to: number + 1) }
            do {
                let run = try RowIDRun(try self.idObjects.get(object.key))
                self.state.withLock { $0.idFiles[number] = run.lastArrival }
                if run.lastArrival >= limit { self.ids.withLock { $0.load(run) } }
            } catch let error as FormatError {
                let path = self.idObjects.location(of: object.key)
                self.state.withLock { state in
                    state.counters.damagedCount += 1
                    state.damaged.append(
                        "\(path) is damaged at byte \(error.offset): \(error.reason); rows with its ids may be doubled"
                    )
                }
            } catch let error as StorageError {
                throw error
            } catch {
                preconditionFailure("an error of neither kind: \(error)")
            }
        }
    }
}
