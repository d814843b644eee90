/// `--help` on one screen: where all of it would not fit, groups of options and commands that are rarely needed are only named.
///
/// `--help-all` shows them too.
public enum HelpScreen {
    /// Lines of the smallest screen that people use, less one for the prompt.
    static let lineCountMax = 23
    private static let width = 80
    /// Sections that may be left out, the least needed first.
    private static let optional = [
        "MORE OPTIONS", "OUTPUT", "ARGUMENTS", "SERVER", "OPTIONS", "ADMINISTRATION SUBCOMMANDS",
    ]
    /// The end of the parser's help, which stands for itself where there is room.
    private static let hint = "  See 'leat help <subcommand>' for detailed help."

    /// The help of a command in as many lines as a screen has, if it can be cut down to that.
    public static func short(_ help: String) -> String {
        var sections = Self.sections(of: help).map { $0.map(Self.usage) }
        var left: [[String]] = []
        if Self.lineCount(sections, left) > Self.lineCountMax { sections.removeAll { $0 == [Self.hint] } }
        for name in Self.optional {
            if Self.lineCount(sections, left) <= Self.lineCountMax { break }
            guard let index = sections.firstIndex(where: { $0[0] == "\(name):" }) else { continue }
            left.insert(sections.remove(at: index), at: 0)
        }
        return Self.text(sections + Self.closing(left)) + "\n"
    }

    /// The parts between empty lines; each begins with its title.
    private static func sections(of help: String) -> [[String]] {
        help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            .split(separator: "").map(Array.init)
    }

    /// A line of usage that is too long to be read, with its options as one word.
    private static func usage(_ line: String) -> String {
        guard line.hasPrefix("USAGE:"), line.count > Self.width else { return line }
        return line.replacing(/(\[--[^\]]*\] ?)+/, with: "[<options>] ").trimmedAtEnd
    }

    private static func text(_ sections: [[String]]) -> String {
        sections.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
    }

    private static func lineCount(_ sections: [[String]], _ left: [[String]]) -> Int {
        Self.text(sections + Self.closing(left)).split(separator: "\n", omittingEmptySubsequences: false).count
    }

    /// Names the options and commands that are left out.
    private static func closing(_ left: [[String]]) -> [[String]] {
        let names = left.flatMap { section in
            let areCommands = section[0].hasSuffix("COMMANDS:")
            return section.dropFirst().compactMap { line in
                line.split { " ,".contains($0) }.first { areCommands || $0.hasPrefix("--") }.map(String.init)
            }
        }
        guard !names.isEmpty else { return [] }
        let text = "Also \(names.joined(separator: ", ")); --help-all tells what they are."
        return [TextWrapping.lines(text, width: Self.width)]
    }
}
