internal import LeatCore

/// Takes positions over from Fluent Bit, so that a switch to this agent repeats and loses nothing.
struct DatabaseTakeover {
    private let imported: ImportedDatabases
    private let disk: any FileSystem
    private let log: AgentLog

    init(names: BufferFileNames, disk: any FileSystem, log: AgentLog) {
        self.imported = ImportedDatabases(names: names, disk: disk)
        self.disk = disk
        self.log = log
    }

    /// Adds the positions of an input's database of Fluent Bit, the first time that it is seen.
    func take(
        _ plugin: PluginConfiguration,
        into agent: Agent,
        known: inout KnownSources
    ) throws(FileSystemError) {
        guard let path = plugin.settings.text("db"), try self.disk.status(path) != nil,
            try !self.imported.contains(path)
        else { return }
        let log = self.log.named(plugin.displayName)
        let settings = plugin.settings
        let patterns = PathPatterns(paths: settings.list("path"), excluded: settings.list("exclude_path"))
        do throws(FluentBitDatabase.Failure) {
            let takeover = try FluentBitDatabase(path: path, disk: self.disk).positions(
                known: known.positions,
                isFollowed: patterns.isFollowed,
                newSource: { agent.store.nextSequence() }
            )
            let positions = takeover.positions
            for position in positions { agent.store.append([], position: position, startOffset: position.offset) }
            known.add(positions, knownAt: takeover.writtenAt)
            log.write(.info, "\(positions.count) positions were taken from Fluent Bit's \(path)")
            for failure in takeover.failures { log.write(.error, failure) }
            guard takeover.failures.isEmpty else {
                log.write(.error, "\(path) is read again at the next start, for the files that could not be opened")
                return
            }
            agent.whenDurable {
                do throws(FileSystemError) { try self.imported.note(path) } catch { log.write(.warning, "\(error)") }
            }
        } catch {
            log.write(.error, "no positions were taken from Fluent Bit: \(error)")
        }
    }
}
