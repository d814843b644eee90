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
            summary: """
                Arithmetic mean of numeric values; events with missing/non-numeric field ignored; zero rows out when \
                nothing numeric.
                """
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
                Counts events; with field counts events having the field; distinct=true counts distinct values \
                (estimate beyond a threshold; HyperLogLog-like, ~2 % error documented for large sets).
                """
        ),
        FunctionSignature(
            "counterAsRate",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_rate"),
            ],
            outputs: "_rate",
            summary: "Rate per second of a monotonically increasing counter inside a bucket/timeChart."
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
            summary: "Least squares fit."
        ),
        FunctionSignature(
            "max",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_max"),
            ],
            outputs: "_max",
            summary: "Largest numeric value (non-numeric ignored). A type argument exists in newer versions."
        ),
        FunctionSignature(
            "min",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_min"),
            ],
            outputs: "_min",
            summary: "Smallest numeric value."
        ),
        FunctionSignature(
            "percentage",
            .aggregate,
            [
                .init("condition", .condition, unnamed: true, required: true),
                .init("as", .field, default: "_percentage"),
            ],
            outputs: "_percentage",
            summary: "Share (0-100) of events for which condition is true."
        ),
        FunctionSignature(
            "percentile",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("percentiles", .strings, default: "\"[50,75,99]\""),
                .init("as", .string),
                .init("accuracy", .number, default: "0.01"),
            ],
            outputs: "_50,_75,_99 or <as>_50...",
            summary: """
                Approximate percentiles with relative error (log-bucket sketch), non-negative numbers only. One row.
                """
        ),
        FunctionSignature(
            "range",
            .aggregate,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_range"),
            ],
            outputs: "_range",
            summary: "max-min."
        ),
        FunctionSignature(
            "stdDev",
            aliases: ["stddev"],
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
            summary: "Numeric sum."
        ),
    ]
}
