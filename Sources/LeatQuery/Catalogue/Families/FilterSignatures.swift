// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Filter functions.
    static let filterFunctions: [FunctionSignature] = [
        FunctionSignature(
            "cidr",
            .filter,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("subnet", .strings),
                .init("file", .string),
                .init("column", .string),
                .init("negate", .boolean, default: "false"),
            ],
            summary: """
                Keeps events whose address (IPv4 or IPv6) lies in one of the subnets, or in one of a column of a \
                lookup file.
                """
        ),
        FunctionSignature(
            "dropEvent",
            .filter,
            summary: "Drops the event; in a parser it is not stored."
        ),
        FunctionSignature(
            "hashMatch",
            .filter,
            [
                .init("input", .string, unnamed: true, required: true),
                .init("salt", .string, required: true),
                .init("field", .field),
                .init("hash", .string, default: "sha256"),
                .init("bits", .number, default: "256"),
            ],
            summary: """
                Keeps events whose field holds the hash of the input that hashRewrite() made with the same salt.
                """
        ),
        FunctionSignature(
            "in",
            .filter,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("values", .strings, required: true),
                .init("ignoreCase", .boolean, default: "false"),
            ],
            summary: "Keeps events whose field equals one of the values; * is a glob star, numbers compare as numbers."
        ),
        FunctionSignature(
            "join",
            .filter,
            [
                .init("query", .query, unnamed: true, required: true),
                .init("field", .fields, required: true),
                .init("key", .fields),
                .init("include", .fields),
                .init("mode", .choice(["inner", "left"]), default: "inner"),
                .init("max", .number, default: "1", in: .groups),
                .init("limit", .number, default: "100000", in: .joined),
                .init("repo", .string),
                .init("view", .string),
                .init("start", .time),
                .init("end", .time),
                .init("live", .boolean, ignored: "a live query asks its subqueries anew at each repetition"),
            ],
            outputs: "included fields",
            isFilterToo: true,
            summary: """
                Runs the subquery first and keeps the events whose field equals a key of its rows, adding the \
                included columns. mode=left keeps all events.
                """
        ),
        FunctionSignature(
            "match",
            .transformation,
            [
                .init("file", aliases: ["table"], .string, unnamed: true, required: true),
                .init("field", .fields, required: true),
                .init("column", .fields),
                .init("include", .fields),
                .init("mode", .choice(["string", "cidr", "glob"]), default: "string"),
                .init("ignoreCase", .boolean, default: "false"),
                .init("strict", .boolean, default: "true"),
                .init("nrows", .number, default: "1", in: .limit(1...500)),
                .init("glob", .boolean),
            ],
            outputs: "lookup columns",
            isFilterToo: true,
            summary: """
                Looks the field up in a CSV or JSON file, or in a table of defineTable, and adds its columns. \
                strict=false keeps events without a match; mode is string, cidr or glob.
                """
        ),
        FunctionSignature(
            "matchAsArray",
            .transformation,
            [
                .init("file", .string, unnamed: true, required: true),
                .init("field", .field, required: true),
                .init("nrows", .number, required: true, in: .limit(1...500)),
                .init("column", .field),
                .init("asArray", .array),
                .init("include", .fields),
                .init("ignoreCase", .boolean, default: "false"),
                .init("strict", .boolean, default: "true"),
            ],
            outputs: "asArray[n].col",
            summary: "As match(), with the rows that match as an array of objects."
        ),
        FunctionSignature(
            "regex",
            .transformation,
            [
                .init("regex", .regex, unnamed: true, required: true),
                .init("field", .field, default: "@rawstring"),
                .init("flags", .string),
                .init("repeat", .boolean, default: "false"),
                .init("strict", .boolean, default: "true"),
                .init("limit", .number, default: "100", in: .limit(1...100)),
            ],
            outputs: "named groups",
            isFilterToo: true,
            summary: """
                Keeps events whose field matches, and writes the named groups as fields. strict=false lets others \
                through; repeat=true gives one event per match, at most limit.
                """
        ),
        FunctionSignature(
            "sample",
            .filter,
            [
                .init("percentage", .number, unnamed: true, default: "1", in: .any(0...100)),
                .init("field", .field, default: "@timestamp"),
            ],
            summary: "Keeps a share of the events, chosen by a hash of the field."
        ),
        FunctionSignature(
            "selfJoinFilter",
            .filter,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("where", .pipelines, required: true),
                .init("prefilter", .boolean, default: "false", ignored: "keys are compared exactly"),
            ],
            outputs: "events",
            summary: "Keeps the events of those keys for which every where clause has an event."
        ),
        FunctionSignature(
            "test",
            .filter,
            [
                .init("expression", .expression, unnamed: true, required: true)
            ],
            summary: "Keeps events for which the expression is true: bare words are fields, quoted ones texts."
        ),
        FunctionSignature(
            "wildcard",
            .filter,
            [
                .init("pattern", .string, unnamed: true, required: true),
                .init("field", .fields),
                .init("ignoreCase", .boolean, default: "false"),
                .init("includeEverythingOnAsterisk", .boolean, default: "false"),
            ],
            summary: """
                Matches the pattern with * as a glob, in the fields or, without field, in any field; with ignoreCase \
                in any case. With includeEverythingOnAsterisk the pattern * lets every event pass, also without the \
                field.
                """
        ),
    ]
}
