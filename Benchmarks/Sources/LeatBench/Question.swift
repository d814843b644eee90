/// One of the 27 questions of the vlgen data set, in our language and in the peers'.
struct Question {
    let id: String
    let ours: String
    let victoriaLogs: String
    /// The answer on 5 M events with seed 42: rows, or the one number of a count.
    let answer: Int
    /// What is compared: number of rows, or the number in the only row.
    let isCount: Bool
    /// Interval in epoch milliseconds, when the question has one.
    var interval: Range<Int>?

    private static let needle = "1075ff43a3af2e819a032288ed5e3836"
    private static let trace = "ac56ab017e54a7e7c3145e4244d83e9e"

    private static func rows(_ id: String, _ ours: String, _ peer: String, _ answer: Int) -> Question {
        Question(id: id, ours: ours, victoriaLogs: peer, answer: answer, isCount: false)
    }

    private static func count(_ id: String, _ filter: String, _ peer: String, _ answer: Int) -> Question {
        let ours = filter == "*" ? "count()" : filter + " | count()"
        return Question(id: id, ours: ours, victoriaLogs: peer + " | stats count() n", answer: answer, isCount: true)
    }

    /// In the order of the data set's own list.
    static let all: [Question] = [
        rows("q01_needle_msg", "message=\"*\(needle)*\"", "\"\(needle)\"", 1),
        rows("q02_needle_field", "trace_id=\"\(trace)\"", "trace_id:=\"\(trace)\"", 1),
        rows("q03_needle_anyfield", "\"\(trace)\"", "*:\"\(trace)\"", 1),
        count("q04_absent_word", "qqzzxxyy77", "\"qqzzxxyy77\"", 0),
        rows("q05_rare_word", "note=*zebrafish*", "note:zebrafish", 5),
        count("q06_common_word", "message=/\\bupstream\\b/", "upstream", 1_668_623),
        count("q07_phrase", "message=\"*context deadline exceeded*\"", "\"context deadline exceeded\"", 15_525),
        count(
            "q08_regex_literal",
            "message=/lock on topic (orders|payments)-1[0-9],/",
            "_msg:~\"lock on topic (orders|payments)-1[0-9],\"",
            1_706
        ),
        count(
            "q09_regex_noliteral",
            "message=/[0-9]{3}\\.[0-9]{2}\\.[0-9]{3}\\.[0-9]{2}:/",
            "_msg:~\"[0-9]{3}\\\\.[0-9]{2}\\\\.[0-9]{3}\\\\.[0-9]{2}:\"",
            3_676
        ),
        count("q10_substring", "message=*ransien*", "*ransien*", 6_182),
        count("q11_scan_nohit", "message=*q7zzv*", "*q7zzv*", 0),
        count("q12_scan_nohit_ci", "message=/q7zzv/i", "_msg:~\"(?i)q7zzv\"", 0),
        count("q13_count_all", "*", "*", 5_000_000),
        rows("q14_by_level", "groupBy(level)", "* | stats by (level) count() n", 5),
        rows(
            "q15_top10_err_pods",
            "level=ERROR | top(kubernetes.pod, limit=10)",
            "level:=ERROR | top 10 by (kubernetes.pod)",
            10
        ),
        rows(
            "q16_hist_min_level",
            "bucket(span=1m, field=level, limit=500)",
            "* | stats by (_time:1m, level) count() n",
            2_170
        ),
        rows(
            "q17_quantiles",
            "duration_ms=* | groupBy(service, function=percentile(duration_ms, percentiles=[50,95,99]))",
            "duration_ms:* | stats by (service) quantile(0.5,duration_ms) p50, quantile(0.95,duration_ms) p95, "
                + "quantile(0.99,duration_ms) p99",
            20
        ),
        Question(
            id: "q18_uniq_users",
            ours: "count(user_id, distinct=true)",
            victoriaLogs: "* | stats count_uniq(user_id) n",
            answer: 179_928,
            isCount: true
        ),
        rows("q19_newest100_err", "level=ERROR | tail(100)", "level:=ERROR | sort by (_time) desc limit 100", 100),
        count("q20_numeric_range", "duration_ms > 1000", "duration_ms:>1000", 22_247),
        count(
            "q21_bool",
            "level=ERROR kubernetes.namespace=shop not message=\"*connection refused*\"",
            "level:=ERROR kubernetes.namespace:=shop -\"connection refused\"",
            82_965
        ),
        count(
            "q22_stream_phrase",
            "kubernetes.container=payment message=\"*Unhandled exception*\"",
            "{kubernetes.container=\"payment\"} \"Unhandled exception\"",
            12_085
        ),
        Question(
            id: "q23_5min_window",
            ours: "message=\"*status=200*\" | count()",
            victoriaLogs: "_time:[2025-11-20T03:00:00Z,2025-11-20T03:05:00Z) \"status=200\" | stats count() n",
            answer: 2_155,
            isCount: true,
            interval: 1_763_607_600_000..<1_763_607_900_000
        ),
        rows(
            "q24_extract_agg",
            "message=/returned (?<hits>\\d+) hits/ | groupBy(service, function=[max(hits), avg(hits)])",
            "\"returned\" | extract \"returned <hits> hits\" | stats by (service) max(hits) mx, avg(hits) av",
            7
        ),
        rows(
            "q25_top_urls",
            "kubernetes.container=\"nginx-ingress\" | regex(\" /(?<path>\\S*) HTTP\", field=message) | top(path, limit=10)",
            "{kubernetes.container=\"nginx-ingress\"} | extract \" /<path> HTTP\" | top 10 by (path)",
            10
        ),
        rows(
            "q26_export_100k",
            "kubernetes.container=cart | tail(100000)",
            "{kubernetes.container=\"cart\"} | limit 100000",
            100_000
        ),
        rows(
            "q27_patterns",
            "level=ERROR | replace(\"[0-9]+\", with=\"<N>\", field=message) | top(message, limit=20)",
            "level:=ERROR | collapse_nums | top 20 by (_msg)",
            20
        ),
    ]
}
