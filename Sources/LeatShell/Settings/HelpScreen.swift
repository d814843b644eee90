/// `--help` on one screen: where all of it would not fit, groups of options that are rarely needed are only named.
///
/// `--help-all` shows them too.
public enum HelpScreen {
    /// Lines of the smallest screen that people use, less one for the prompt.
    static let lineCountMax = 23
    private static let width = 80
    /// Sections that may be left out, the least needed first.
    private static let optional = ["MORE OPTIONS", "OUTPUT", "ARGUMENTS", "SERVER"]

    /// The help of a command in as many lines as a screen has, if it can be cut down to that.
    public static func short(_ help: String) -> String {
        var sections = Self.sections(of: help)
        var left: [[String]] = []
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

    private static func text(_ sections: [[String]]) -> String {
        sections.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
    }

    private static func lineCount(_ sections: [[String]], _ left: [[String]]) -> Int {
        Self.text(sections + Self.closing(left)).split(separator: "\n", omittingEmptySubsequences: false).count
    }

    /// Names the options that are left out.
    private static func closing(_ left: [[String]]) -> [[String]] {
        let flags = left.flatMap { section in
            section.dropFirst().compactMap { line in
                line.split { " ,".contains($0) }.first { $0.hasPrefix("--") }.map(String.init)
            }
        }
        guard !flags.isEmpty else { return [] }
        let names = "Also \(flags.joined(separator: ", ")); --help-all tells what they are."
        return [TextWrapping.lines(names, width: Self.width)]
    }
}
