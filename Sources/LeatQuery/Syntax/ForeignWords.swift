/// What people write who come from Splunk, Loki, Lucene or SQL, and what says it here.
enum ForeignWords {
    /// Functions of other languages.
    static let functions: [String: String] = [
        "exists": "a field that is there is 'field = *'", "isnull": "a field that is missing is 'field != *'",
        "isnotnull": "a field that is there is 'field = *'", "distinct": "write groupBy(field, function=[])",
        "dc": "write count(field, distinct=true)", "values": "write collect(field)", "list": "write collect(field)",
        "rate": "write timeChart(span=1m, function=count(), unit=\"events/span to events/s\")",
        "count_over_time": "write timeChart(span=5m, function=count())",
        "substr": "write text:substring(field, begin=0)",
        "substring": "write text:substring(field, begin=0)", "strftime": "write formatTime(\"%F %T\", as=time)",
        "strptime": "write parseTimestamp(\"yyyy-MM-dd\", field=time)", "len": "write length(field)",
        "limit": "write head(10), tail(10) or sort(field, limit=10)", "where": "filters stand alone: | status > 500",
        "fields": "write select([a, b])", "dedup": "write groupBy(field, function=tail(1))",
        "rex": "write regex(\"(?<name>…)\", field=field)", "extract": "write regex(\"(?<name>…)\", field=field)",
        "spath": "write parseJson()", "json": "write parseJson()", "logfmt": "write kvParse()",
        "bin": "write bucket(span=5m)", "mvexpand": "write split(array)",
        "lookup": "write match(\"file.csv\", field=field)",
        "inputlookup": "write readFile(\"file.csv\")", "transaction": "write groupBy(field, function=session())",
        "summarize": "write groupBy(field, function=count())", "project": "write select([a, b])",
        "extend": "write name := expression", "avg_over_time": "write timeChart(span=5m, function=avg(field))",
    ]

    /// Words that begin a step after a pipe elsewhere, and are text here.
    static let steps: [String: String] = [
        "where": "filters stand alone: | status > 500", "fields": "to choose fields write select([a, b])",
        "rex": "to extract write regex(\"(?<name>…)\", field=field)",
        "dedup": "for one event per value write groupBy(field, function=tail(1))",
        "limit": "for so many events write head(10), tail(10) or sort(field, limit=10)",
        "json": "to read JSON write parseJson()", "logfmt": "to read key=value write kvParse()",
        "line_format": "to make a text write format(\"%s\", field=[a], as=text)",
        "label_format": "to rename write rename(a, as=b)", "unwrap": "numbers need no unwrapping: sum(field)",
        "group": "grouping is groupBy(field, function=count())", "order": "to order write sort(field, order=desc)",
        "summarize": "grouping is groupBy(field, function=count())", "project": "to choose fields write select([a, b])",
        "extend": "to compute write name := expression", "search": "filters stand alone: | status > 500",
        "spath": "to read JSON write parseJson()", "mvexpand": "for an event per element write split(array)",
        "inputlookup": "to read a file write readFile(\"file.csv\")",
        "from": "the repository is chosen beside the query", "take": "for so many events write head(10) or tail(10)",
        "let": "to compute write name := expression",
    ]

    /// Words that begin a query elsewhere, before a comparison.
    static let beginnings: [String: String] = [
        "where": "filters stand alone: status > 500", "filter": "filters stand alone: status > 500",
        "search": "filters stand alone: status > 500", "let": "to compute write name := expression",
    ]

    /// Words that compare elsewhere, between a field and a value in quotes.
    static let comparisons: [String: String] = [
        "contains": "write field like \"text\"", "matches": "write field = /expression/",
        "startswith": "write field = \"text*\"", "endswith": "write field = \"*text\"",
        "is": "a field that is there is 'field = *', one that is missing 'field != *'",
    ]

    /// Words that follow an aggregate elsewhere.
    static let afterAggregates: [String: String] = [
        "by": "grouping is groupBy(field, function=count())", "as": "an output is named by count(as=name)",
        "where": "filters stand in a step of their own: | _count > 5",
    ]

    /// How functions are called that other languages write without parentheses.
    static let calls: [String: String] = [
        "stats": "groupBy(field, function=count())", "timechart": "timeChart(field, span=1m)",
        "top": "top(field, limit=10)", "sort": "sort(field, order=desc)", "head": "head(10)", "tail": "tail(10)",
        "table": "table([a, b])", "eval": "x := a + 1", "select": "select([a, b])", "in": "in(field, values=[a, b])",
        "rename": "rename(a, as=b)", "regex": "regex(\"(?<name>…)\", field=a)", "groupby": "groupBy(field)",
        "join": "join({ filter }, field=id)", "bucket": "bucket(span=5m)", "count": "count()",
    ]
}
