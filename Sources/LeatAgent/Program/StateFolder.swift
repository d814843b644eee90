internal import CLeatPlatform
internal import Glibc
internal import LeatCore

/// Where the agent keeps what must outlive it, and the lock that keeps a second agent out.
struct StateFolder {
    /// How long a predecessor may take to go.
    private static let lockPatience = Duration.seconds(5)

    let names: BufferFileNames
    private let disk: any FileSystem
    private let time: any TimeSource

    /// Chooses the folder; `configurationPath` tells the agents of a machine apart that name none.
    init(
        _ configuration: AgentConfiguration,
        configurationPath: String?,
        environment: [String: String],
        disk: any FileSystem,
        time: any TimeSource,
        log: AgentLog
    ) {
        self.disk = disk
        self.time = time
        let path =
            Self.path(configuration, environment)
            ?? Self.ownPath(configurationPath ?? "command-line", disk: disk, log: log)
        var names = BufferFileNames(folder: path)
        if let folder = configuration.service.text("storage.rejected.path"), !folder.isEmpty {
            names.deadLetterFolder = folder
        }
        self.names = names
    }

    /// The folder of `storage.path`, else of the first `DB`, else `$LEAT_STATE`.
    private static func path(_ configuration: AgentConfiguration, _ environment: [String: String]) -> String? {
        if let path = configuration.service.text("storage.path") { return path }
        let databases = configuration.inputs.filter { $0.name == "tail" || $0.name == "systemd" }
            .compactMap { $0.settings.text("db") }
        if let path = databases.first { return path.parentFolder }
        return environment["LEAT_STATE"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A folder of this configuration's own, which does not last where `/var/lib` cannot be written.
    private static func ownPath(_ configurationPath: String, disk: any FileSystem, log: AgentLog) -> String {
        let digest = Array(PathPatterns.absolute(configurationPath).utf8).withUnsafeBytes { Digest.xxh3($0) }
        let path = "/var/lib/leat-agent/" + hexadecimal(digest)
        do throws(FileSystemError) {
            try disk.createDirectory(path)
            if access(path, W_OK) == 0 { return path }
        } catch {
            log.write(.debug, "\(error)")
        }
        let temporary = "/tmp/leat-agent-" + String(getpid())
        log.write(.warning, "state is kept in \(temporary) only: set storage.path to a folder that lasts")
        return temporary
    }

    /// Takes the lock of the state folder, waiting for a predecessor that is going.
    func lock() throws(AgentError) -> Int32 {
        do throws(FileSystemError) {
            try self.disk.createDirectory(self.names.folder)
        } catch {
            throw AgentError(code: 73, text: "\(error); set storage.path to a folder that can be written")
        }
        let descriptor = open(self.names.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor < 0 {
            throw AgentError(code: 73, text: "cannot open \(self.names.lock): \(PlainStream.reason(errno))")
        }
        let deadline = self.time.deadline(in: Self.lockPatience)
        while leat_lock_file(descriptor) != 0 {
            if self.time.hasPassed(deadline) {
                throw AgentError(
                    code: 73,
                    text: "another agent uses \(self.names.folder): stop it, or set storage.path"
                )
            }
            // A lock of another process gives no notice when it goes.
            usleep(50_000)
        }
        return descriptor
    }
}
