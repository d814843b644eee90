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
            summary: "Adds values (expressions/strings) at the end of flat array; creates the array when absent."
        ),
        FunctionSignature(
            "array:contains",
            .filter,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("value", .string, required: true),
            ],
            summary: "Keeps event if some element equals value exactly (case-sensitive). Negatable."
        ),
        FunctionSignature(
            "array:dedup",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("asArray", .array),
            ],
            outputs: "array",
            summary: "Removes duplicate elements keeping the first occurrence order."
        ),
        FunctionSignature(
            "array:drop",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true)
            ],
            summary: "Deletes every field of the array."
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
                Runs a non-aggregate pipeline per element (element bound to var); the value of var/asArray name \
                after the pipeline is written to the output array; elements whose pipeline filters out are dropped.
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
            summary: "True if condition (a filter/expression over var) holds for at least one element of a flat array."
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
            summary: "Keeps only elements for which the sub-pipeline lets the element pass."
        ),
        FunctionSignature(
            "array:intersection",
            .aggregate,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("as", .field, default: "_intersection"),
            ],
            outputs: "_intersection[n]",
            summary: "Values present in the array of every event."
        ),
        FunctionSignature(
            "array:length",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("as", .field, default: "_length"),
            ],
            outputs: "_length",
            summary: "Number of elements (contiguous indexes from 0)."
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
            summary: "Aggregates all elements of the array over all events with one aggregate."
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
            summary: "Aggregates position-wise: element i over all events."
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
            summary: "Aggregates the elements within each single event."
        ),
        FunctionSignature(
            "array:regex",
            .filter,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("regex", .regex, required: true),
                .init("flags", .string),
            ],
            summary: "Keeps event if some element matches the regex (unanchored)."
        ),
        FunctionSignature(
            "array:rename",
            .transformation,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("asArray", .array, required: true),
            ],
            outputs: "renamed array",
            summary: "Renames all fields of an array."
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
            summary: "Sorts elements within the event."
        ),
        FunctionSignature(
            "array:union",
            .aggregate,
            [
                .init("array", .array, unnamed: true, required: true),
                .init("as", .field, default: "_union"),
            ],
            outputs: "_union[n]",
            summary: "Set union of the array values over all events."
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
                As array:eval for arrays of objects/arrays: within function in.key means in[i].key, in[2] means \
                in[i][2]. Input read-only. Stops at first index hole.
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
            summary: "Any element of an object array satisfies condition."
        ),
    ]
}
