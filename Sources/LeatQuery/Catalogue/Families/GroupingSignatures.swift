// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Grouping functions.
    static let groupingFunctions: [FunctionSignature] = [
        FunctionSignature(
            "accumulate",
            .sequence,
            [
                .init("function", .aggregate, unnamed: true, required: true),
                .init("current", .choice(["include", "exclude"]), default: "include"),
            ],
            outputs: "fields of the sub-aggregates on every row",
            summary: """
                Aggregates of all rows so far, on each row; needs ordered rows, as sort(), head(), bucket() or \
                timeChart() give. current=exclude leaves the row itself out.
                """
        ),
        FunctionSignature(
            "appendAggregation",
            .aggregate,
            [
                .init("function", .aggregate, unnamed: true, required: true)
            ],
            outputs: "rows of function added",
            summary: "Adds the rows of an aggregate to the rows that there are."
        ),
        FunctionSignature(
            "bucket",
            .aggregate,
            [
                .init("span", .duration, unnamed: true, default: "auto"),
                .init("buckets", .number, in: .buckets),
                .init("field", .fields),
                .init("function", .aggregate, default: "count(as=_count)"),
                .init("limit", .number, default: "10", in: .series),
                .init("minSpan", .duration),
                .init("timezone", .string),
                .init("unit", .strings),
            ],
            outputs: "_bucket + keys + aggregate fields",
            summary: """
                Aggregates per time bucket, and per values of the fields; _bucket is the start of the bucket in \
                epoch milliseconds. Buckets are aligned to multiples of the span.
                """
        ),
        FunctionSignature(
            "callFunction",
            .aggregate,
            [
                .init("function", .string, unnamed: true, required: true),
                .init("field", .field, required: true),
                .init("as", .field, default: "_function"),
            ],
            outputs: "_function",
            summary: "Calls an aggregate by its name, usually a parameter."
        ),
        FunctionSignature(
            "correlate",
            .aggregate,
            [
                .init("sequence", .boolean, default: "false"),
                .init("within", .duration),
                .init("globalConstraints", .fields),
                .init("includeConstraintValues", .boolean, default: "true"),
                .init("includeMatchesOnceOnly", .boolean, default: "false"),
                .init(
                    "iterationLimit",
                    .number,
                    default: "5",
                    in: .whole(from: 1),
                    ignored: "one pass finds every constellation"
                ),
                .init("jitterTolerance", .duration),
                .init("maxPerRoot", .number, default: "1", in: .whole(from: 1)),
                .init("root", .string),
                .init("sequenceBy", .fields),
                .init("aggregation", .aggregate),
            ],
            outputs: "<query>.<field>",
            takesAnyName: true,
            summary: """
                Finds events of several kinds that belong together: one subquery each, name: { filter | field <=> \
                other.field }, linked by <=>, on request in their order and within a time.
                """
        ),
        FunctionSignature(
            "groupBy",
            .aggregate,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("function", .aggregate, default: "count(as=_count)"),
                .init("limit", .number, default: "20000", in: .groups),
            ],
            outputs: "group fields + aggregate fields",
            summary: """
                Groups events by the values of the fields and aggregates each group; events that lack one of the \
                fields are left out. function=[] gives the unique combinations only. Beyond limit the largest groups \
                are kept, with a warning.
                """
        ),
        FunctionSignature(
            "neighbor",
            .sequence,
            [
                .init("include", .fields, unnamed: true, required: true),
                .init("direction", .choice(["preceding", "succeeding"]), default: "preceding"),
                .init("distance", .number, default: "1", in: .whole(from: 1)),
                .init("prefix", .string, default: "_neighbor"),
            ],
            outputs: "prefix.field",
            summary: "Fields of the row that lies distance rows before or after, in ordered rows."
        ),
        FunctionSignature(
            "partition",
            .sequence,
            [
                .init("function", .aggregate, unnamed: true, required: true),
                .init("condition", .condition, required: true),
                .init("split", .choice(["before", "after"]), default: "before"),
            ],
            outputs: "rows per partition",
            summary: "Cuts ordered rows where the condition holds, and aggregates each part."
        ),
        FunctionSignature(
            "sankey",
            .aggregate,
            [
                .init("source", .field, required: true),
                .init("target", .field, required: true),
                .init("weight", .aggregate, default: "count(as=_count)"),
            ],
            outputs: "source,target,weight -> see note",
            summary: "Groups by source and target for a Sankey diagram; the row has both fields and the weight."
        ),
        FunctionSignature(
            "selfJoin",
            .aggregate,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("where", .pipelines, required: true),
                .init("collect", .fields),
                .init("select", .fields),
                .init("limit", .number, default: "20000", in: .groups),
                .init("prefilter", .boolean, default: "false", ignored: "keys are compared exactly"),
                .init("postfilter", .boolean, default: "false", ignored: "keys are compared exactly"),
            ],
            outputs: "field + collected/selected fields",
            summary: "The keys for which every where clause has an event, with collected or selected fields."
        ),
        FunctionSignature(
            "series",
            .aggregate,
            [
                .init("collect", .fields, unnamed: true, required: true),
                .init("separator", .string, default: "\"\\n\""),
                .init("startmatch", .pipeline),
                .init("endmatch", .pipeline),
                .init("maxpause", .duration),
                .init("maxduration", .duration),
                .init("memlimit", .string),
            ],
            outputs: "collected fields, _duration, @timestamp",
            summary: """
                Within a group, cuts ordered events by start and end or by pauses, and joins their values. What a group \
                collects beyond memlimit (1024, 64KiB, 1MB) is left out, with a warning; without it all is kept.
                """
        ),
        FunctionSignature(
            "session",
            .aggregate,
            [
                .init("function", .aggregate, unnamed: true, default: "count(as=_count)"),
                .init("maxpause", .duration, default: "15m"),
            ],
            outputs: "_duration, aggregate fields, @timestamp",
            summary: "Within a group, aggregates runs of events whose gaps are shorter than maxpause, one row each."
        ),
        FunctionSignature(
            "slidingTimeWindow",
            .sequence,
            [
                .init("function", .aggregate, unnamed: true, required: true),
                .init("span", .duration, required: true),
                .init("current", .choice(["include", "exclude"]), default: "include"),
                .init("timestampfield", .field, default: "@timestamp"),
            ],
            outputs: "aggregate fields",
            summary: "Aggregates, on each row, of the rows of the time span before it."
        ),
        FunctionSignature(
            "slidingWindow",
            .sequence,
            [
                .init("function", .aggregate, unnamed: true, required: true),
                .init("events", .number, required: true, in: .whole(from: 1)),
                .init("current", .choice(["include", "exclude"]), default: "include"),
            ],
            outputs: "aggregate fields",
            summary: "Aggregates, on each row, of the number of rows before it."
        ),
        FunctionSignature(
            "stats",
            .aggregate,
            [
                .init("function", .aggregate, unnamed: true, default: "count(as=_count)")
            ],
            outputs: "combined row(s)",
            summary: "Combines aggregates into one row, or into the product of their rows; [f(), g()] is short for it."
        ),
        FunctionSignature(
            "timeChart",
            .aggregate,
            [
                .init("series", .field, unnamed: true),
                .init("function", .aggregate, default: "count()"),
                .init("span", .duration, default: "auto"),
                .init("buckets", .number, in: .buckets),
                .init("minSpan", .duration),
                .init("limit", .number, default: "10", in: .series),
                .init("timezone", .string),
                .init("unit", .strings, default: "\"No conversion\""),
            ],
            outputs: "_bucket, <series>, aggregate fields",
            summary: "Aggregates per time bucket and per value of the series field; empty buckets are filled."
        ),
        FunctionSignature(
            "window",
            .aggregate,
            [
                .init("function", .aggregate, unnamed: true, default: "count(as=_count)"),
                .init("span", .duration),
                .init("buckets", .number, in: .whole(from: 1)),
            ],
            outputs: "_window...",
            summary: "Aggregates over several buckets, within bucket() or timeChart()."
        ),
        FunctionSignature(
            "worldMap",
            .aggregate,
            [
                .init("ip", .field, unnamed: true),
                .init("lat", .field),
                .init("lon", .field),
                .init("magnitude", .aggregate, default: "count(as=_count)"),
                .init("precision", .number, default: "4", in: .whole(1...12)),
            ],
            outputs: "geohash cell: lat, lon, magnitude",
            summary: "Groups places by geohash, for a map."
        ),
    ]
}
