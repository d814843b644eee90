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
        let names = prefix + [command["commandName"]?.string ?? ""]
        let below = (command["subcommands"]?.array ?? []).filter { $0["commandName"]?.string != "help" }
        return [(names.joined(separator: "-"), Self.page(of: command, names, below))]
            + below.flatMap { Self.pages(of: $0, prefix: names) }
    }

    private static func page(of command: JSONValue, _ names: [String], _ below: [JSONValue]) -> String {
        let arguments = (command["arguments"]?.array ?? []).filter { $0["shouldDisplay"]?.bool ?? true }
        var page = ".TH \(names.joined(separator: "-").uppercased()) 1 \"\" \"leat \(Version.number)\"\n"
        page +=
            ".SH NAME\n\(Self.plain(names.joined(separator: " "))) \\- \(Self.plain(command["abstract"]?.string ?? ""))\n"
        page += ".SH SYNOPSIS\n.B \(Self.plain(names.joined(separator: " ")))\n[options]\n"
        for argument in arguments where argument["kind"]?.string == "positional" {
            page += ".I \(Self.plain(argument["valueName"]?.string ?? ""))\n"
        }
        if let discussion = command["discussion"]?.string, !discussion.isEmpty {
            page += ".SH DESCRIPTION\n.nf\n\(Self.plain(discussion))\n.fi\n"
        }
        if !arguments.isEmpty { page += ".SH OPTIONS\n" + arguments.map { Self.option($0) }.joined() }
        if !below.isEmpty {
            page += ".SH COMMANDS\n"
            for child in below {
                let name = child["commandName"]?.string ?? ""
                page +=
                    ".TP\n.BR \((names + [name]).joined(separator: "-")) (1)\n\(Self.plain(child["abstract"]?.string ?? ""))\n"
            }
        }
        return page
    }

    private static func option(_ argument: JSONValue) -> String {
        let names = (argument["names"]?.array ?? []).map { name in
            (name["kind"]?.string == "long" ? "--" : "-") + (name["name"]?.string ?? "")
        }
        let value = argument["kind"]?.string == "option" ? " <\(argument["valueName"]?.string ?? "value")>" : ""
        let shown = names.isEmpty ? argument["valueName"]?.string ?? "" : names.joined(separator: ", ") + value
        return ".TP\n.B \(Self.plain(shown))\n\(Self.plain(argument["abstract"]?.string ?? ""))\n"
    }

    /// Text in which nothing means anything to roff.
    private static func plain(_ text: String) -> String {
        text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&" + $0 : String($0) }
            .joined(separator: "\n")
    }
}
