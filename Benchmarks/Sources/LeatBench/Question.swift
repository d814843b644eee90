/// One of the 27 questions of the vlgen data set, in our language and in the peers'.
struct Question {
    /// How an answer's rows are read.
    enum Shape {
        /// One row with one number.
        case count
        /// Events, told apart by their message.
        case events
        /// Only the number of events.
        case eventCount
        /// Rows of grouping fields and numbers; ours, then VictoriaLogs' names, which ClickHouse's queries use too.
        case groups(keys: [String], values: [String], peerKeys: [String], peerValues: [String])
    }

    /// How an answer is held against the truth.
    enum Comparison {
        /// Every key with its numbers, no more and no less.
        case exact
        /// So many keys with the largest numbers.
        case top(Int)
        /// For each number the truth has a lower and an upper bound, which may be missed by this share.
        case within(Double)
    }

    let id: String
    /// What is asked, for people.
    let meaning: String
    let ours: String
    let victoriaLogs: String
    /// `nil` where ClickHouse has no query of the same meaning.
    var clickHouse: String?
    /// The pattern of a search through the raw text, which shows the physical limit; options first.
    var ripgrep: [String]?
    var shape = Shape.count
    var comparison = Comparison.exact
    /// Interval in epoch milliseconds, when the question has one.
    var interval: Range<Int>?
}

extension Question {
    /// The questions in the order of the data set's own list; the identifiers are those that the truth was found for.
    static func all(needle: String, trace: String) -> [Question] {
        self.needles(needle, trace) + self.texts + self.patterns + self.groupings + self.numbers + self.combinations
            + self.extractions
    }

    private static func events(
        _ id: String,
        _ meaning: String,
        _ ours: String,
        _ peer: String,
        sql: String? = nil,
        ripgrep: [String]? = nil,
        shape: Shape = .events
    ) -> Question {
        Question(
            id: id,
            meaning: meaning,
            ours: ours,
            victoriaLogs: peer,
            clickHouse: sql.map { "SELECT * FROM events WHERE " + $0 },
            ripgrep: ripgrep,
            shape: shape
        )
    }

    private static func count(
        _ id: String,
        _ meaning: String,
        _ filter: String,
        _ peer: String,
        sql: String,
        ripgrep: [String]? = nil
    ) -> Question {
        Question(
            id: id,
            meaning: meaning,
            ours: filter == "*" ? "count()" : filter + " | count()",
            victoriaLogs: peer + " | stats count() n",
            clickHouse: "SELECT count() AS n FROM events" + (sql.isEmpty ? "" : " WHERE " + sql),
            ripgrep: ripgrep
        )
    }

    private static func needles(_ needle: String, _ trace: String) -> [Question] {
        let fields = [
            "trace_id", "message", "pod", "container", "user_id", "span_id", "note", "job", "thread", "service",
        ]
        return [
            Self.events(
                "q01_needle_msg",
                "one request id in the message",
                "message=*\(needle)*",
                "\"\(needle)\"",
                sql: "hasToken(message, '\(needle)')",
                ripgrep: [needle]
            ),
            Self.events(
                "q02_needle_field",
                "one value of trace_id",
                "trace_id=\"\(trace)\"",
                "trace_id:=\"\(trace)\"",
                sql: "trace_id = '\(trace)'"
            ),
            Self.events(
                "q03_needle_anyfield",
                "one value in any field",
                "\"\(trace)\"",
                "*:\"\(trace)\"",
                sql: fields.map { "position(\($0), '\(trace)') > 0" }.joined(separator: " OR "),
                ripgrep: [trace]
            ),
            Self.count(
                "q04_absent_word",
                "a word that is nowhere",
                "message=*qqzzxxyy77*",
                "\"qqzzxxyy77\"",
                sql: "hasToken(message, 'qqzzxxyy77')",
                ripgrep: ["qqzzxxyy77"]
            ),
            Self.events(
                "q05_rare_word",
                "a word in few values of note",
                "note=*zebrafish*",
                "note:zebrafish",
                sql: "position(note, 'zebrafish') > 0",
                ripgrep: ["zebrafish"]
            ),
        ]
    }

    private static var texts: [Question] {
        [
            Self.count(
                "q06_common_word",
                "a word of a third of the messages",
                "message=/\\bupstream\\b/",
                "upstream",
                sql: "hasToken(message, 'upstream')",
                ripgrep: ["-w", "upstream"]
            ),
            Self.count(
                "q07_phrase",
                "a phrase",
                "message=\"*context deadline exceeded*\"",
                "\"context deadline exceeded\"",
                sql: "position(message, 'context deadline exceeded') > 0",
                ripgrep: ["context deadline exceeded"]
            ),
        ]
    }

