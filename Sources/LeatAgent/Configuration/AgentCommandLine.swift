internal import LeatCore
internal import LeatParsing

/// The command line, taken apart; what it says about the pipeline are sections like those of a file.
struct AgentCommandLine: Sendable {
    /// What the program is asked to do.
    enum Mode: Hashable, Sendable {
        case run
        /// Check the configuration and say everything about it.
        case dryRun
        case version
        /// Help in general, or on the last plugin named.
        case help(PluginKind?, String)
    }

    var mode = Mode.run
    /// The file of `-c`.
    var configurationPath: String?
    /// `-i`, `-F`, `-o` with their `-p`, `-t`, `-m`, and options of `[SERVICE]`.
    var sections: [Section] = []
    /// The files of `-R`.
    var parserFiles: [NamedFile] = []
    /// The folder of `-w`.
    var workingFolder: String?

    init(configurationPath: String? = nil) { self.configurationPath = configurationPath }

    /// Takes the arguments after the program's name apart.
    init(arguments: [String]) throws(Diagnostics) {
        var reading = CommandLineReading(arguments: arguments)
        reading.readAll()
        if !reading.diagnostics.isEmpty { throw Diagnostics(reading.diagnostics) }
        self = reading.result
    }
}

/// Goes through the arguments one by one.
private struct CommandLineReading {
    private let arguments: [String]
    /// The arguments as one line, for messages.
    private let line: String
    private var index = 0
    private(set) var result = AgentCommandLine()
    private(set) var diagnostics: [Diagnostic] = []

    init(arguments: [String]) {
        self.arguments = arguments
        self.line = arguments.joined(separator: " ")
    }

    mutating func readAll() {
        while self.index < self.arguments.count {
            let place = self.index
            let (option, attached) = Self.split(self.arguments[place])
            self.index += 1
            self.read(option, attached: attached, mark: self.mark(place))
        }
    }

