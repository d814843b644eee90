public import LeatCore

/// A `[PARSER]`: how a line becomes fields, and which of them is its time.
public struct ParserDefinition: Sendable {
    /// The shape of lines.
    public enum Format: Sendable {
        case regex(Pattern)
        case json
        case logfmt(takesBareKeys: Bool)
        case ltsv
    }

    public let name: String
    public let format: Format
    /// The field that holds the time, and its form; `nil` when the line has none that is read.
    public let time: TimeField?
    /// Types that fields are written as, by name.
    public let types: [String: FieldType]
    /// Whether fields without text are left out.
    public let skipsEmpty: Bool
    /// Applied in order to the fields.
    public let decoders: [FieldDecoder]

    /// See `time`.
    public struct TimeField: Sendable {
        public let key: String
        public let pattern: TimePattern
        /// `Time_Strict Off`: what is tried when a text goes on otherwise, the longest first.
        public let shorterPatterns: [TimePattern]
        /// The zone of times that name none.
        public let zone: TimeZoneRules
        /// Whether the field stays in the record.
        public let isKept: Bool
    }

    private static let knownKeys = [
        "name", "format", "regex", "time_key", "time_format", "time_keep", "time_offset", "time_strict",
        "time_system_timezone", "time_zone", "types", "skip_empty_values", "logfmt_no_bare_keys", "decode_field",
        "decode_field_as",
        // Fluent Bit's documentation has it in a parser, where it means nothing.
        "key_name",
    ]

    /// Reads a section.
    ///
    /// - Throws: everything that is wrong with it.
    public init(_ section: Section) throws(Diagnostics) {
        var reading = ParserSectionReading(section)
        reading.checkKeys(Self.knownKeys)
        self.name = section.value("name") ?? ""
        let format = reading.format()
        self.time = reading.time()
        self.types = reading.types()
        self.skipsEmpty = reading.flag("skip_empty_values") ?? true
        self.decoders = reading.decoders()
        guard let format, reading.diagnostics.isEmpty else { throw Diagnostics(reading.diagnostics) }
        self.format = format
    }
}

/// Reads the keys of one `[PARSER]`, and gathers what is wrong with them.
private struct ParserSectionReading {
    let section: Section
    private(set) var diagnostics: [Diagnostic] = []

    init(_ section: Section) { self.section = section }

    mutating func checkKeys(_ known: [String]) {
        for entry in self.section.entries where !known.contains(entry.key.lowercased()) {
            let nearest = NearestName.find(entry.key, among: known)
            self.diagnostics.append(
                entry.keyMark.diagnostic(
                    "unknown key '\(entry.key)' of [PARSER]",
                    hint: nearest.map { "did you mean '\($0)'?" }
                )
            )
        }
    }

    mutating func format() -> ParserDefinition.Format? {
        guard let entry = self.section.entry("format") else {
            self.report(self.section.mark, "this parser has no format", "regex, json, logfmt or ltsv")
            return nil
        }
        switch entry.value.lowercased() {
        case "json": return .json
        case "ltsv": return .ltsv
        case "logfmt": return .logfmt(takesBareKeys: self.flag("logfmt_no_bare_keys") != true)
        case "regex": return self.pattern().map(ParserDefinition.Format.regex)
        default:
            self.report(entry.valueMark, "unknown format '\(entry.value)'", "regex, json, logfmt or ltsv")
            return nil
        }
    }

    private mutating func pattern() -> Pattern? {
        guard let entry = self.section.entry("regex") else {
            self.report(self.section.mark, "this parser has the format regex and no regex")
            return nil
        }
        do throws(PatternError) {
            return try PatternText.compile(entry.value)
        } catch {
            self.report(entry.valueMark, "the regex is not valid: \(error)")
            return nil
        }
    }

    mutating func time() -> ParserDefinition.TimeField? {
        guard let entry = self.section.entry("time_format") else { return nil }
        let zone = self.zone()
        do throws(TimePatternError) {
            return ParserDefinition.TimeField(
                key: self.section.value("time_key") ?? "time",
                pattern: try TimePattern(strptime: entry.value),
                shorterPatterns: self.flag("time_strict") == false ? Self.shorterPatterns(of: entry.value) : [],
                zone: zone,
                isKept: self.flag("time_keep") ?? false
            )
        } catch {
            self.report(entry.valueMark, "the time format is not valid: \(error)")
            return nil
        }
    }

    private mutating func zone() -> TimeZoneRules {
        if let entry = self.section.entry("time_zone") ?? self.section.entry("time_offset") {
            if let zone = TimeZoneRules.named(entry.value) { return zone }
            self.report(entry.valueMark, "unknown time zone '\(entry.value)'", "such as +0200 or Europe/Copenhagen")
        }
        guard self.flag("time_system_timezone") == true, let entry = self.section.entry("time_system_timezone") else {
            return .utc
        }
        switch SystemTimeZone.find() {
        case .rules(let zone): return zone
        case .unknown(let text):
            self.report(
                entry.valueMark,
                "the system's time zone '\(text)' is not known",
                "set TZ or Time_Zone to a name"
            )
            return .utc
        }
    }

    /// The form's beginnings that end with a conversion and reach the day or the hour, the longest first.
    private static func shorterPatterns(of format: String) -> [TimePattern] {
        var patterns: [TimePattern] = []
        var reachesDay = false
        var rest = format[...]
        while let percent = rest.firstIndex(of: "%") {
            let letter = rest.index(after: percent)
            guard letter < rest.endIndex else { break }
            rest = rest[rest.index(after: letter)...]
            if "dejDFcsxHT".contains(format[letter]) { reachesDay = true }
            // A beginning that is no pattern of its own is left out.
            guard reachesDay, format[letter] != "%", rest.startIndex < format.endIndex,
                let pattern = try? TimePattern(strptime: String(format[..<rest.startIndex]))
            else { continue }
            patterns.insert(pattern, at: 0)
        }
        return patterns
    }

    mutating func types() -> [String: FieldType] {
        var types: [String: FieldType] = [:]
        guard let entry = self.section.entry("types") else { return types }
        for item in entry.value.split(whereSeparator: { $0 == " " || $0 == "," }) {
            guard let colon = item.lastIndex(of: ":"), let type = FieldType(item[item.index(after: colon)...]) else {
                self.report(entry.valueMark, "'\(item)' is no field and type", "such as code:integer")
                continue
            }
            types[String(item[..<colon])] = type
        }
        return types
    }

    mutating func decoders() -> [FieldDecoder] {
        var decoders: [FieldDecoder] = []
        for entry in self.section.entries {
            let replaces = entry.key.equalsIgnoringCase("decode_field_as")
            guard replaces || entry.key.equalsIgnoringCase("decode_field") else { continue }
            if let decoder = FieldDecoder(entry.value, replaces: replaces) {
                decoders.append(decoder)
            } else {
                self.report(
                    entry.valueMark,
                    "'\(entry.value)' is no decoder and field",
                    "json, escaped, escaped_utf8 or mysql_quoted, then the field"
                )
            }
        }
        return decoders
    }

    mutating func flag(_ key: String) -> Bool? {
        guard let entry = self.section.entry(key) else { return nil }
        switch entry.value.lowercased() {
        case "on", "true", "yes", "1": return true
        case "off", "false", "no", "0": return false
        default:
            self.report(entry.valueMark, "'\(entry.value)' is no value of \(key): it must be on or off")
            return nil
        }
    }

    private mutating func report(_ mark: SourceMark, _ message: String, _ hint: String? = nil) {
        self.diagnostics.append(mark.diagnostic(message, hint: hint))
    }
}
