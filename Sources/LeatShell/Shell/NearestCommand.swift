internal import LeatCore

/// What to do about a misspelt command.
enum NearestCommand {
    static func hint(for name: String) -> String {
        let names = ShellCommand.all.map(\.name.rawValue)
        return NearestName.find(name, among: names).map { "did you mean '\\\($0)'?" } ?? "\\help lists them"
    }
}

extension String {
    /// The text without white space around it.
    var trimmed: String {
        let start = self.drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
