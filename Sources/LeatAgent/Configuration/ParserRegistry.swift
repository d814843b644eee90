internal import LeatCore
internal import LeatParsing

/// The parsers of a configuration by name, made when they are first asked for; used by one thread.
final class ParserRegistry {
    /// The longest joined event, in bytes.
    let multilineByteCountMax: Int
    private let sections: [String: Section]
    private let multilineSections: [String: Section]
    private var parsers: [String: LineParser] = [:]
    private var multilines: [String: MultilineDefinition] = [:]

    /// The names under which container formats are known; they are taken apart by position.
    static let containerFormats = ["cri", "docker"]

    init(_ configuration: AgentConfiguration) {
        self.sections = configuration.parsers
        self.multilineSections = configuration.multilineParsers
        self.multilineByteCountMax = configuration.service.byteCount("multiline_buffer_limit") ?? 2_000_000
    }

    /// Everything that is wrong with any parser.
    func check() -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for section in self.sections.values {
            do throws(Diagnostics) { _ = try ParserDefinition(section) } catch { diagnostics += error.all }
        }
        for section in self.multilineSections.values {
            do throws(Diagnostics) { _ = try MultilineDefinition(section) } catch { diagnostics += error.all }
        }
        return diagnostics.sorted { ($0.source, $0.line) < ($1.source, $1.line) }
    }

    /// The parser that a value names.
    func parser(_ entry: Section.Entry) throws(Diagnostics) -> LineParser {
        if let parser = try self.parser(named: entry.value) { return parser }
        let nearest = NearestName.find(entry.value, among: self.sections.keys.sorted())
        throw Diagnostics(
            entry.valueMark.diagnostic(
                "there is no parser '\(entry.value)'",
                hint: nearest.map { "did you mean '\($0)'?" } ?? "does Parsers_File in [SERVICE] name its file?"
            )
        )
    }

    /// The parser of a name; `nil` when there is none.
    func parser(named name: String) throws(Diagnostics) -> LineParser? {
        if let parser = self.parsers[name] { return parser }
        guard let section = self.sections[name] else { return nil }
        let parser = LineParser(try ParserDefinition(section))
        self.parsers[name] = parser
        return parser
    }

    /// The rules that a name in `entry` stands for: configured ones, else those that are built in.
    func multiline(_ name: String, _ entry: Section.Entry) throws(Diagnostics) -> MultilineDefinition {
        if let known = self.multilines[name] { return known }
        if let section = self.multilineSections[name] {
            let definition = try MultilineDefinition(section)
            self.multilines[name] = definition
            return definition
        }
        if let rules = BuiltInMultiline.rules(name) { return MultilineDefinition(name: name, rules: rules) }
        let names = self.multilineSections.keys.sorted() + BuiltInMultiline.names + Self.containerFormats
        let nearest = NearestName.find(name, among: names)
        throw Diagnostics(
            entry.valueMark.diagnostic(
                "there is no multiline parser '\(name)'",
                hint: nearest.map { "did you mean '\($0)'?" } ?? "known: \(names.joined(separator: ", "))"
            )
        )
    }
}
