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
            summary: "Reads numbered bits of an integer into named true/false fields; onlyTrue writes only set ones."
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
            summary: "Names of set bits as an array."
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
            summary: "Names of set bits joined."
        ),
        FunctionSignature(
            "duration",
            .transformation,
            [
                .init("duration", .string, unnamed: true, required: true),
                .init("as", .field, default: "_duration"),
            ],
            outputs: "_duration",
            summary: "Milliseconds of a relative-time string such as \"14d\", \"1h\"."
        ),
        FunctionSignature(
            "formatDuration",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field),
                .init("from", .choice(["ns", "us", "ms", "s", "m", "h", "d"]), default: "ms"),
                .init("precision", .number, default: "0"),
            ],
            outputs: "as",
            summary: "Human duration such as 1d2h3m4s; precision = number of units (0 = all)."
        ),
        FunctionSignature(
            "length",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_length"),
            ],
            outputs: "_length",
            summary: "Number of characters (UTF-16 units in original; use Unicode scalars, differ only outside BMP)."
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
            summary: "To integer."
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
            summary: "SI/binary/time unit conversion."
        ),
    ]
}
