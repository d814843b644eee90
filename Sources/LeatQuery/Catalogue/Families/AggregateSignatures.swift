// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Aggregate functions.
    static let aggregateFunctions: [FunctionSignature] = [
        FunctionSignature(
            "avg",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_avg"),
            ],
            outputs: "_avg",
            summary: "The mean of the values that are numbers; no row when there are none."
        ),
        FunctionSignature(
            "count",
            .aggregate,
            [
                .init("field", .field, unnamed: true),
                .init("distinct", .boolean, default: "false"),
                .init("as", .field, default: "_count"),
            ],
            outputs: "_count",
            summary: """
                Counts events, with field those that have it, with distinct=true the distinct values of it (an \
                estimate within about 2 % when there are very many).
                """
        ),
        FunctionSignature(
            "counterAsRate",
            aliases: ["counterRate"],
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_rate"),
            ],
            outputs: "_rate",
            summary: "The rate per second of a counter that only grows, within bucket() or timeChart()."
        ),
        FunctionSignature(
            "linReg",
            .aggregate,
            [
                .init("x", .field, required: true),
                .init("y", .field, required: true),
                .init("prefix", .string, default: "_"),
            ],
            outputs: "_slope, _intercept, _r2, _n",
            summary: "Fits a line through the points (x, y) by least squares."
        ),
        FunctionSignature(
            "max",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_max"),
            ],
            outputs: "_max",
            summary: "The largest of the values that are numbers."
        ),
        FunctionSignature(
            "min",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_min"),
            ],
            outputs: "_min",
            summary: "The smallest of the values that are numbers."
        ),
        FunctionSignature(
            "percentage",
            .aggregate,
            [
                .init("condition", .condition, unnamed: true, required: true),
                .init("as", .field, default: "_percentage"),
            ],
            outputs: "_percentage",
            summary: "The share of events, 0 to 100, for which the condition is true."
        ),
        FunctionSignature(
            "percentile",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("percentiles", .strings, default: "\"[50,75,99]\""),
                .init("as", .string),
                .init("accuracy", .number, default: "0.01", in: .any(0.001...0.5)),
            ],
            outputs: "_50,_75,_99 or <as>_50...",
            summary: "Percentiles of numbers, within a relative error of accuracy; in one row."
        ),
        FunctionSignature(
            "range",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_range"),
            ],
            outputs: "_range",
            summary: "The difference between the largest and the smallest value."
        ),
        FunctionSignature(
            "stdDev",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_stddev"),
            ],
            outputs: "_stddev",
            summary: "Standard deviation of a sample."
        ),
        FunctionSignature(
            "sum",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_sum"),
            ],
            outputs: "_sum",
            summary: "The sum of the values that are numbers."
        ),
    ]
}
