internal import LeatCore

/// What the arguments of `leat` mean before a command reads them.
public enum CommandArguments {
    /// Options that every command with a server has, with a value each; they may stand before the command too.
    private static let shared: Set<String> = ["--server", "--repo", "-r", "--color"]

    /// The arguments with options that stand before the command moved behind it: `--server URL query '*'` is
    /// `query --server URL '*'`, and for commands of two words they go behind the second.
    ///
    /// `commands` are the names of the commands, each with those of its own commands.
    public static func commandFirst(_ arguments: [String], commands: [String: [String]]) -> [String] {
        var index = 0
        while index < arguments.count, let name = arguments[index].split(separator: "=").first.map(String.init),
            Self.shared.contains(name)
        {
            index += arguments[index].contains("=") ? 1 : 2
        }
        guard index > 0, index < arguments.count, let words = commands[arguments[index]] else { return arguments }
        var end = index + 1
        if end < arguments.count, words.contains(arguments[end]) { end += 1 }
        return Array(arguments[index..<end]) + arguments[..<index] + arguments[end...]
    }

    /// What to say of a first word that is no command; `nil` if it is one, or an option.
    public static func complaint(_ arguments: [String], commands: [String: [String]]) -> String? {
        guard let word = arguments.first, !word.hasPrefix("-"), word != "help", commands[word] == nil else {
            return nil
        }
        let names = commands.keys.sorted()
        if let name = NearestName.find(word, among: names) {
            return "unknown command '\(word)'; did you mean '\(name)'?"
        }
        return "unknown command '\(word)'; a query is asked with: leat query 'QUERY'; leat --help lists the commands"
    }
}
