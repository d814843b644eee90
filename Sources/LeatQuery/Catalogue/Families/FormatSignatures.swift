// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Format functions.
    static let formatFunctions: [FunctionSignature] = [
        FunctionSignature(
            "concat",
            .transformation,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("as", .field, default: "_concat"),
            ],
            outputs: "_concat",
            summary: "The values of the fields end to end; missing ones count as empty."
        ),
        FunctionSignature(
            "concatArray",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_concatArray"),
                .init("from", .number, default: "0", in: .whole(from: 0)),
                .init("to", .number, in: .whole(from: 0)),
                .init("prefix", .string),
                .init("separator", .string),
                .init("suffix", .string),
            ],
            outputs: "_concatArray",
            summary: """
                The elements of an array from index from to index to, with separator between them, and prefix and \
                suffix around each.
                """
        ),
        FunctionSignature(
            "format",
            .transformation,
            [
                .init("format", .string, unnamed: true, required: true),
                .init("field", .expressions, required: true),
                .init("as", .field, default: "_format"),
                .init("timezone", .string),
            ],
            outputs: "_format",
            summary: """
                Formats values as printf does: %s, %d, %.2f, %05d, %x, %e, %,d, %1$s; dates as %tF and so on, of \
                epoch milliseconds.
                """
        ),
        FunctionSignature(
            "formatTime",
            .transformation,
            [
                .init("format", .string, unnamed: true, required: true),
                .init("as", .field, required: true),
                .init("field", .field, default: "@timestamp"),
                .init("timezone", .string, default: "UTC"),
                .init("locale", .locale),
                .init("unit", .choice(["auto", "seconds", "milliseconds"]), default: "auto"),
            ],
            outputs: "as",
            summary: """
                Formats a time as strftime does: %Y-%m-%d %H:%M:%S.%L %z. With unit=auto values up to 100000000000 \
                are seconds.
                """
        ),
        FunctionSignature(
            "json:prettyPrint",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@rawstring"),
                .init("as", .field),
                .init("step", .number, default: "2", in: .whole(0...16)),
                .init("strict", .boolean, default: "false"),
            ],
            outputs: "field",
            summary: "Indents JSON text."
        ),
        FunctionSignature(
            "lower",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_lower"),
                .init("locale", aliases: ["type"], .locale),
            ],
            outputs: "_lower",
            summary: "The text in lower case."
        ),
        FunctionSignature(
            "replace",
            .transformation,
            [
                .init("regex", .regex, unnamed: true, required: true),
                .init("field", .field, default: "@rawstring"),
                .init("with", aliases: ["replacement"], .string, default: "\"\""),
                .init("flags", .string),
                .init("as", .field),
            ],
            outputs: "as",
            summary: """
                Replaces every match of the regular expression; $1 or ${name} in with are groups. Without a match \
                the value stays.
                """
        ),
        FunctionSignature(
            "stripAnsiCodes",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@rawstring"),
                .init("as", .field),
            ],
            outputs: "as",
            summary: "Takes the colour codes of terminals out of a text."
        ),
        FunctionSignature(
            "upper",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_upper"),
                .init("locale", .locale),
            ],
            outputs: "_upper",
            summary: "The text in upper case."
        ),
        FunctionSignature(
            "xml:prettyPrint",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@rawstring"),
                .init("as", .field),
                .init("step", .number, default: "2", in: .whole(0...16)),
                .init("width", .number, default: "80", in: .whole(from: 1)),
                .init("strict", .boolean, default: "false"),
            ],
            outputs: "field",
            summary: "Indents XML text."
        ),
    ]
}
