// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Text functions.
    static let textFunctions: [FunctionSignature] = [
        FunctionSignature(
            "text:contains",
            .filter,
            [
                .init("string", .expression, unnamed: true, required: true),
                .init("substring", .expression, required: true),
            ],
            summary: "Whether string contains substring, case-sensitive."
        ),
        FunctionSignature(
            "text:editDistance",
            .transformation,
            [
                .init("target", .expression, required: true),
                .init("reference", .expression, required: true),
                .init("maxDistance", .number, required: true, in: .whole(0...1000)),
                .init("ignoreCase", .boolean, default: "false"),
                .init("allowTranspositions", .boolean, default: "true"),
                .init("as", .field, default: "_distance"),
            ],
            outputs: "_distance",
            summary: "The number of edits between two texts, at most maxDistance."
        ),
        FunctionSignature(
            "text:editDistanceAsArray",
            .transformation,
            [
                .init("target", .expression, required: true),
                .init("references", .expressions, required: true),
                .init("maxDistance", .number, required: true, in: .whole(0...1000)),
                .init("ignoreCase", .boolean, default: "false"),
                .init("allowTranspositions", .boolean, default: "true"),
                .init("asArray", .array, default: "_distance"),
            ],
            outputs: "_distance[n].*",
            summary: "The edits between a text and several others, as an array of objects."
        ),
        FunctionSignature(
            "text:endsWith",
            .filter,
            [
                .init("string", .expression, unnamed: true, required: true),
                .init("substring", .expression, required: true),
            ],
            summary: "Whether string ends with substring, case-sensitive."
        ),
        FunctionSignature(
            "text:length",
            .transformation,
            [
                .init("string", .expression, unnamed: true, required: true),
                .init("as", .field, default: "_length"),
            ],
            outputs: "_length",
            summary: "Number of characters."
        ),
        FunctionSignature(
            "text:positionOf",
            .transformation,
            [
                .init("string", .expression, unnamed: true, required: true),
                .init("character", .expression, required: true),
                .init("begin", .expression, default: "0"),
                .init("occurrence", .expression, default: "1"),
                .init("as", .field, default: "_position"),
            ],
            outputs: "_position",
            summary: """
                The index of a text within another, from 0; -1 when there is none. A negative occurrence counts from \
                the end.
                """
        ),
        FunctionSignature(
            "text:startsWith",
            .filter,
            [
                .init("string", .expression, unnamed: true, required: true),
                .init("substring", .expression, required: true),
            ],
            summary: "Whether string starts with substring, case-sensitive."
        ),
        FunctionSignature(
            "text:substring",
            .transformation,
            [
                .init("string", .expression, unnamed: true, required: true),
                .init("begin", .expression, default: "0"),
                .init("end", .expression),
                .init("as", .field, default: "_string"),
            ],
            outputs: "_string",
            summary: "The characters from begin up to, not including, end."
        ),
        FunctionSignature(
            "text:trim",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("mode", .choice(["both", "start", "end"]), default: "both"),
                .init("as", .field, default: "_trim"),
            ],
            outputs: "_trim",
            summary: "The text without white space at its ends."
        ),
    ]
}
