internal import LeatCore

extension RowFunctions {
    /// Functions that take texts apart into fields.
    static let parseMakers: [String: Maker] = [
        "parseJson": { call, context in JSONParsing.make(call, context) },
        "kvParse": { call, _ throws(CallProblem) in
            let parser = try KeyValueParser(call)
            let fields = call.fields("field")
            return .function(
                FieldsFunction(fields, keepsExisting: !call.isTrue("override")) { inputs, outputs in
                    for index in fields.indices {
                        if let text = inputs[index] { parser.parse(text, into: &outputs) }
                    }
                }
            )
        },
        "parseCsv": { call, _ throws(CallProblem) in try Self.parseCSV(call) },
        "parseFixedWidth": { call, _ throws(CallProblem) in try Self.parseFixedWidth(call) },
        "parseHexString": { call, _ throws(CallProblem) in
            let charset = try Charset(call)
            return .function(
                ValueFunction([call.field("field")], as: call.outputName) { inputs in
                    inputs[0].flatMap { Hexadecimal.bytes($0) }.map { charset.utf8($0) }
                }
            )
        },
        "parseUrl": { call, _ in
            let name = call.text("as") ?? call.text("field") ?? "url"
            return Self.parseURL(call, prefix: name, base: nil)
        },
        "parseUri": { call, _ in
            let name = call.text("prefix") ?? call.text("field") ?? "uri"
            return Self.parseURL(call, prefix: name, base: call.text("defaultBase"))
        },
        "parseCEF": { call, _ in
            let parser = CEFParser(call)
            return .function(
                FieldsFunction([call.field("field")]) { inputs, outputs in
                    if let text = inputs[0] { parser.parse(text, into: &outputs) }
                }
            )
        },
        "parseLEEF": { call, context throws(CallProblem) in
            let parser = try LEEFParser(call, now: context.now)
            return .function(
                FieldsFunction([call.field("field")]) { inputs, outputs in
                    if let text = inputs[0] { parser.parse(text, into: &outputs) }
                }
            )
        },
        "parseXml": { call, context in
            let prefix = call.text("prefix") ?? ""
            let isStrict = call.isTrue("strict")
            return .function(
                FieldsFunction([call.field("field")]) { inputs, outputs in
                    guard let text = inputs[0] else { return }
                    let document = XMLDocument(text)
                    if document.isBroken && context.isParser {
                        Self.writeError("invalid XML", &outputs)
                    }
                    if document.isBroken && isStrict { return }
                    document.flatten(prefix: prefix) { name, value in outputs.set(field: name, to: value) }
                }
            )
        },
    ]

    private static func parseCSV(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        let columns = call.texts("columns")
        let delimiter = Array((call.text("delimiter") ?? ",").utf8)
        guard delimiter.count == 1, let separator = delimiter.first else {
            throw call.problem("'delimiter' of parseCsv() is one character", of: "delimiter")
        }
        let excludesEmpty = call.isTrue("excludeEmpty")
        let trims = call.isTrue("trim")
        return .function(
            FieldsFunction([call.field("field")], outputs: columns) { inputs, outputs in
                guard let text = inputs[0] else { return }
                let values = CSVText.record(text, delimiter: separator)
                for (index, value) in values.prefix(columns.count).enumerated() {
                    let trimmed = trims ? value.withUnsafeBytes { Array($0.trimmed) } : value
                    if !(excludesEmpty && trimmed.isEmpty) { outputs.set(index, to: trimmed) }
                }
            }
        )
    }

    private static func parseFixedWidth(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        let columns = call.texts("columns")
        let widths = call.texts("widths").compactMap { Int($0) }
        guard widths.count == columns.count, widths.allSatisfy({ $0 > 0 }) else {
            throw call.problem("parseFixedWidth() needs a positive width for each column", of: "widths")
        }
        let trims = call.text("trim")?.lowercased() != "false"
        return .function(
            FieldsFunction([call.field("field")], outputs: columns) { inputs, outputs in
                guard let text = inputs.text(0) else { return }
                var rest = Substring(text).unicodeScalars[...]
                for (index, width) in widths.enumerated() where !rest.isEmpty {
                    var value = Array(String(String.UnicodeScalarView(rest.prefix(width))).utf8)
                    if trims { value = value.withUnsafeBytes { Array($0.trimmed) } }
                    outputs.set(index, to: value)
                    rest = rest.dropFirst(width)
                }
            }
        )
    }

    private static func parseURL(_ call: BoundCall, prefix: String, base: String?) -> RowFunctionKind {
        let hasMembers = call.signature.name == "parseUri"
        return .function(
            FieldsFunction([call.field("field")]) { inputs, outputs in
                guard let text = inputs.text(0) else { return }
                let parts = URLParts(text.contains("://") ? text : (base ?? "") + text)
                for (name, value) in parts.components where value != nil {
                    outputs.set(field: "\(prefix).\(name)", to: value ?? "")
                }
                guard hasMembers, let query = parts.query else { return }
                for pair in query.split(separator: "&") {
                    let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    let value = sides.count == 2 ? PercentCoding.decoded(String(sides[1])) : ""
                    outputs.set(field: "\(prefix).query.\(PercentCoding.decoded(String(sides[0])))", to: value)
                }
            }
        )
    }
}

/// The parts of a URL, as RFC 3986 separates them.
struct URLParts {
    var scheme: String?
    var host: String?
    var port: String?
    var path: String?
    var query: String?
    var fragment: String?

    init(_ text: String) {
        var rest = Substring(text)
        if let hash = rest.firstIndex(of: "#") {
            self.fragment = String(rest[rest.index(after: hash)...])
            rest = rest[..<hash]
        }
        if let mark = rest.firstIndex(of: "?") {
            self.query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let colon = rest.firstIndex(of: ":"),
            rest[..<colon].allSatisfy({ $0.isLetter || $0.isNumber || "+-.".contains($0) }),
            rest.first?.isLetter == true, !rest[..<colon].contains(".") || rest[colon...].hasPrefix("://")
        {
            self.scheme = String(rest[..<colon])
            rest = rest[rest.index(after: colon)...]
        }
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            var authority = rest[..<end]
            rest = rest[end...]
            if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
            if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
                self.port = String(authority[authority.index(after: colon)...])
                authority = authority[..<colon]
            }
            self.host = String(authority)
        }
        self.path = rest.isEmpty ? nil : String(rest)
    }

    /// The parts by the names of their fields; absent ones are `nil`.
    var components: [(name: String, value: String?)] {
        [
            ("scheme", self.scheme), ("host", self.host), ("port", self.port), ("path", self.path),
            ("query", self.query), ("fragment", self.fragment),
        ]
    }
}
