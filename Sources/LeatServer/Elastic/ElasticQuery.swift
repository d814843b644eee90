internal import LeatCore

/// The part of Elasticsearch's query language that counts, smoke checks and alerts use, as a filter of ours.
///
/// `match_all`, `match_none`, `bool`, `constant_score`, `term`, `terms`, `match`, `match_phrase`, `exists`, `prefix`,
/// `wildcard`, `range`, `query_string` and `simple_query_string`; anything else is refused, since an answer to half of a
/// question would be a wrong one. Texts are compared as they are, words of `match` and `query_string` in any case.
struct ElasticQuery {
    /// The present, for `now-15m`.
    let now: Timestamp

    /// Queries inside each other that a query may have.
    private static let depthMax = 32

    /// The filter in the query language.
    ///
    /// - Throws: 400 for a query that is not understood.
    func filter(_ query: JSONValue, depth: Int = 0) throws(RequestFault) -> String {
        guard depth < Self.depthMax else { throw Self.fault("queries are nested more than \(Self.depthMax) deep") }
        guard let members = query.object, members.count == 1 else {
            throw Self.fault("a query is an object with one member, its name")
        }
        let (name, body) = (members[0].key, members[0].value)
        switch name {
        case "match_all": return "*"
        case "match_none": return "(not *)"
        case "bool": return try self.bool(body, depth)
        case "constant_score": return try self.filter(body["filter"] ?? .null, depth: depth + 1)
        case "exists": return "\(FilterText.field(try Self.text(body["field"], "exists.field"))) = *"
        case "query_string", "simple_query_string":
            let text = try Self.text(body["query"], "\(name).query")
            let joinsByAnd = body["default_operator"]?.string?.lowercased() == "and"
            return try LuceneQuery.filter(text, field: body["default_field"]?.string, joinsByAnd: joinsByAnd)
        default: return try self.fieldQuery(name, body)
        }
    }

    private func bool(_ body: JSONValue, _ depth: Int) throws(RequestFault) -> String {
        var parts: [String] = []
        for member in body.object ?? [] {
            var filters: [String] = []
            switch member.key {
            case "must", "filter", "must_not", "should":
                for query in member.value.array ?? [member.value] {
                    filters.append(try self.filter(query, depth: depth + 1))
                }
            case "minimum_should_match", "boost", "_name": continue
            default: throw Self.fault("[bool] query does not support [\(member.key)]")
            }
            if filters.isEmpty { continue }
            switch member.key {
            case "must_not": parts += filters.map { "(not \($0))" }
            case "should":
                // Beside others that must fit, those that should only say what comes first.
                let others = ["must", "filter"].contains { !(body[$0]?.array?.isEmpty ?? (body[$0] == nil)) }
                if !others || body["minimum_should_match"] != nil { parts.append(FilterText.any(filters)) }
            default: parts += filters
            }
        }
        return FilterText.all(parts)
    }

    /// A query of the form `{name: {field: value}}` or `{name: {field: {parameters}}}`.
    private func fieldQuery(_ name: String, _ body: JSONValue) throws(RequestFault) -> String {
        let kinds = ["term", "terms", "match", "match_phrase", "prefix", "wildcard", "range"]
        guard kinds.contains(name) else { throw Self.fault("unknown query [\(name)]") }
        guard let member = body.object?.first(where: { $0.key != "boost" && $0.key != "_name" }) else {
            throw Self.fault("[\(name)] query needs a field")
        }
        let field = FilterText.field(member.key)
        let value = member.value
        switch name {
        case "range": return try self.range(member.key, value)
        case "terms":
            guard let values = value.array else { throw Self.fault("[terms] query needs an array") }
            var parts: [String] = []
            for value in values { parts.append(FilterText.equal(field, try Self.text(value, "terms"))) }
            return FilterText.any(parts)
        case "match":
            let words = try Self.text(value["query"] ?? value, "match").split(whereSeparator: \.isWhitespace)
            let parts = words.map { FilterText.word(String($0), in: field) }
            return value["operator"]?.string?.lowercased() == "and" ? FilterText.all(parts) : FilterText.any(parts)
        case "match_phrase": return FilterText.word(try Self.text(value["query"] ?? value, name), in: field)
        case "prefix": return FilterText.glob(field, try Self.text(value["value"] ?? value, name) + "*")
        case "wildcard":
            return FilterText.glob(field, try Self.text(value["value"] ?? value["wildcard"] ?? value, name))
        default: return FilterText.equal(field, try Self.text(value["value"] ?? value, name))
        }
    }

