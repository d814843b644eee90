// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Rows functions.
    static let rowsFunctions: [FunctionSignature] = [
        FunctionSignature(
            "collect",
            .aggregate,
            [
                .init("fields", .fields, unnamed: true, required: true),
                .init("limit", .number, default: "2000", in: .groups),
                .init("multival", .boolean, default: "true"),
                .init("separator", .string, default: "\"\\n\""),
            ],
            outputs: "the same field names",
            summary: """
                The distinct values of each field, in the order in which they were seen, joined by the separator; \
                multival=false gives a row per value.
                """
        ),
        FunctionSignature(
            "fieldset",
            .aggregate,
            outputs: "field",
            summary: "The names of all fields, one a row."
        ),
        FunctionSignature(
            "fieldstats",
            .aggregate,
            [
                .init("limit", .number, default: "200", in: .groups)
            ],
            outputs: "field, _count, _distinct",
            summary: "For each field the number of events that have it, and of its distinct values."
        ),
        FunctionSignature(
            "head",
            .aggregate,
            [
                .init("limit", .number, unnamed: true, default: "200", in: .rows)
            ],
            outputs: "events",
            summary: "The oldest events, or the first of ordered rows."
        ),
        FunctionSignature(
            "selectFromMax",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("include", .fields, required: true),
            ],
            outputs: "include fields",
            summary: "Fields of the event with the largest value of a field."
        ),
        FunctionSignature(
            "selectFromMin",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("include", .fields, required: true),
            ],
            outputs: "include fields",
            summary: "Fields of the event with the smallest value of a field."
        ),
        FunctionSignature(
            "selectLast",
            .aggregate,
            [
                .init("fields", .fields, unnamed: true, required: true)
            ],
            outputs: "the fields",
            summary: "For each field its value in the newest event that has it."
        ),
        FunctionSignature(
            "sort",
            .aggregate,
            [
                .init("field", .fields, unnamed: true, default: "_count"),
                .init("order", .choices(["asc", "desc"]), default: "desc"),
                .init("type", .choices(["number", "string", "hex", "any"]), default: "any"),
                .init("limit", .number, default: "200", in: .rows),
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
                .init("limit", .number, default: "200", in: .rows),
                .init("sortby", .fields, default: "@timestamp"),
                .init("order", .choices(["asc", "desc"]), default: "desc"),
                .init("type", .choices(["number", "string", "hex", "any"]), default: "any"),
                .init("reverse", .string),
            ],
            outputs: "only the listed columns, in that order",
            summary: "Rows of these columns, newest first unless sorted otherwise; the limit applies after sorting."
        ),
        FunctionSignature(
            "tail",
            .aggregate,
            [
                .init("limit", .number, unnamed: true, default: "200", in: .rows)
            ],
            outputs: "events",
            summary: "The newest events, or the last of ordered rows."
        ),
        FunctionSignature(
            "top",
            .aggregate,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("limit", .number, default: "10", in: .groups),
                .init("sum", .field),
                .init("max", .field),
                .init("as", .field),
                .init("percent", .boolean, default: "false"),
                .init("rest", .string),
                .init("error", .number, default: "5", in: .any(0...100), ignored: "values are counted exactly"),
            ],
            outputs: "fields, _count(, percent)",
            summary: """
                The most frequent values, or combinations of values, in descending order; with sum or max the \
                largest by that. rest adds a row for all others.
                """
        ),
        FunctionSignature(
            "transpose",
            .aggregate,
            [
                .init("pivot", .field, unnamed: true),
                .init("header", .field),
                .init("column", .string, default: "column"),
                .init("limit", .number, default: "5", in: .limit(1...1000)),
            ],
            outputs: "rows<->columns",
            summary: "Turns rows into columns."
        ),
    ]
}
