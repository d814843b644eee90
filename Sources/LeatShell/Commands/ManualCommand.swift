internal import LeatCore

/// `leat manual`: manual pages from the description of the command line.
///
/// The description is the JSON that swift-argument-parser gives for `--experimental-dump-help`, so that pages, `--help` and
/// completions say the same.
public struct ManualCommand: Sendable {
    public var description: String
    /// Where a page per command goes; `nil`: the first page to standard output.
    public var folder: String?

    public init(description: String, folder: String? = nil) {
        self.description = description
        self.folder = folder
    }

    public func run() throws -> ExitStatus {
        let pages = try Self.pages(self.description)
        guard let folder else {
            var output = OutputStream()
            try output.write(pages.first?.text ?? "")
            try output.finish()
            return .success
        }
        do throws(FileSystemError) {
            let files = PosixFileSystem()
            try files.createDirectory(folder)
            for page in pages {
                let path = "\(folder)/\(page.name).1"
                let file = try files.open(path, .readWrite)
                try file.truncate(to: 0)
                try file.write([ByteSlice(page.text)], at: 0)
                file.close()
            }
        } catch {
            throw CommandError(.inputOutput, "\(error)")
        }
        Notes.write("\(pages.count) pages written to \(folder)")
        return .success
    }

    /// The pages of a command and all below it.
    static func pages(_ description: String) throws(CommandError) -> [(name: String, text: String)] {
        do throws(JSONError) {
            let json = try JSONValue(parsing: description)
            guard let command = json["command"] else { return [] }
            return Self.pages(of: command, prefix: [])
        } catch {
            throw CommandError(.ourBug, "the description of the command line is not JSON: \(error)")
        }
    }

    private static func pages(of command: JSONValue, prefix: [String]) -> [(name: String, text: String)] {
        let page = ManualPage(command, names: prefix + [command["commandName"]?.string ?? ""])
        return [(page.name, page.text)] + page.below.flatMap { Self.pages(of: $0, prefix: page.names) }
    }
}
