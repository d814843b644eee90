// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Query functions.
    static let queryFunctions: [FunctionSignature] = [
        FunctionSignature(
            "beta:param",
            .transformation,
            [
                .init("parameter", .string, unnamed: true, required: true),
                .init("as", .field, required: true),
            ],
            outputs: "as",
            summary: "Copies the value of a query parameter into a field (legacy of ?param)."
        ),
        FunctionSignature(
            "beta:repeating",
            .preamble,
            [
                .init("interval", .duration, unnamed: true),
                .init("as", .field),
            ],
            summary: "Turns a live query into a statically repeated one; no effect otherwise."
        ),
        FunctionSignature(
            "copyEvent",
            .transformation,
            [
                .init("type", .string, unnamed: true, required: true)
            ],
            outputs: "duplicated event",
            summary: "Emits the event twice, the copy with #type set to the given type (parser use)."
        ),
        FunctionSignature(
            "createEvents",
            .source,
            [
                .init("rawstring", .strings, unnamed: true, required: true)
            ],
            outputs: "@rawstring, @timestamp=now",
            summary: "Replaces the input by synthetic events with the given raw strings; for tests."
        ),
        FunctionSignature(
            "defineTable",
            .preamble,
            [
                .init("query", .query, unnamed: true, required: true),
                .init("name", .string, required: true),
                .init("include", .fields, required: true),
                .init("start", .time),
                .init("end", .time),
                .init("view", .string),
            ],
            outputs: "ad-hoc table",
            summary: """
                Runs a subquery first and keeps the included columns as a table for match, cidr and readFile. Stands \
                before the steps of the query; later ones may use earlier ones.
                """
        ),
        FunctionSignature(
            "end",
            .transformation,
            [
                .init("as", .field, unnamed: true, default: "_end")
            ],
            outputs: "_end",
            summary: "End of the query interval, epoch ms."
        ),
        FunctionSignature(
            "eventFieldCount",
            .transformation,
            [
                .init("as", .field, default: "_eventFieldCount")
            ],
            outputs: "_eventFieldCount",
            summary: "Number of fields of the stored event."
        ),
        FunctionSignature(
            "eventInternals",
            .transformation,
            [
                .init("prefix", .string, default: "@")
            ],
            outputs: "@...",
            summary: "Shows what is known of how the event is stored."
        ),
        FunctionSignature(
            "eventSize",
            .transformation,
            [
                .init("as", .field, default: "_eventSize")
            ],
            outputs: "_eventSize",
            summary: "Bytes used by the stored event (estimate)."
        ),
        FunctionSignature(
            "explain:asTable",
            .preamble,
            [
                .init("showPrefilters", .boolean, default: "true")
            ],
            outputs: "table",
            summary: "Explains the query plan as rows."
        ),
        FunctionSignature(
            "now",
            .transformation,
            [
                .init("as", .field, unnamed: true, default: "_now")
            ],
            outputs: "_now",
            summary: "Query start wall-clock epoch ms (static query: fixed; live: evaluated at update)."
        ),
        FunctionSignature(
            "readFile",
            .source,
            [
                .init("file", .strings, unnamed: true, required: true),
                .init("include", .fields),
                .init("limit", .number),
            ],
            outputs: "columns",
            summary: "Rows of a lookup file/table become the event stream."
        ),
        FunctionSignature(
            "remoteTable",
            .preamble,
            [
                .init("name", .string, required: true),
                .init("query", .query, required: true),
                .init("include", .fields, required: true),
                .init("connection", .string, required: true),
                .init("start", .time),
                .init("end", .time),
            ],
            outputs: "table",
            summary: "defineTable on another cluster."
        ),
        FunctionSignature(
            "setTimeInterval",
            .preamble,
            [
                .init("start", .time, unnamed: true, required: true),
                .init("end", .time, default: "now"),
                .init("timezone", .string),
            ],
            summary: "Overrides the query interval; must be first."
        ),
        FunctionSignature(
            "start",
            .transformation,
            [
                .init("as", .field, unnamed: true, default: "_start")
            ],
            outputs: "_start",
            summary: "Query interval start, epoch ms."
        ),
    ]
}
