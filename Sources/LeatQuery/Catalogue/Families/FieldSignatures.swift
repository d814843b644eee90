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
            summary: "The first of the expressions that has a value, by default one that is not empty."
        ),
        FunctionSignature(
            "default",
            .transformation,
            [
                .init("value", .expression, unnamed: true, required: true),
                .init("field", .fields, required: true),
                .init("replaceEmpty", .boolean, default: "false"),
            ],
            summary: """
                Sets each listed field to the value if it is missing, or empty with replaceEmpty. A bare word as the value \
                is that field's value, or else the word itself.
                """
        ),
        FunctionSignature(
            "drop",
            .transformation,
            [
                .init("fields", .fields, unnamed: true, required: true)
            ],
            summary: "Takes fields from the event."
        ),
        FunctionSignature(
            "eval",
            .transformation,
            outputs: "f, g",
            takesAnyName: true,
            summary: """
                Assigns expressions to fields, from left to right; an expression without a value leaves its field as \
                it is.
                """
        ),
        FunctionSignature(
            "getField",
            .transformation,
            [
                .init("source", .expression, required: true),
                .init("as", .field, default: "_getField"),
            ],
            outputs: "_getField",
            summary: """
                The value of the field whose name the expression gives; names with unusual characters can be read \
                so.
                """
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
            summary: """
                The value of then or else, as the condition is true or not; a condition without a value is not true.
                """
        ),
        FunctionSignature(
            "lowercase",
            .transformation,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("include", .choice(["values", "fields", "both"]), default: "values"),
                .init("locale", .locale),
            ],
            summary: "Puts values, names or both into lower case, in place."
        ),
        FunctionSignature(
            "rename",
            .transformation,
            [
                .init("field", .pairs, unnamed: true, required: true),
                .init("as", .field),
            ],
            summary: """
                Gives a field another name, or several with pairs [[old, new], …]; an existing field of the new name \
                is overwritten.
                """
        ),
        FunctionSignature(
            "select",
            .transformation,
            [
                .init("fields", .fields, unnamed: true, required: true)
            ],
            outputs: "only those fields",
            summary: "Keeps only these fields, in this order, of every event."
        ),
        FunctionSignature(
            "setField",
            .transformation,
            [
                .init("target", .expression, required: true),
                .init("value", .expression, required: true),
            ],
            outputs: "target",
            summary: "Writes a field whose name the expression gives."
        ),
    ]
}
