// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Array functions.
    static let arrayFunctions: [FunctionSignature] = [
        FunctionSignature(
            "array:append",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("values", .expressions, required: true),
            ],
            outputs: "extends array",
            summary: "Adds values at the end of an array; creates it when the event has none."
        ),
        FunctionSignature(
            "array:contains",
            .filter,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("value", .string, required: true),
            ],
            summary: "Keeps events of which an element of the array equals the value."
        ),
        FunctionSignature(
            "array:dedup",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("asArray", .array),
            ],
            outputs: "array",
            summary: "Keeps the first of equal elements."
        ),
        FunctionSignature(
            "array:drop",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true)
            ],
            summary: "Takes all fields of the array from the event."
        ),
        FunctionSignature(
            "array:eval",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true),
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
        FunctionSignature(
            "array:exists",
            .filter,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("condition", .condition, required: true),
                .init("var", .string),
            ],
            summary: "Keeps events of which an element of the array, as the field var, satisfies the condition."
        ),
        FunctionSignature(
            "array:filter",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("function", .pipeline, required: true),
                .init("asArray", .array),
                .init("var", .string),
            ],
            outputs: "array",
            summary: "Keeps those elements that the pipeline lets through."
        ),
        FunctionSignature(
            "array:intersection",
            .aggregate,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("as", .field, default: "_intersection"),
            ],
            outputs: "_intersection[n]",
            summary: "The values that the arrays of all events have in common."
        ),
        FunctionSignature(
            "array:length",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("as", .field, default: "_length"),
            ],
            outputs: "_length",
            summary: "The number of elements from 0 up to the first hole."
        ),
        FunctionSignature(
            "array:reduceAll",
            .aggregate,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("function", .aggregate, required: true),
                .init("var", .string, required: true),
            ],
            outputs: "aggregate fields",
            summary: "Aggregates the elements of the arrays of all events."
        ),
        FunctionSignature(
            "array:reduceColumn",
            .aggregate,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("function", .aggregate, required: true),
                .init("var", .string, required: true),
                .init("as", .field, default: "_reduceColumn"),
            ],
            outputs: "_reduceColumn[i]",
            summary: "Aggregates the elements of the same index over all events."
        ),
        FunctionSignature(
            "array:reduceRow",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("function", .aggregate, required: true),
                .init("var", .string, required: true),
                .init("as", .field, default: "_reduceRow"),
            ],
            outputs: "_reduceRow",
            summary: "Aggregates the elements of the array within each event."
        ),
        FunctionSignature(
            "array:regex",
            .filter,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("regex", .regex, required: true),
                .init("flags", .string),
            ],
            summary: "Keeps events of which an element of the array matches the regular expression."
        ),
        FunctionSignature(
            "array:rename",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("asArray", .array, required: true),
            ],
            outputs: "renamed array",
            summary: "Gives an array, with all that is below it, another name."
        ),
        FunctionSignature(
            "array:sort",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("asArray", .array),
                .init("order", .choice(["asc", "desc"]), default: "asc"),
                .init("type", .choice(["string", "number"]), default: "string"),
            ],
            outputs: "array",
            summary: "Orders the elements of an array."
        ),
        FunctionSignature(
            "array:union",
            .aggregate,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("as", .field, default: "_union"),
            ],
            outputs: "_union[n]",
            summary: "The distinct values of the arrays of all events."
        ),
        FunctionSignature(
            "objectArray:eval",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true),
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
        FunctionSignature(
            "objectArray:exists",
            .filter,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("condition", .condition, required: true),
                .init("var", .string),
            ],
            summary: "Keeps events of which an object of the array satisfies the condition."
        ),
    ]
}