    /// Divides `--key=value` and `-kvalue` into their parts.
    private static func split(_ argument: String) -> (option: String, value: String?) {
        if argument.hasPrefix("--") {
            guard let equals = argument.firstIndex(of: "=") else { return (argument, nil) }
            return (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
        }
        if argument.hasPrefix("-v"), argument.dropFirst().allSatisfy({ $0 == "v" }) { return (argument, nil) }
        guard argument.hasPrefix("-"), argument.count > 2 else { return (argument, nil) }
        return (String(argument.prefix(2)), String(argument.dropFirst(2)))
    }

    private mutating func read(_ option: String, attached: String?, mark: SourceMark) {
        switch option {
        case "-h", "--help": self.result.mode = self.helpMode()
        case "-V", "--version": self.result.mode = .version
        case "-D", "--dry-run": self.result.mode = .dryRun
        case "-q", "--quiet": self.setService("log_level", "off", mark)
        case "-v", "--verbose": self.setService("log_level", "debug", mark)
        case "-vv", "-vvv": self.setService("log_level", "trace", mark)
        case "-H", "--http": self.setService("http_server", "on", mark)
        case "-Y", "--enable-hot-reload": self.setService("hot_reload", "on", mark)
        case "-d", "--daemon": self.setService("daemon", "on", mark)
        case "-W", "--disable-thread-safety-on-hot-reload", "-Z", "--enable-chunk-trace", "--supervisor": break
        default: self.readWithValue(option, attached: attached, mark: mark)
        }
    }

    private func helpMode() -> AgentCommandLine.Mode {
        guard let last = self.result.sections.last(where: { $0.kind != "SERVICE" }),
            let kind = PluginKind(rawValue: last.kind.lowercased()), let name = last.value("name")
        else { return .help(nil, "") }
        return .help(kind, name)
    }

    private mutating func readWithValue(_ option: String, attached: String?, mark: SourceMark) {
        guard Self.optionsWithValue.contains(option) else {
            let hint = NearestName.find(option, among: Self.optionsWithValue + Self.flags)
            self.diagnostics.append(
                mark.diagnostic(
                    "unknown option '\(option)'",
                    hint: hint.map { "did you mean '\($0)'?" } ?? "see --help"
                )
            )
            return
        }
        guard let value = attached ?? (self.index < self.arguments.count ? self.arguments[self.index] : nil) else {
            self.diagnostics.append(mark.diagnostic("the option '\(option)' needs a value"))
            return
        }
        let valueMark = attached == nil ? self.mark(self.index) : mark
        if attached == nil { self.index += 1 }
        self.take(option, Section.Entry(key: option, value: value, keyMark: mark, valueMark: valueMark))
    }

    private mutating func take(_ option: String, _ given: Section.Entry) {
        switch option {
        case "-c", "--config": self.result.configurationPath = given.value
        case "-R", "--parser":
            self.result.parserFiles.append(NamedFile(written: given.value, path: given.value, mark: given.valueMark))
        case "-w", "--workdir": self.result.workingFolder = given.value
        case "-i", "--input": self.begin("INPUT", given)
        case "-F", "--filter": self.begin("FILTER", given)
        case "-o", "--output": self.beginOutput(given)
        case "-p", "--prop": self.property(given)
        case "-t", "--tag": self.setPlugin("tag", given, kinds: ["INPUT"])
        case "-m", "--match": self.setPlugin("match", given, kinds: ["FILTER", "OUTPUT"])
        case "-f", "--flush": self.setService("flush", given.value, given.valueMark)
        case "-l", "--log_file": self.setService("log_file", given.value, given.valueMark)
        case "-L", "--listen": self.setService("http_listen", given.value, given.valueMark)
        case "-P", "--port": self.setService("http_port", given.value, given.valueMark)
        case "-b", "--storage_path": self.setService("storage.path", given.value, given.valueMark)
        default: break  // -s and --coro_stack_size have no meaning here.
        }
    }

    private mutating func begin(_ kind: String, _ name: Section.Entry) {
        let entry = Section.Entry(key: "name", value: name.value, keyMark: name.keyMark, valueMark: name.valueMark)
        self.result.sections.append(Section(kind: kind, mark: name.keyMark, entries: [entry]))
    }

    /// `es`, or `es://host:port/index/type` in short.
    private mutating func beginOutput(_ given: Section.Entry) {
        guard let scheme = given.value.firstRange(of: "://") else { return self.begin("OUTPUT", given) }
        let name = String(given.value[..<scheme.lowerBound])
        self.begin(
            "OUTPUT",
            Section.Entry(key: "name", value: name, keyMark: given.keyMark, valueMark: given.valueMark)
        )
        let rest = given.value[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        let path = rest[authority.endIndex...]
        if let colon = authority.lastIndex(of: ":"), authority[authority.index(after: colon)...].allSatisfy(\.isNumber)
        {
            self.setLast("host", String(authority[..<colon]), given)
            self.setLast("port", String(authority[authority.index(after: colon)...]), given)
        } else if !authority.isEmpty {
            self.setLast("host", String(authority), given)
        }
        if path.count > 1 {
            if name == "http" { self.setLast("uri", String(path), given) }
            if name == "es" || name == "opensearch" {
                let parts = path.split(separator: "/")
                if let index = parts.first { self.setLast("index", String(index), given) }
                if parts.count > 1 { self.setLast("type", String(parts[1]), given) }
            }
        }
    }

    private mutating func setLast(_ key: String, _ value: String, _ given: Section.Entry) {
        let entry = Section.Entry(key: key, value: value, keyMark: given.valueMark, valueMark: given.valueMark)
        self.result.sections[self.result.sections.count - 1].entries.append(entry)
    }

    private mutating func property(_ given: Section.Entry) {
        guard let equals = given.value.firstIndex(of: "=") else {
            self.diagnostics.append(given.valueMark.diagnostic("'\(given.value)' is no key=value"))
            return
        }
        guard !self.result.sections.isEmpty, self.result.sections.last?.kind != "SERVICE" || self.hasPlugin else {
            self.diagnostics.append(given.keyMark.diagnostic("-p stands before any -i, -F or -o"))
            return
        }
        let key = String(given.value[..<equals])
        let value = String(given.value[given.value.index(after: equals)...])
        let entry = Section.Entry(key: key, value: value, keyMark: given.valueMark, valueMark: given.valueMark)
        if let last = self.result.sections.lastIndex(where: { $0.kind != "SERVICE" }) {
            self.result.sections[last].entries.append(entry)
        }
    }

    private var hasPlugin: Bool { self.result.sections.contains { $0.kind != "SERVICE" } }

    private mutating func setPlugin(_ key: String, _ given: Section.Entry, kinds: [String]) {
        guard let last = self.result.sections.lastIndex(where: { $0.kind != "SERVICE" }),
            kinds.contains(self.result.sections[last].kind)
        else {
            self.diagnostics.append(
                given.keyMark.diagnostic(
                    "\(given.key) must follow \(kinds.map { $0 == "INPUT" ? "-i" : $0 == "FILTER" ? "-F" : "-o" }.joined(separator: " or "))"
                )
            )
            return
        }
        let entry = Section.Entry(key: key, value: given.value, keyMark: given.keyMark, valueMark: given.valueMark)
        self.result.sections[last].entries.append(entry)
    }

    private mutating func setService(_ key: String, _ value: String, _ mark: SourceMark) {
        let entry = Section.Entry(key: key, value: value, keyMark: mark, valueMark: mark)
        self.result.sections.append(Section(kind: "SERVICE", mark: mark, entries: [entry]))
    }

    /// The place of an argument in the line.
    private func mark(_ number: Int) -> SourceMark {
        let before = self.arguments[..<number].reduce(0) { $0 + $1.unicodeScalars.count + 1 }
        let length = number < self.arguments.count ? self.arguments[number].unicodeScalars.count : 1
        return SourceMark(source: "command line", line: 1, column: before + 1, length: length, lineText: self.line)
    }

    private static let optionsWithValue = [
        "-c", "--config", "-R", "--parser", "-w", "--workdir", "-i", "--input", "-F", "--filter", "-o", "--output",
        "-p",
        "--prop", "-t", "--tag", "-m", "--match", "-f", "--flush", "-l", "--log_file", "-L", "--listen", "-P", "--port",
        "-b", "--storage_path", "-s", "--coro_stack_size",
    ]

    private static let flags = [
        "-h", "--help", "-V", "--version", "-D", "--dry-run", "-q", "--quiet", "-v", "--verbose", "-H", "--http", "-Y",
        "--enable-hot-reload", "-d", "--daemon", "--supervisor",
    ]
}

extension String {
    /// Where `needle` first occurs.
    fileprivate func firstRange(of needle: String) -> Range<String.Index>? {
        var index = self.startIndex
        while index < self.endIndex {
            if self[index...].hasPrefix(needle) { return index..<self.index(index, offsetBy: needle.count) }
            index = self.index(after: index)
        }
        return nil
    }
}
