// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// TimePart functions.
    static let timePartFunctions: [FunctionSignature] = [
        FunctionSignature(
            "time:dayOfMonth",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneField", .field, default: "@timezone"),
                .init("as", .field, default: "_dayOfMonth"),
            ],
            outputs: "_dayOfMonth",
            summary: "The day of the month, 1-31, of a time in epoch milliseconds."
        ),
        FunctionSignature(
            "time:dayOfWeek",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneField", .field),
                .init("as", .field, default: "_dayOfWeek"),
            ],
            outputs: "_dayOfWeek",
            summary: "The day of the week, 1 (Monday) to 7 (Sunday), of a time in epoch milliseconds."
        ),
        FunctionSignature(
            "time:dayOfWeekName",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneField", .field, default: "@timezone"),
                .init("as", .field, default: "_dayOfWeekName"),
            ],
            outputs: "_dayOfWeekName",
            summary: "The English name of the day of the week, of a time in epoch milliseconds."
        ),
        FunctionSignature(
            "time:dayOfYear",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneField", .field, default: "@timezone"),
                .init("as", .field, default: "_dayOfYear"),
            ],
            outputs: "_dayOfYear",
            summary: "The day of the year, 1-366, of a time in epoch milliseconds."
        ),
        FunctionSignature(
            "time:hour",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneField", .field, default: "@timezone"),
                .init("as", .field, default: "_hour"),
            ],
            outputs: "_hour",
            summary: "The hour of the day, 0-23, of a time in epoch milliseconds."
        ),
        FunctionSignature(
            "time:millisecond",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneField", .field, default: "@timezone"),
                .init("as", .field, default: "_millisecond"),
            ],
            outputs: "_millisecond",
            summary: "The millisecond of the second, 0-999, of a time in epoch milliseconds."
        ),
        FunctionSignature(
            "time:minute",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneField", .field, default: "@timezone"),
                .init("as", .field, default: "_minute"),
            ],
            outputs: "_minute",
            summary: "The minute of the hour, 0-59, of a time in epoch milliseconds."
        ),
        FunctionSignature(
            "time:month",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneField", .field, default: "@timezone"),
                .init("as", .field, default: "_month"),
            ],
            outputs: "_month",
            summary: "The month, 1-12, of a time in epoch milliseconds."
        ),
        FunctionSignature(
            "time:monthName",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneField", .field, default: "@timezone"),
                .init("as", .field, default: "_monthName"),
            ],
            outputs: "_monthName",
            summary: "The English name of the month, of a time in epoch milliseconds."
        ),
        FunctionSignature(
            "time:second",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneField", .field, default: "@timezone"),
                .init("as", .field, default: "_second"),
            ],
            outputs: "_second",
            summary: "The second of the minute, 0-59, of a time in epoch milliseconds."
        ),
        FunctionSignature(
            "time:weekOfYear",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneField", .field, default: "@timezone"),
                .init("as", .field, default: "_weekOfYear"),
            ],
            outputs: "_weekOfYear",
            summary: "The week of the year after ISO 8601, 1-53, of a time in epoch milliseconds."
        ),
        FunctionSignature(
            "time:year",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "@timestamp"),
                .init("timezone", .string),
                .init("timezoneField", .field, default: "@timezone"),
                .init("as", .field, default: "_year"),
            ],
            outputs: "_year",
            summary: "The year, of a time in epoch milliseconds."
        ),
    ]
}
