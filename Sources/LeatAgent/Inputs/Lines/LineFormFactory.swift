internal import LeatCore
internal import LeatParsing

/// Finds out how the lines of a `tail` become records: `multiline.parser`, `parser` and the keys around them.
struct LineFormFactory {
    let plugin: PluginConfiguration
    let configuration: AgentConfiguration

    private static let lineByteCountMin = 4 << 20
    private static let lineByteCountMax = 32 << 20

    /// The form of the lines.
    func form() throws(Diagnostics) -> LineForm {
        let settings = self.plugin.settings
        var form = LineForm()
        form.key = settings.text("key") ?? "log"
        form.offsetKey = settings.text("offset_key")
        let wanted = settings.byteCount("buffer_max_size") ?? Self.lineByteCountMin
        form.lineByteCountMax = max(Self.lineByteCountMin, min(wanted, Self.lineByteCountMax))
        let names = settings.list("multiline.parser")
        try self.addMultiline(names, to: &form)
        if settings.flag("docker_mode") { form.readsDocker = true }
        if names.isEmpty, settings.flag("multiline") {
            try self.addFirstLine(to: &form)
            return form
        }
        // As in Fluent Bit, a parser beside multiline parsers is not used.
        if names.isEmpty, let entry = settings.entries("parser").last { try self.addParser(entry, to: &form) }
        return form
    }

    private func addMultiline(_ names: [String], to form: inout LineForm) throws(Diagnostics) {
        var rules: [MultilineRules] = []
        for name in names {
            switch name.lowercased() {
            case "cri": form.readsCRI = true
            case "docker": form.readsDocker = true
            default: rules.append(try self.rules(name, &form))
            }
        }
        if let timeout = self.plugin.settings.nanoseconds("multiline.flush_timeout"),
            self.plugin.settings.isSet("multiline.flush_timeout"), timeout > 0
        {
            form.multilineTimeoutNanoseconds = UInt64(timeout)
        }
        if !rules.isEmpty { form.multiline = MultilineMachine(MultilineRules.combined(rules)) }
    }

    /// `Multiline On` with `Parser_Firstline`: the older way to join lines.
    private func addFirstLine(to form: inout LineForm) throws(Diagnostics) {
        let settings = self.plugin.settings
        guard let entry = settings.entries("parser_firstline").last else {
            throw Diagnostics(self.plugin.mark.diagnostic("multiline needs a parser_firstline"))
        }
        let parser = try self.parser(entry)
        guard case .regex(let pattern) = parser.definition.format else {
            throw Diagnostics(entry.valueMark.diagnostic("the parser '\(entry.value)' is not a regular expression"))
        }
        do throws(PatternError) {
            form.multiline = MultilineMachine(try MultilineRules.firstLine(pattern))
        } catch {
            throw Diagnostics(entry.valueMark.diagnostic("\(error)"))
        }
        form.parser = parser
        form.parsesFirstLineOnly = true
        if let wait = settings.nanoseconds("multiline_flush"), wait > 0 {
            form.multilineTimeoutNanoseconds = UInt64(wait)
        }
    }

    /// The rules of a multiline parser of the configuration, or of a built-in one.
    private func rules(_ name: String, _ form: inout LineForm) throws(Diagnostics) -> MultilineRules {
        if let section = self.configuration.multilineParsers[name] {
            let definition = try MultilineDefinition(section)
            form.multilineTimeoutNanoseconds = definition.timeoutNanoseconds
            form.parsedLines = try self.parsedLines(section, definition)
            return definition.rules
        }
        if let rules = BuiltInMultiline.rules(name) { return rules }
        let known = ["cri", "docker"] + BuiltInMultiline.names + self.configuration.multilineParsers.keys.sorted()
        let mark = self.plugin.settings.entries("multiline.parser").last?.valueMark ?? self.plugin.mark
        let nearest = NearestName.find(name, among: known)
        throw Diagnostics(
            mark.diagnostic(
                "unknown multiline parser '\(name)'",
                hint: nearest.map { "did you mean '\($0)'?" } ?? "known are \(known.joined(separator: ", "))"
            )
        )
    }

    /// The parser that takes lines apart before they are judged, if the section names one.
    private func parsedLines(
        _ section: Section,
        _ definition: MultilineDefinition
    ) throws(Diagnostics) -> ParsedLines.Form? {
        guard let entry = section.entry("parser") else { return nil }
        return ParsedLines.Form(
            parser: try self.parser(entry),
            contentName: FieldPath.contents(definition.contentKey ?? "log")
        )
    }

    /// Lines of containers are taken apart by position where the definition under these names says no more than that; it
    /// is for lines in another form then, and for all lines else.
    private func addParser(_ entry: Section.Entry, to form: inout LineForm) throws(Diagnostics) {
        let isDefined = self.configuration.parsers[entry.value] != nil
        let name = entry.value.lowercased()
        if isDefined || (name != "cri" && name != "docker") { form.parser = try self.parser(entry) }
        switch name {
        case "cri":
            guard let names = Self.containerNames(form.parser?.definition) else { return }
            form.readsCRI = true
            form.names = names
        case "docker" where Self.isDockers(form.parser?.definition):
            form.readsDocker = true
            // A text without a newline is a part only where somebody says so.
            form.joinsDocker = self.plugin.settings.flag("docker_mode")
        default: break
        }
    }

    /// The names that a definition of CRI's form gives; those of Fluent Bit without one, `nil` when it has another form.
    private static func containerNames(_ definition: ParserDefinition?) -> LineForm.ContainerNames? {
        guard let definition else { return LineForm.ContainerNames(text: "message", partial: "logtag") }
        guard case .regex(let pattern) = definition.format, pattern.groups.count == 4, Self.keepsTime(definition),
            pattern.groups[0].name == "time", pattern.groups[1].name == "stream"
        else { return nil }
        return LineForm.ContainerNames(text: pattern.groups[3].name, partial: pattern.groups[2].name)
    }

    private static func isDockers(_ definition: ParserDefinition?) -> Bool {
        guard let definition else { return true }
        if case .json = definition.format { return Self.keepsTime(definition) }
        return false
    }

    /// Whether a definition reads the field `time`, keeps it, and changes no field.
    private static func keepsTime(_ definition: ParserDefinition) -> Bool {
        guard let time = definition.time, time.key == "time", time.isKept else { return false }
        return definition.types.isEmpty && definition.decoders.isEmpty
    }

    /// The parser of the configuration that a key names.
    private func parser(_ entry: Section.Entry) throws(Diagnostics) -> LineParser {
        guard let section = self.configuration.parsers[entry.value] else {
            let nearest = NearestName.find(entry.value, among: self.configuration.parsers.keys.sorted())
            throw Diagnostics(
                entry.valueMark.diagnostic(
                    "unknown parser '\(entry.value)'",
                    hint: nearest.map { "did you mean '\($0)'?" } ?? "add its file as Parsers_File to [SERVICE]"
                )
            )
        }
        return LineParser(try ParserDefinition(section))
    }
}