    private func range(_ name: String, _ body: JSONValue) throws(RequestFault) -> String {
        var parts: [String] = []
        for member in body.object ?? [] {
            let comparator: String
            switch member.key {
            case "gte", "from": comparator = ">="
            case "gt": comparator = ">"
            case "lte", "to": comparator = "<="
            case "lt": comparator = "<"
            case "format", "time_zone", "boost", "relation", "include_lower", "include_upper": continue
            default: throw Self.fault("[range] query does not support [\(member.key)]")
            }
            if member.value.isNull { continue }
            let text = try Self.text(member.value, "range")
            if name == "@timestamp" {
                guard let moment = ElasticDate.moment(text, now: self.now) else {
                    throw Self.fault("failed to parse date field [\(text)]")
                }
                parts.append("@timestamp \(comparator) \(moment.milliseconds)")
            } else {
                guard Double(text) != nil else { throw Self.fault("range of [\(name)] needs numbers, not [\(text)]") }
                parts.append("\(FilterText.field(name)) \(comparator) \(text)")
            }
        }
        return FilterText.all(parts)
    }

    private static func text(_ value: JSONValue?, _ name: String) throws(RequestFault) -> String {
        guard let text = value?.scalarText else { throw Self.fault("[\(name)] must be a string, number or boolean") }
        return text
    }

    static func fault(_ reason: String) -> RequestFault { .elastic(400, "parsing_exception", reason) }
}

/// A date of Elasticsearch: ISO 8601, an epoch number, or `now` and a date followed by `||` with what is added to them.
enum ElasticDate {
    /// `now-15m`, `now-1d/d`, `2026-11-20||+1d`, `1795000000000`; `nil` when the text is none of these.
    static func moment(_ text: String, now: Timestamp) -> Timestamp? {
        if text.hasPrefix("now") { return Self.added(text.dropFirst(3), to: now) }
        guard let split = text.firstRange(of: "||") else { return TimestampParser.parse(text) }
        return TimestampParser.parse(String(text[..<split.lowerBound])).flatMap {
            Self.added(text[split.upperBound...], to: $0)
        }
    }

    private static func added(_ text: Substring, to start: Timestamp) -> Timestamp? {
        var rest = text
        var nanoseconds = start.nanoseconds
        while let sign = rest.popFirst() {
            let digits = rest.prefix(while: \.isNumber)
            rest = rest.dropFirst(digits.count)
            guard let letter = rest.popFirst(), let unit = Self.units[letter] else { return nil }
            if sign == "/" {
                guard digits.isEmpty else { return nil }
                let remainder = nanoseconds % unit
                nanoseconds -= remainder < 0 ? remainder + unit : remainder
                continue
            }
            guard sign == "+" || sign == "-", let count = Int64(digits.isEmpty ? "1" : digits) else { return nil }
            let (length, isTooLong) = unit.multipliedReportingOverflow(by: sign == "-" ? -count : count)
            let (sum, isBeyond) = nanoseconds.addingReportingOverflow(length)
            if isTooLong || isBeyond { return nil }
            nanoseconds = sum
        }
        return Timestamp(nanoseconds: nanoseconds)
    }

    /// Nanoseconds of a unit; months and years have no fixed length.
    private static let units: [Character: Int64] = [
        "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000, "H": 3_600_000_000_000,
        "d": 86_400_000_000_000, "w": 604_800_000_000_000,
    ]
}

/// Pieces of a filter in the query language.
enum FilterText {
    /// A field's name, in quotes whatever it is.
    static func field(_ name: String) -> String { Self.quoted(name) }

    /// That a field has exactly this text.
    static func equal(_ field: String, _ text: String) -> String {
        text.contains("*") ? "\(field) = /^\(Self.expression(text))$/" : "\(field) = \(Self.quoted(text))"
    }

    /// That a field fits a text with `*` and `?`.
    static func glob(_ field: String, _ pattern: String) -> String {
        let parts = pattern.map { $0 == "*" ? ".*" : $0 == "?" ? "." : Self.expression(String($0)) }
        return "\(field) = /^\(parts.joined())$/s"
    }

    /// That a field, or any field, has a word or words side by side, in any case.
    static func word(_ text: String, in field: String?) -> String {
        let expression = "/(?<![\\w])\(Self.expression(text))(?![\\w])/i"
        return field.map { "\($0) = \(expression)" } ?? expression
    }

    static func all(_ parts: [String]) -> String {
        parts.isEmpty ? "*" : "(" + parts.joined(separator: " and ") + ")"
    }

    static func any(_ parts: [String]) -> String {
        parts.isEmpty ? "(not *)" : "(" + parts.joined(separator: " or ") + ")"
    }

    /// A text in quotes.
    static func quoted(_ text: String) -> String {
        "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
    }

    /// A text as a regular expression that matches just it.
    private static func expression(_ text: String) -> String {
        text.map { $0.isLetter || $0.isNumber || $0 == " " || $0 == "_" ? String($0) : "\\\($0)" }.joined()
    }
}
