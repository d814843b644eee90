// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// A function whose first argument names an array.
    private static func ofArray(
        _ name: String,
        _ kind: FunctionSignature.Kind,
        _ others: [FunctionParameter],
        outputs: String = "",
        summary: String
    ) -> FunctionSignature {
        let array = FunctionParameter("array", .array, unnamed: true, required: true)
        return FunctionSignature(name, kind, [array] + others, outputs: outputs, summary: summary)
    }

    /// Array functions.
    static let arrayFunctions: [FunctionSignature] = [
        Self.ofArray(
            "array:append",
            .transformation,
            [
                .init("values", .expressions, required: true)
            ],
            outputs: "extends array",
            summary: "Adds values at the end of an array; creates it when the event has none."
        ),
        Self.ofArray(
            "array:contains",
            .filter,
            [
                .init("value", .string, required: true)
            ],
            summary: "Keeps events of which an element of the array equals the value."
        ),
        Self.ofArray(
            "array:dedup",
            .transformation,
            [
                .init("asArray", .array)
            ],
            outputs: "array",
            summary: "Keeps the first of equal elements."
        ),
        Self.ofArray(
            "array:drop",
            .transformation,
            [],
            summary: "Takes all fields of the array from the event."
        ),
        Self.ofArray(
            "array:eval",
            .transformation,
            [
                .init("function", .pipeline, required: true),
                .init("asArray", .array),
                .init("var", .string),
            ],
            outputs: "array",
            summary: """
                Runs a pipeline for each element, which is the field var, and puts what the field is afterwards into \
                the new array; elements that the pipeline drops are left out.
                """
        ),
        Self.ofArray(
            "array:exists",
            .filter,
            [
                .init("condition", .condition, required: true),
                .init("var", .string),
            ],
            summary: "Keeps events of which an element of the array, as the field var, satisfies the condition."
        ),
        Self.ofArray(
            "array:filter",
            .transformation,
            [
                .init("function", .pipeline, required: true),
                .init("asArray", .array),
                .init("var", .string),
            ],
            outputs: "array",
            summary: "Keeps those elements that the pipeline lets through."
        ),
        Self.ofArray(
            "array:intersection",
            .aggregate,
            [
                .init("as", .field, default: "_intersection")
            ],
            outputs: "_intersection[n]",
            summary: "The values that the arrays of all events have in common."
        ),
        Self.ofArray(
            "array:length",
            .transformation,
            [
                .init("as", .field, default: "_length")
            ],
            outputs: "_length",
            summary: "The number of elements from 0 up to the first hole."
        ),
        Self.ofArray(
            "array:reduceAll",
            .aggregate,
            [
                .init("function", .aggregate, required: true),
                .init("var", .string, required: true),
            ],
            outputs: "aggregate fields",
            summary: "Aggregates the elements of the arrays of all events."
        ),
        Self.ofArray(
            "array:reduceColumn",
            .aggregate,
            [
                .init("function", .aggregate, required: true),
                .init("var", .string, required: true),
                .init("as", .field, default: "_reduceColumn"),
            ],
            outputs: "_reduceColumn[i]",
            summary: "Aggregates the elements of the same index over all events."
        ),
        Self.ofArray(
            "array:reduceRow",
            .transformation,
            [
                .init("function", .aggregate, required: true),
                .init("var", .string, required: true),
                .init("as", .field, default: "_reduceRow"),
            ],
            outputs: "_reduceRow",
            summary: "Aggregates the elements of the array within each event."
        ),
        Self.ofArray(
            "array:regex",
            .filter,
            [
                .init("regex", .regex, required: true),
                .init("flags", .string),
            ],
            summary: "Keeps events of which an element of the array matches the regular expression."
        ),
        Self.ofArray(
            "array:rename",
            .transformation,
            [
                .init("asArray", .array, required: true)
            ],
            outputs: "renamed array",
            summary: "Gives an array, with all that is below it, another name."
        ),
        Self.ofArray(
            "array:sort",
            .transformation,
            [
                .init("asArray", .array),
                .init("order", .choice(["asc", "desc"]), default: "asc"),
                .init("type", .choice(["string", "number"]), default: "string"),
            ],
            outputs: "array",
            summary: "Orders the elements of an array."
        ),
        Self.ofArray(
            "array:union",
            .aggregate,
            [
                .init("as", .field, default: "_union")
            ],
            outputs: "_union[n]",
            summary: "The distinct values of the arrays of all events."
        ),
        Self.ofArray(
            "objectArray:eval",
            .transformation,
            [
                .init("asArray", .array, required: true),
                .init("function", .pipeline, required: true),
                .init("var", .string),
            ],
            outputs: "asArray[n]",
            summary: """
                As array:eval() for arrays of objects or arrays: within the pipeline var.key is the member of the \
                element.
                """
        ),
        Self.ofArray(
            "objectArray:exists",
            .filter,
            [
                .init("condition", .condition, required: true),
                .init("var", .string),
            ],
            summary: "Keeps events of which an object of the array satisfies the condition."
        ),
    ]
}
