// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Field functions.
    static let fieldFunctions: [FunctionSignature] = [
        FunctionSignature(
            "coalesce",
            .transformation,
            [
                .init("expressions", .expressions, unnamed: true, required: true),
                .init("as", .field, default: "_coalesce"),
                .init("ignoreEmpty", .boolean, default: "true"),
            ],
            outputs: "_coalesce",
            summary: "First expression giving a non-null (and, by default, non-empty) value; nothing written if none."
        ),
        FunctionSignature(
            "default",
            .transformation,
            [
                .init("value", .expression, unnamed: true, required: true),
                .init("field", .fields, required: true),
                .init("replaceEmpty", .boolean, default: "false"),
            ],
            summary: "Sets each listed field to the value if it is missing, or empty with replaceEmpty."
        ),
        FunctionSignature(
            "drop",
            .transformation,
            [
                .init("fields", .fields, unnamed: true, required: true)
            ],
            summary: "Removes fields."
        ),
        FunctionSignature(
            "eval",
            .transformation,
            outputs: "f, g",
            takesAnyName: true,
            summary: "Evaluates left to right; assigns only if the expression is non-null."
        ),
        FunctionSignature(
            "getField",
            .transformation,
            [
                .init("source", .expression, required: true),
                .init("as", .field, default: "_getField"),
            ],
            outputs: "_getField",
            summary: "Value of the field whose name is computed."
        ),
        FunctionSignature(
            "if",
            .transformation,
            [
                .init("condition", .expression, unnamed: true, required: true),
                .init("then", .expression, required: true),
                .init("else", .expression, required: true),
                .init("as", .field, default: "_if"),
            ],
            outputs: "_if",
            summary: "Conditional; null condition behaves as false; null branch writes nothing."
        ),
        FunctionSignature(
            "lowercase",
            .transformation,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("include", .choice(["values", "fields", "both"]), default: "values"),
                .init("locale", .string),
            ],
            summary: "Lower-cases values and/or names in place (deprecated in queries; parsers only)."
        ),
        FunctionSignature(
            "rename",
            .transformation,
            [
                .init("field", .pairs, unnamed: true, required: true),
                .init("as", .field),
            ],
            summary: "Renames; with pairs renames many. No-op if the source is missing. Existing target overwritten."
        ),
        FunctionSignature(
            "select",
            .transformation,
            [
                .init("fields", .fields, unnamed: true, required: true)
            ],
            outputs: "only those fields",
            summary: """
                Projection that keeps events (not an aggregate, no limit). Also keeps nothing else, not even @id \
                unless named.
                """
        ),
        FunctionSignature(
            "setField",
            .transformation,
            [
                .init("target", .expression, required: true),
                .init("value", .expression, required: true),
            ],
            outputs: "target",
            summary: "Writes to a computed field name."
        ),
    ]
}