    private static var patterns: [Question] {
        [
            Self.count(
                "q08_regex_literal",
                "a pattern with literal text",
                "message=/lock on topic (orders|payments)-1[0-9],/",
                "_msg:~\"lock on topic (orders|payments)-1[0-9],\"",
                sql: "match(message, 'lock on topic (orders|payments)-1[0-9],')",
                ripgrep: ["lock on topic (orders|payments)-1[0-9],"]
            ),
            Self.count(
                "q09_regex_noliteral",
                "a pattern without literal text",
                "message=/[0-9]{3}\\.[0-9]{2}\\.[0-9]{3}\\.[0-9]{2}:/",
                "_msg:~\"[0-9]{3}\\\\.[0-9]{2}\\\\.[0-9]{3}\\\\.[0-9]{2}:\"",
                sql: "match(message, '[0-9]{3}\\\\.[0-9]{2}\\\\.[0-9]{3}\\\\.[0-9]{2}:')",
                ripgrep: ["[0-9]{3}\\.[0-9]{2}\\.[0-9]{3}\\.[0-9]{2}:"]
            ),
            Self.count(
                "q10_substring",
                "a part of words",
                "message=*ransien*",
                "*ransien*",
                sql: "position(message, 'ransien') > 0",
                ripgrep: ["ransien"]
            ),
            Self.count(
                "q11_scan_nohit",
                "a text that is nowhere",
                "message=*q7zzv*",
                "*q7zzv*",
                sql: "position(message, 'q7zzv') > 0",
                ripgrep: ["q7zzv"]
            ),
            Self.count(
                "q12_scan_nohit_ci",
                "the same in any case",
                "message=/q7zzv/i",
                "_msg:~\"(?i)q7zzv\"",
                sql: "positionCaseInsensitive(message, 'q7zzv') > 0",
                ripgrep: ["-i", "q7zzv"]
            ),
        ]
    }

    private static var groupings: [Question] {
        [
            Self.count("q13_count_all", "all events", "*", "*", sql: ""),
            Question(
                id: "q14_by_level",
                meaning: "events by level",
                ours: "groupBy(level)",
                victoriaLogs: "* | stats by (level) count() n",
                clickHouse: "SELECT level, count() AS n FROM events GROUP BY level",
                shape: .groups(keys: ["level"], values: ["_count"], peerKeys: ["level"], peerValues: ["n"])
            ),
            Question(
                id: "q15_top10_err_pods",
                meaning: "ten pods with most errors",
                ours: "level=ERROR | top(kubernetes.pod, limit=10)",
                victoriaLogs: "level:=ERROR | top 10 by (kubernetes.pod)",
                clickHouse: "SELECT pod AS `kubernetes.pod`, count() AS hits FROM events WHERE level = 'ERROR' "
                    + "GROUP BY pod ORDER BY hits DESC LIMIT 10",
                shape: .groups(
                    keys: ["kubernetes.pod"],
                    values: ["_count"],
                    peerKeys: ["kubernetes.pod"],
                    peerValues: ["hits"]
                ),
                comparison: .top(10)
            ),
            Question(
                id: "q16_hist_min_level",
                meaning: "events by minute and level",
                ours: "bucket(span=1m, field=level, limit=500)",
                victoriaLogs: "* | stats by (_time:1m, level) count() n",
                clickHouse: "SELECT toStartOfMinute(ts) AS _time, level, count() AS n FROM events "
                    + "GROUP BY _time, level",
                shape: .groups(
                    keys: ["_bucket", "level"],
                    values: ["_count"],
                    peerKeys: ["_time", "level"],
                    peerValues: ["n"]
                )
            ),
        ]
    }

    private static var numbers: [Question] {
        [
            Question(
                id: "q17_quantiles",
                meaning: "percentiles of duration_ms by service",
                ours: "duration_ms=* | groupBy(service, function=percentile(duration_ms, percentiles=[50,95,99]))",
                victoriaLogs: "duration_ms:* | stats by (service) quantile(0.5,duration_ms) p50, "
                    + "quantile(0.95,duration_ms) p95, quantile(0.99,duration_ms) p99",
                clickHouse: "SELECT service, quantileTDigest(0.5)(duration_ms) AS p50, "
                    + "quantileTDigest(0.95)(duration_ms) AS p95, quantileTDigest(0.99)(duration_ms) AS p99 "
                    + "FROM events WHERE duration_ms IS NOT NULL GROUP BY service",
                shape: .groups(
                    keys: ["service"],
                    values: ["_50", "_95", "_99"],
                    peerKeys: ["service"],
                    peerValues: ["p50", "p95", "p99"]
                ),
                comparison: .within(0.0101)
            ),
            Question(
                id: "q18_uniq_users",
                meaning: "different users, exactly",
                ours: "count(user_id, distinct=true)",
                victoriaLogs: "* | stats count_uniq(user_id) n",
                clickHouse: "SELECT uniqExact(user_id) AS n FROM events WHERE user_id != ''"
            ),
            Question(
                id: "q19_newest100_err",
                meaning: "the newest 100 errors",
                ours: "level=ERROR | tail(100)",
                victoriaLogs: "level:=ERROR | sort by (_time) desc limit 100",
                clickHouse: "SELECT * FROM events WHERE level = 'ERROR' ORDER BY ts DESC LIMIT 100",
                shape: .events
            ),
            Self.count(
                "q20_numeric_range",
                "duration_ms above 1000",
                "duration_ms > 1000",
                "duration_ms:>1000",
                sql: "duration_ms > 1000"
            ),
        ]
    }

