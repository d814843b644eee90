/// How a command ended, as the shell that called it sees it (`sysexits.h`).
public enum ExitStatus: Int32, Hashable, Sendable, CaseIterable {
    case success = 0
    /// With `--exit-status`: the query gave no rows.
    case noRows = 1
    case usage = 64
    /// The query or the data is wrong.
    case badData = 65
    /// A file or a repository does not exist.
    case missingInput = 66
    case serverUnreachable = 69
    case ourBug = 70
    case inputOutput = 74
    /// With `--strict`: the answer is partial.
    case partialAnswer = 75
    case notPermitted = 77
    case configuration = 78
    case interrupted = 130

    /// What the manual says of it.
    var meaning: String {
        switch self {
        case .success: "the command did what it was asked"
        case .noRows: "with --exit-status: the query gave no rows"
        case .usage: "the command line is wrong"
        case .badData: "a query, or what was to be read, is wrong"
        case .missingInput: "a file, a repository or an entry does not exist"
        case .serverUnreachable: "the server cannot be reached, or is busy"
        case .ourBug: "an error of leat itself"
        case .inputOutput: "something could not be read or written"
        case .partialAnswer: "with --strict: the answer is partial"
        case .notPermitted: "the token is missing, wrong, or does not permit this"
        case .configuration: "the configuration file is wrong"
        case .interrupted: "Ctrl-C"
        }
    }
}

/// Why a command could not do what it was asked, with what to do next; its text is complete.
public struct CommandError: Error, Hashable, Sendable, CustomStringConvertible {
    public let status: ExitStatus
    /// One line, or a rendered diagnostic of several.
    public let message: String
    /// Whether the same request may well succeed soon, as when a server is being restarted.
    public let mayPass: Bool

    public init(_ status: ExitStatus, _ message: String, mayPass: Bool = false) {
        self.status = status
        self.message = message
        self.mayPass = mayPass
    }

    /// The message without what to do about it.
    var reason: String { self.message.split(separator: ";", maxSplits: 1).first.map(String.init) ?? self.message }

    /// What is printed: a diagnostic as it is, anything else behind `leat: `.
    public var description: String {
        self.message.contains("\n") || self.message.hasPrefix("query:") ? self.message : "leat: \(self.message)"
    }
}

/// The reader of standard output has gone; the command ends quietly.
public struct OutputClosed: Error, Hashable, Sendable {}
