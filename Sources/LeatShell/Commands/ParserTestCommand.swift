/// `leat parser test`: the test cases of parser scripts.
public struct ParserTestCommand: Sendable {
    public var paths: [String]
    public var jsonlPath: String?

    public init(paths: [String], jsonlPath: String? = nil) {
        self.paths = paths
        self.jsonlPath = jsonlPath
    }

    public func run() throws -> ExitStatus {
        throw CommandError(.usage, "parser scripts are not supported by this version; see CHANGELOG.md")
    }
}
