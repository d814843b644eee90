// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Parse functions.
    static let parseFunctions: [FunctionSignature] = [
        FunctionSignature(
            "findTimestamp",
            .transformation,
            [
                .init("field", .field, default: "@rawstring"),
                .init("as", .field, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneAs", .field, default: "@timezone"),
                .init("timezoneField", .field, default: "@timezone"),
                .init("addErrors", .boolean, default: "true"),
            ],
            outputs: "@timestamp,@timezone",
            summary: """
                Finds the first time in a text in any of the common formats: ISO 8601, syslog, access logs, mail, \
                seconds and milliseconds since 1970.
                """
        ),
        FunctionSignature(
            "kvParse",
            .transformation,
            [
                .init("field", .fields, unnamed: true, default: "@rawstring"),
                .init("as", aliases: ["prefix"], .string),
                .init("separator", .string, default: "\"=\""),
                .init("separatorPadding", .choice(["no", "yes", "unknown"]), default: "unknown"),
                .init("override", .boolean, default: "false"),
                .init("onDuplicate", .string, default: "keepLast"),
                .init("excludeEmpty", .boolean, default: "false"),
            ],
            outputs: "keys",
            summary: """
                Finds key=value pairs, quoted or not, and writes them as fields. Existing fields stay unless \
                override=true.
                """
        ),
        FunctionSignature(
            "parseCEF",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@rawstring"),
                .init("prefix", .string, default: "cef.ext."),
                .init("headerprefix", .string, default: "cef."),
                .init("labelprefix", .string, default: "cef.label."),
                .init("keeplabels", .boolean, default: "false"),
            ],
            outputs: "cef.*",
            summary: "Reads ArcSight's Common Event Format."
        ),
        FunctionSignature(
            "parseCsv",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@rawstring"),
                .init("columns", .fields, required: true),
                .init("delimiter", .string, default: "\",\""),
                .init("excludeEmpty", .boolean, default: "false"),
                .init("trim", .boolean, default: "false"),
            ],
            outputs: "columns",
            summary: """
                Splits one record of comma-separated values into fields; more values than columns are left out.
                """
        ),
        FunctionSignature(
            "parseFixedWidth",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@rawstring"),
                .init("columns", .fields, required: true),
                .init("widths", .strings, required: true),
                .init("trim", .boolean, default: "true"),
            ],
            outputs: "columns",
            summary: "Splits a text of columns of fixed widths into fields."
        ),
        FunctionSignature(
            "parseHexString",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_parsehexstring"),
                .init("charset", .string, default: "UTF-8"),
            ],
            outputs: "_parsehexstring",
            summary: "The text whose bytes are written in hexadecimal."
        ),
        FunctionSignature(
            "parseInt",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field),
                .init("radix", .number, default: "16", in: .whole(2...36)),
                .init("endian", .choice(["big", "little"]), default: "big"),
            ],
            outputs: "as",
            summary: "The decimal form of an integer of another radix, 16 by default."
        ),
        FunctionSignature(
            "parseJson",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@rawstring"),
                .init("prefix", .string),
                .init("exclude", .fields, default: "[]"),
                .init("include", .fields, default: "[]"),
                .init("excludeEmpty", .boolean, default: "false"),
                .init("handleNull", .choice(["keep", "empty", "discard"]), default: "keep"),
                .init("removePrefixes", .fields, default: "[]"),
            ],
            outputs: "flattened fields",
            summary: "Parses JSON text into fields: objects as a.b, arrays as a[0]. Numbers stay as written."
        ),
        FunctionSignature(
            "parseLEEF",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@rawstring"),
                .init("prefix", .string, default: "leef.ext."),
                .init("headerprefix", .string, default: "leef."),
                .init("labelprefix", .string),
                .init("keeplabels", .boolean, default: "false"),
                .init("delimiter", .string),
                .init("parsetime", .boolean, default: "true"),
                .init("timezone", .string, default: "Z"),
            ],
            outputs: "leef.*",
            summary: "Reads IBM's Log Event Extended Format."
        ),
        FunctionSignature(
            "parseTimestamp",
            .transformation,
            [
                .init("format", .string, unnamed: true, default: "\"yyyy-MM-dd'T'HH:mm:ss[.SSSSSSSSS]XXXXX\""),
                .init("field", .field, required: true),
                .init("as", .field, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneAs", .field, default: "@timezone"),
                .init("timezoneField", .field, default: "@timezone"),
                .init("caseSensitive", .boolean, default: "true"),
                .init("addErrors", .boolean, default: "true"),
            ],
            outputs: "@timestamp,@timezone(,@timestamp.nanos)",
            summary: """
                Parses a time by a pattern such as yyyy-MM-dd'T'HH:mm:ss.SSSXXX, or millis, seconds, nanos, \
                unixtime. Without a zone in the pattern, timezone or timezoneField says it.
                """
        ),
        FunctionSignature(
            "parseUri",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("defaultBase", .string),
                .init("prefix", .string),
            ],
            outputs: "<prefix>.scheme,.host,.port,.path,.query,.fragment,.query.<k>...",
            summary: "The parts of a URI, with each member of its query."
        ),
        FunctionSignature(
            "parseUrl",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "url"),
                .init("as", .field),
            ],
            outputs: "<as>.scheme,.host,.port,.path,.query...",
            summary: "The parts of a URL."
        ),
        FunctionSignature(
            "parseXml",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@rawstring"),
                .init("prefix", .string),
                .init("strict", .boolean, default: "false"),
            ],
            outputs: "flattened fields",
            summary: "Reads XML into fields: elements as a.b, attributes as a.name, repeated elements as a[0]."
        ),
        FunctionSignature(
            "split",
            .transformation,
            [
                .init("field", .array, unnamed: true, default: "_events"),
                .init("strip", .boolean, default: "false"),
            ],
            outputs: "one event per element, _index",
            summary: """
                One event per element of an array, with _index; elements of objects become <field>.x, or x with \
                strip=true.
                """
        ),
        FunctionSignature(
            "splitString",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@rawstring"),
                .init("by", .regex, required: true),
                .init("as", .field, default: "_splitstring"),
                .init("index", .number),
            ],
            outputs: "as[n] or as",
            summary: """
                Splits a text by a regular expression into an array; with index the part of that number, negative \
                from the end.
                """
        ),
        FunctionSignature(
            "writeJson",
            .transformation,
            [
                .init("field", .fields, unnamed: true, default: "@rawstring"),
                .init("as", .field, default: "_json"),
            ],
            outputs: "_json",
            summary: "JSON text of fields; names may end in * or in a dot."
        ),
    ]
}
