// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Rows functions.
    static let rowsFunctions: [FunctionSignature] = [
        FunctionSignature(
            "collect",
            .aggregate,
            [
                .init("fields", .fields, unnamed: true, required: true),
                .init("limit", .number, default: "2000"),
                .init("multival", .boolean, default: "true"),
                .init("separator", .string, default: "\"\\n\""),
            ],
            outputs: "the same field names",
            summary: """
                Distinct values per field, joined by separator (order unspecified; first-seen order recommended). \
                multival=false: one row per value. Limit counts distinct values. @timestamp only if single value.
                """
        ),
        FunctionSignature(
            "fieldset",
            .aggregate,
            outputs: "field",
            summary: "One row per field name seen."
        ),
        FunctionSignature(
            "fieldstats",
            .aggregate,
            [
                .init("limit", .number, default: "200")
            ],
            outputs: "field, _count, _distinct",
            summary: "Per field: number of events and estimated distinct values."
        ),
        FunctionSignature(
            "head",
            .aggregate,
            [
                .init("limit", .number, unnamed: true, default: "200")
            ],
            outputs: "events",
            summary: "Oldest limit events (ascending time), or first rows of an ordered row set."
        ),
        FunctionSignature(
            "selectFromMax",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("include", .fields, required: true),
            ],
            outputs: "include fields",
            summary: "Fields of the event with the largest field value."
        ),
        FunctionSignature(
            "selectFromMin",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("include", .fields, required: true),
            ],
            outputs: "include fields",
            summary: "Fields of the event with the smallest field value."
        ),
        FunctionSignature(
            "selectLast",
            .aggregate,
            [
                .init("fields", .fields, unnamed: true, required: true)
            ],
            outputs: "the fields",
            summary: "For each field the value of the newest event having it (by @timestamp)."
        ),
        FunctionSignature(
            "sort",
            .aggregate,
            [
                .init("field", .fields, unnamed: true, default: "_count"),
                .init("order", .choices(["asc", "desc"]), default: "desc"),
                .init("type", .choices(["number", "string", "hex", "any"]), default: "any"),
                .init("limit", .number, default: "200"),
                .init("reverse", .boolean, default: "false"),
            ],
            outputs: "rows",
            summary: """
                Orders rows by one or more fields, each with its own order and type; rows without the field come \
                last. The limit applies after sorting.
                """
        ),
        FunctionSignature(
            "table",
            .aggregate,
            [
                .init("fields", .fields, unnamed: true, required: true),
                .init("limit", .number, default: "200"),
                .init("sortby", .fields, default: "@timestamp"),
                .init("order", .choices(["asc", "desc"]), default: "desc"),
                .init("type", .choices(["number", "string", "hex", "any"]), default: "any"),
                .init("reverse", .string),
            ],
            outputs: "only the listed columns, in that order",
            summary: "Newest first by default; limit applied after sorting."
        ),
        FunctionSignature(
            "tail",
            .aggregate,
            [
                .init("limit", .number, unnamed: true, default: "200")
            ],
            outputs: "events",
            summary: "Newest limit events. Default end of a filter query is an implicit tail(200)."
        ),
        FunctionSignature(
            "top",
            .aggregate,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("limit", .number, default: "10"),
                .init("sum", .field),
                .init("max", .field),
                .init("as", .field),
                .init("percent", .boolean, default: "false"),
                .init("rest", .string),
                .init("error", .number, default: "5"),
            ],
            outputs: "fields, _count(, percent)",
            summary: """
                Most frequent combinations, descending. Frequent-items sketch (exact for up to 24576 distinct keys \
                in static queries, 6144 live). rest adds a final row with that label. Keys missing any field not \
                counted.
                """
        ),
        FunctionSignature(
            "transpose",
            .aggregate,
            [
                .init("pivot", .field, unnamed: true),
                .init("header", .field),
                .init("column", .string, default: "column"),
                .init("limit", .number, default: "5"),
            ],
            outputs: "rows<->columns",
            summary: "Turns rows into columns."
        ),
    ]
}
