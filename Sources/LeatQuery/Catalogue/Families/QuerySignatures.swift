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
            summary: "Copies the value of a parameter of the query into a field."
        ),
        FunctionSignature(
            "beta:repeating",
            .preamble,
            [
                .init("interval", .duration, unnamed: true, ignored: "the server chooses how often it asks anew"),
                .init("as", .field, ignored: "no field is written"),
            ],
            summary: "Repeats a live query as a whole; changes nothing otherwise."
        ),
        FunctionSignature(
            "copyEvent",
            .transformation,
            [
                .init("type", .string, unnamed: true, required: true)
            ],
            outputs: "duplicated event",
            summary: "Gives the event twice, the copy with another #type; for parsers."
        ),
        FunctionSignature(
            "createEvents",
            .source,
            [
                .init("rawstring", .strings, unnamed: true, required: true)
            ],
            outputs: "@rawstring, @timestamp=now",
            summary: "Takes the given texts for the events, for trying things out."
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
            summary: "The end of the interval of the query, in epoch milliseconds."
        ),
        FunctionSignature(
            "eventFieldCount",
            .transformation,
            [
                .init("as", .field, default: "_eventFieldCount")
            ],
            outputs: "_eventFieldCount",
            summary: "The number of fields of the event."
        ),
        FunctionSignature(
            "eventInternals",
            .transformation,
            [
                .init("prefix", .string, default: "@")
            ],
            outputs: "@fieldCount, @byteCount, @textByteCount",
            summary: "Shows how many fields and bytes an event has, and how many bytes its text."
        ),
        FunctionSignature(
            "eventSize",
            .transformation,
            [
                .init("as", .field, default: "_eventSize")
            ],
            outputs: "_eventSize",
            summary: "The bytes of names and values of the event."
        ),
        FunctionSignature(
            "explain:asTable",
            .preamble,
            [
                .init("showPrefilters", .boolean, default: "true")
            ],
            outputs: "step, phase, query",
            summary: """
                Shows how the query is executed, a row for each step, instead of its answer: what storage tests before \
                it reads, what runs on events block by block, and what runs once on rows.
                """
        ),
        FunctionSignature(
            "now",
            .transformation,
            [
                .init("as", .field, unnamed: true, default: "_now")
            ],
            outputs: "_now",
            summary: "The moment at which the query started, in epoch milliseconds."
        ),
        FunctionSignature(
            "readFile",
            .source,
            [
                .init("file", .strings, unnamed: true, required: true),
                .init("include", .fields),
                .init("limit", .number, in: .groups),
            ],
            outputs: "columns",
            summary: "Takes the rows of a lookup file or table for the events."
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
            summary: """
                As defineTable(), over a connection: the name of a repository of this server. Other clusters are not \
                asked.
                """
        ),
        FunctionSignature(
            "setTimeInterval",
            .preamble,
            [
                .init("start", .time, unnamed: true, required: true),
                .init("end", .time, default: "now"),
                .init("timezone", .string),
            ],
            summary: "Sets the interval of the query; stands first."
        ),
        FunctionSignature(
            "start",
            .transformation,
            [
                .init("as", .field, unnamed: true, default: "_start")
            ],
            outputs: "_start",
            summary: "The start of the interval of the query, in epoch milliseconds."
        ),
    ]
}
