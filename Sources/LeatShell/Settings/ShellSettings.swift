internal import LeatCore

/// Which server and repository a command talks to, and with which rights.
///
/// Precedence: the flag, the environment (`LEAT_SERVER`, `LEAT_TOKEN`, `LEAT_REPO`, `LEAT_CA_FILE`), the configuration file,
/// the default.
public struct ShellSettings: Hashable, Sendable {
    public var server: ServerAddress
    public var token: Secret?
    public var repository: String
    /// A file of certificates (PEM) of which one must have signed the server's; `nil`: what the system trusts.
    public var authorityPath: String?

    public init(
        server: ServerAddress,
        token: Secret? = nil,
        repository: String = "default",
        authorityPath: String? = nil
    ) {
        self.server = server
        self.token = token
        self.repository = repository
        self.authorityPath = authorityPath
    }

    /// The server, as these settings reach it.
    var client: ServerClient {
        ServerClient(address: self.server, token: self.token, authorityPath: self.authorityPath)
    }

    /// What the flags say; `nil` where a flag is absent.
    public struct Flags: Hashable, Sendable {
        public var server: String?
        public var repository: String?
        public var authorityPath: String?

        public init(server: String? = nil, repository: String? = nil, authorityPath: String? = nil) {
            self.server = server
            self.repository = repository
            self.authorityPath = authorityPath
        }
    }

    /// Decides from all sources.
    public static func resolve(
        flags: Flags,
        environment: [String: String],
        file: ConfigFile
    ) throws(CommandError) -> ShellSettings {
        func value(_ flag: String?, _ variable: String, _ key: String) -> (text: String, origin: String)? {
            if let flag { return (flag, "--\(key)") }
            if let text = environment[variable], !text.isEmpty { return (text, variable) }
            if let text = file.values[key] { return (text, "'\(key)' in \(file.path)") }
            return nil
        }
        let address =
            value(flags.server, "LEAT_SERVER", "server") ?? ("http://127.0.0.1:\(ServerAddress.portDefault)", "")
        guard let server = ServerAddress(address.text) else {
            let form = "write it as http://HOST:PORT"
            throw CommandError(.usage, "\(address.origin): '\(address.text)' is no address of a server; \(form)")
        }
        let repository = value(flags.repository, "LEAT_REPO", "repo") ?? ("default", "")
        guard Self.isRepositoryName(repository.text) else {
            let form = "it has 1 to 64 letters, digits, '.', '_' or '-'"
            throw CommandError(.usage, "\(repository.origin): '\(repository.text)' is no name of a repository; \(form)")
        }
        let token = value(nil, "LEAT_TOKEN", "token").map { Secret($0.text) }
        let authority =
            value(flags.authorityPath, "LEAT_CA_FILE", "ca")?.text
            ?? environment["SSL_CERT_FILE"].flatMap { $0.isEmpty ? nil : $0 }
        return ShellSettings(
            server: server,
            token: token,
            repository: repository.text,
            authorityPath: authority
        )
    }

    private static func isRepositoryName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0.properties.isAlphabetic || $0.properties.numericType != nil
                        || "._-".unicodeScalars.contains($0))
            }
    }
}

/// `~/.config/leat/config.yaml`: the user's server, token, repository and certificate authority.
public struct ConfigFile: Hashable, Sendable {
    /// The keys that may stand there.
    public static let keys = ["server", "token", "repo", "ca"]

    public let path: String
    public let values: [String: String]

    public init(path: String, values: [String: String] = [:]) {
        self.path = path
        self.values = values
    }

    /// Where the file is: below `$XDG_CONFIG_HOME`, else below `$HOME/.config`.
    public static func path(environment: [String: String]) -> String? {
        if let folder = environment["XDG_CONFIG_HOME"], !folder.isEmpty { return folder + "/leat/config.yaml" }
        guard let home = environment["HOME"], !home.isEmpty else { return nil }
        return home + "/.config/leat/config.yaml"
    }
}

extension ShellSettings {
    /// Decides for this process.
    public static func resolve(flags: Flags) throws(CommandError) -> ShellSettings {
        let environment = Environment.current()
        return try Self.resolve(flags: flags, environment: environment, file: try ConfigFile.load(environment))
    }
}

extension ConfigFile {
    /// The file of this user; without values when there is none.
    static func load(_ environment: [String: String]) throws(CommandError) -> ConfigFile {
        guard let path = Self.path(environment: environment) else { return ConfigFile(path: "") }
        guard let text = try Self.text(of: path) else { return ConfigFile(path: path) }
        return try Self.read(text, path: path)
    }

    /// The text of the file; `nil` when there is none.
    private static func text(of path: String) throws(CommandError) -> String? {
        let files = PosixFileSystem()
        do throws(FileSystemError) {
            return try files.status(path) == nil ? nil : try files.contents(path).text
        } catch {
            throw CommandError(.configuration, "\(error)")
        }
    }

    /// Reads the file's text; every unknown key is an error.
    static func read(_ text: String, path: String) throws(CommandError) -> ConfigFile {
        do throws(Diagnostics) {
            let document = try YAMLDocument(text, source: path)
            guard let root = document.root, !root.isNull else { return ConfigFile(path: path) }
            var reader = YAMLReader(document)
            var values: [String: String] = [:]
            for (key, node) in reader.entries(of: root, known: Self.keys, place: "the configuration of leat") {
                if let value = reader.text(node) { values[key] = value }
            }
            try reader.finish()
            return ConfigFile(path: path, values: values)
        } catch {
            throw CommandError(.configuration, error.description)
        }
    }
}
