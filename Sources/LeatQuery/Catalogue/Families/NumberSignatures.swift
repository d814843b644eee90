// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Number functions.
    static let numberFunctions: [FunctionSignature] = [
        FunctionSignature(
            "bitfield:extractFlags",
            .transformation,
            [
                .init("field", .field, required: true),
                .init("output", .pairs, required: true),
                .init("onlyTrue", .boolean, default: "false"),
            ],
            outputs: "one boolean field per pair",
            summary: """
                Writes numbered bits of an integer as fields that are true or false; with onlyTrue only those that \
                are set.
                """
        ),
        FunctionSignature(
            "bitfield:extractFlagsAsArray",
            .transformation,
            [
                .init("field", .field, required: true),
                .init("flagNames", .pairs, required: true),
                .init("asArray", .array, default: "_flags[]"),
            ],
            outputs: "_flags[n]",
            summary: "The names of the bits that are set, as an array."
        ),
        FunctionSignature(
            "bitfield:extractFlagsAsString",
            .transformation,
            [
                .init("field", .field, required: true),
                .init("flagNames", .pairs, required: true),
                .init("as", .field, default: "_flags"),
                .init("separator", .string, default: "\" \""),
            ],
            outputs: "_flags",
            summary: "The names of the bits that are set, in one text."
        ),
        FunctionSignature(
            "duration",
            .transformation,
            [
                .init("duration", .string, unnamed: true, required: true),
                .init("as", .field, default: "_duration"),
            ],
            outputs: "_duration",
            summary: "The milliseconds of a length of time such as \"14d\" or \"1h\"."
        ),
        FunctionSignature(
            "formatDuration",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field),
                .init("from", .choice(["ns", "us", "ms", "s", "m", "h", "d"]), default: "ms"),
                .init("precision", .number, default: "0", in: .whole(from: 0)),
            ],
            outputs: "as",
            summary: "A length of time for people, such as 1d2h3m4s; precision is the number of units, 0 for all."
        ),
        FunctionSignature(
            "length",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_length"),
            ],
            outputs: "_length",
            summary: "The number of characters."
        ),
        FunctionSignature(
            "round",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("how", .choice(["round", "ceil", "floor"]), default: "round"),
                .init("as", .field),
            ],
            outputs: "field",
            summary: "Rounds to an integer, half up, or up or down."
        ),
        FunctionSignature(
            "unit:convert",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("unit", .string),
                .init("from", .string),
                .init("to", .string),
                .init("as", .field),
                .init("binary", .boolean, default: "false"),
                .init("keepUnit", .boolean, default: "false"),
            ],
            outputs: "as",
            summary: "Converts between units of bytes, SI prefixes and time; without a target it chooses the prefix."
        ),
    ]
}
