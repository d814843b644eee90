internal import LeatCore
internal import LeatParsing

/// Reads and checks a whole configuration; every error is found, not only the first.
struct ConfigurationReader {
    private let files: any FileSystem
    private var environment: [String: String]

    /// A reader that sees these files and environment variables.
    init(files: any FileSystem, environment: [String: String]) {
        self.files = files
        // Shells know HOSTNAME and export it to nobody; Fluent Bit sets it for its configurations.
        self.environment = environment.merging(["HOSTNAME": HostName.text]) { given, _ in given }
    }

    /// The configuration of a file alone.
    func read(path: String) throws(Diagnostics) -> AgentConfiguration {
        try self.read(AgentCommandLine(configurationPath: path))
    }

    /// The configuration that a command line names, with what the command line itself says.
    func read(_ commandLine: AgentCommandLine) throws(Diagnostics) -> AgentConfiguration {
        var reading = ConfigurationFiles(files: self.files, environment: EnvironmentText(self.environment))
        if let path = commandLine.configurationPath { reading.read(path, mark: nil) }
        var build = ConfigurationBuild(environment: reading.environment)
        build.add(reading.sections + commandLine.sections)
        let parserFiles = build.parserFiles(beside: commandLine.configurationPath) + commandLine.parserFiles
        var parserReading = ConfigurationFiles(files: self.files, environment: reading.environment)
        for file in parserFiles { parserReading.read(file.path, mark: file.mark) }
        build.add(parserReading.sections)
        var upstreamPaths: [String] = []
        for named in build.upstreamFiles(beside: commandLine.configurationPath) {
            var upstream = ConfigurationFiles(files: self.files, environment: reading.environment)
            upstream.read(named.path, mark: named.mark)
            upstreamPaths += upstream.paths
            build.addUpstream(upstream.sections, path: named.written, diagnostics: upstream.diagnostics)
        }
        let diagnostics = reading.diagnostics + parserReading.diagnostics + build.diagnostics
        if diagnostics.contains(where: { $0.severity == .error }) { throw Diagnostics(diagnostics) }
        var result = build.configuration
        result.warnings = diagnostics
        result.variableFiles = reading.watchedPaths
        result.sourceFiles = reading.paths + parserReading.paths + upstreamPaths
        return result
    }
}

/// A file that a configuration or command line names.
struct NamedFile: Sendable {
    /// As written.
    let written: String
    /// As opened.
    let path: String
    let mark: SourceMark?
}