    private static var combinations: [Question] {
        let refused = "level=ERROR kubernetes.namespace=shop not message=\"*connection refused*\""
        var window = Self.count(
            "q23_5min_window",
            "a phrase within five minutes",
            "message=\"*status=200*\"",
            "_time:[2025-11-20T03:00:00Z,2025-11-20T03:05:00Z) \"status=200\"",
            sql: "ts >= '2025-11-20 03:00:00' AND ts < '2025-11-20 03:05:00' AND position(message, 'status=200') > 0"
        )
        window.interval = 1_763_607_600_000..<1_763_607_900_000
        return [
            Self.count(
                "q21_bool",
                "two fields and not a phrase",
                refused,
                "level:=ERROR kubernetes.namespace:=shop -\"connection refused\"",
                sql: "level = 'ERROR' AND namespace = 'shop' AND position(message, 'connection refused') = 0"
            ),
            Self.count(
                "q22_stream_phrase",
                "a phrase of one container",
                "kubernetes.container=payment message=\"*Unhandled exception*\"",
                "{kubernetes.container=\"payment\"} \"Unhandled exception\"",
                sql: "container = 'payment' AND position(message, 'Unhandled exception') > 0"
            ),
            window,
        ]
    }

    /// What `collapse_nums` of VictoriaLogs takes for a number, as its source says.
    private static let number =
        "(?<![0-9A-SU-WYZ_a-gi-ln-rtuwyz])(?:[0-9]+|(?:[0-9a-fA-F]{2}){2,})(?![0-9A-SU-Y_a-gi-lo-rtv-z])"

    private static var extractions: [Question] {
        [
            Question(
                id: "q24_extract_agg",
                meaning: "a number out of the text: maximum and mean by service",
                ours: "message=/returned (?<hits>\\d+) hits/ | groupBy(service, function=[max(hits), avg(hits)])",
                victoriaLogs: "\"returned\" | extract \"returned <hits> hits\" | stats by (service) max(hits) mx, "
                    + "avg(hits) av",
                clickHouse: "SELECT service, max(hits) AS mx, avg(hits) AS av FROM (SELECT service, "
                    + "toInt64OrNull(extract(message, 'returned (\\\\d+) hits')) AS hits FROM events "
                    + "WHERE position(message, 'returned') > 0) WHERE hits IS NOT NULL GROUP BY service",
                shape: .groups(
                    keys: ["service"],
                    values: ["_max", "_avg"],
                    peerKeys: ["service"],
                    peerValues: ["mx", "av"]
                )
            ),
            Question(
                id: "q25_top_urls",
                meaning: "ten most frequent paths, out of the text",
                ours: "kubernetes.container=\"nginx-ingress\" | regex(\" /(?<path>\\S*) HTTP\", field=message) "
                    + "| top(path, limit=10)",
                victoriaLogs: "{kubernetes.container=\"nginx-ingress\"} | extract \" /<path> HTTP\" | top 10 by (path)",
                clickHouse: "SELECT extract(message, ' /(\\\\S*) HTTP') AS path, count() AS hits FROM events "
                    + "WHERE container = 'nginx-ingress' GROUP BY path ORDER BY hits DESC LIMIT 10",
                shape: .groups(keys: ["path"], values: ["_count"], peerKeys: ["path"], peerValues: ["hits"]),
                comparison: .top(10)
            ),
            Self.events(
                "q26_export_100k",
                "100,000 whole events of one container",
                "kubernetes.container=cart | tail(100000)",
                "{kubernetes.container=\"cart\"} | limit 100000",
                sql: "container = 'cart' LIMIT 100000",
                shape: .eventCount
            ),
            Question(
                id: "q27_patterns",
                meaning: "twenty most frequent shapes of error messages, numbers taken out",
                ours: "level=ERROR | replace(\"\(Self.number)\", with=\"<N>\", field=message) | top(message, limit=20)",
                victoriaLogs: "level:=ERROR | collapse_nums | top 20 by (_msg)",
                shape: .groups(keys: ["message"], values: ["_count"], peerKeys: ["_msg"], peerValues: ["hits"]),
                comparison: .top(20)
            ),
        ]
    }
}
