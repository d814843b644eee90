@testable import LeatQuery

/// A call of each function, with arguments that are made from its signature.
enum FunctionCalls {
    /// Arguments where those made from the signature would not do.
    private static let arguments: [String: String] = [
        "parseTimestamp": "format=millis, field=a", "parseFixedWidth": "a, columns=[x], widths=[3]",
        "cidr": "a, subnet=\"10.0.0.0/8\"", "match": "\"t.csv\", field=a",
        "matchAsArray": "\"t.csv\", field=a, nrows=2",
        "callFunction": "count, field=a", "eval": "x = a + 1", "duration": "\"1h\"", "setTimeInterval": "start=7d",
        "hashMatch": "\"x\", salt=\"s\", field=a", "format": "\"%s\", field=a", "formatTime": "\"%F\", as=t",
        "bitfield:extractFlags": "field=a, output=[[0, x]]", "unit:convert": "a, from=s, to=ms",
        "bitfield:extractFlagsAsArray": "field=a, flagNames=[[0, x]]", "readFile": "\"t.csv\"",
        "bitfield:extractFlagsAsString": "field=a, flagNames=[[0, x]]", "subnet": "a, bits=8",
        "correlate": "x: { a=1 }, y: { a=2 | a <=> x.a }, within=1h", "rename": "a, as=b",
        "worldMap": "ip=a", "beta:repeating": "5m", "series": "collect=[a]", "round": "a",
        "text:editDistance": "target=a, reference=\"x\", maxDistance=3",
        "text:editDistanceAsArray": "target=a, references=[\"x\"], maxDistance=3",
        "sample": "50, field=a", "beta:param": "p, as=x",
    ]

    /// A query that calls the function, mostly on the field `a`.
    static func query(_ signature: FunctionSignature) -> String {
        (signature.kind == .sequence ? "sort(a) | " : "") + Self.call(signature)
    }

    private static func call(_ signature: FunctionSignature) -> String {
        if let given = Self.arguments[signature.name] { return "\(signature.name)(\(given))" }
        let arguments = signature.parameters.filter(\.isRequired).map { parameter in
            let value =
                switch parameter.kind {
                case .field, .expression, .string, .time, .array: parameter.kind == .array ? "\"a[]\"" : "a"
                case .fields, .expressions, .strings, .pairs: "[a]"
                case .regex: "\"x\""
                case .number: "1"
                case .boolean: "true"
                case .duration: "5m"
                case .locale: "en_US"
                case .choice(let words), .choices(let words): words[0]
                case .pipeline: "{ a=1 }"
                case .pipelines: "[{ a=1 }, { a=2 }]"
                case .query: "{ a=1 }"
                case .aggregate: "count()"
                case .condition: "{ a=1 }"
                }
            return "\(parameter.name)=\(value)"
        }
        return "\(signature.name)(\(arguments.joined(separator: ", ")))"
    }
}
