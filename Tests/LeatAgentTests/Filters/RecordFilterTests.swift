import LeatCore
import LeatParsing
import Testing

@testable import LeatAgent

/// The filters that look at one record at a time.
struct RecordFilterTests {
    struct Case: Sendable {
        var lines: String
        var record: String
        var expected: String
    }

    static let contentModifier: [Case] = [
        Case(lines: "action insert\nkey b\nvalue x", record: #"{"a":1}"#, expected: #"{"a":1,"b":"x"}"#),
        Case(lines: "action insert\nkey a\nvalue x", record: #"{"a":1}"#, expected: #"{"a":1}"#),
        Case(lines: "action upsert\nkey a\nvalue x", record: #"{"a":1,"b":2}"#, expected: #"{"b":2,"a":"x"}"#),
        Case(lines: "action delete\nkey a", record: #"{"a":1,"b":2}"#, expected: #"{"b":2}"#),
        Case(lines: "action delete\nkey c", record: #"{"a":1}"#, expected: #"{"a":1}"#),
        Case(lines: "action rename\nkey a\nvalue z", record: #"{"a":1,"b":2}"#, expected: #"{"z":1,"b":2}"#),
        Case(
            lines: "action hash\nkey a",
            record: #"{"a":"abc"}"#,
            expected: #"{"a":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}"#
        ),
        Case(lines: "action hash\nkey a", record: #"{"a":""}"#, expected: #"{"a":""}"#),
        Case(
            lines: "action extract\nkey a\npattern ^(?<method>\\S+) (?<path>\\S+)\ncontext body",
            record: #"{"a":"GET /x","path":1}"#,
            expected: #"{"a":"GET /x","path":"/x","method":"GET"}"#
        ),
        Case(lines: "action extract\nkey a\npattern (?<n>\\d)", record: #"{"a":"x"}"#, expected: #"{"a":"x"}"#),
        Case(lines: "action convert\nkey a\nconverted_type int", record: #"{"a":"12"}"#, expected: #"{"a":12}"#),
        Case(lines: "action convert\nkey a\nconverted_type int", record: #"{"a":2.6}"#, expected: #"{"a":3}"#),
        Case(lines: "action convert\nkey a\nconverted_type int", record: #"{"a":"2.6"}"#, expected: #"{"a":"2.6"}"#),
        Case(lines: "action convert\nkey a\nconverted_type int", record: #"{"a":[1]}"#, expected: #"{"a":[1]}"#),
        Case(lines: "action convert\nkey a\nconverted_type double", record: #"{"a":5}"#, expected: #"{"a":5.0}"#),
        Case(lines: "action convert\nkey a\nconverted_type boolean", record: #"{"a":0}"#, expected: #"{"a":false}"#),
        Case(
            lines: "action convert\nkey a\nconverted_type boolean",
            record: #"{"a":"TRUE"}"#,
            expected: #"{"a":true}"#
        ),
        Case(
            lines: "action convert\nkey a\nconverted_type string",
            record: #"{"a":{"b":1}}"#,
            expected: #"{"a":"{\"b\":1}"}"#
        ),
    ]

    static let modify: [Case] = [
        Case(lines: "Set a x y", record: #"{"a":1,"b":2}"#, expected: #"{"b":2,"a":"x y"}"#),
        Case(lines: "Set c q\"", record: #"{"a":1}"#, expected: #"{"a":1,"c":"q\""}"#),
        Case(lines: "Add a x\nAdd c y", record: #"{"a":1}"#, expected: #"{"a":1,"c":"y"}"#),
        Case(lines: "Remove a", record: #"{"a":1,"ab":2}"#, expected: #"{"ab":2}"#),
        Case(lines: "Remove_wildcard a*\nRemove_wildcard x", record: #"{"a":1,"ab":2,"b":3}"#, expected: #"{"b":3}"#),
        Case(lines: "Remove_regex ^.b$", record: #"{"a":1,"ab":2}"#, expected: #"{"a":1}"#),
        Case(lines: "Rename a b\nRename x y", record: #"{"a":1,"x":2,"y":3}"#, expected: #"{"b":1,"x":2,"y":3}"#),
        Case(lines: "Hard_rename a b", record: #"{"a":1,"b":2,"c":3}"#, expected: #"{"b":1,"c":3}"#),
        Case(lines: "Copy a c\nCopy a b", record: #"{"a":[1],"b":2}"#, expected: #"{"a":[1],"c":[1],"b":2}"#),
        Case(lines: "Hard_copy a b", record: #"{"a":1,"b":2}"#, expected: #"{"a":1,"b":1}"#),
        Case(
            lines: "Move_to_start b\nMove_to_end a",
            record: #"{"a":1,"b":2,"c":3}"#,
            expected: #"{"b":2,"c":3,"a":1}"#
        ),
        Case(lines: "Condition Key_exists a\nSet z 1", record: #"{"b":1}"#, expected: #"{"b":1}"#),
        Case(
            lines: "Condition Key_exists $a['b']\nSet z 1",
            record: #"{"a":{"b":1}}"#,
            expected: #"{"a":{"b":1},"z":"1"}"#
        ),
        Case(lines: "Condition Key_does_not_exist a\nSet z 1", record: #"{"b":1}"#, expected: #"{"b":1,"z":"1"}"#),
        Case(lines: "Condition A_key_matches ^b\nSet z 1", record: #"{"bb":1}"#, expected: #"{"bb":1,"z":"1"}"#),
        Case(lines: "Condition No_key_matches ^b\nSet z 1", record: #"{"bb":1}"#, expected: #"{"bb":1}"#),
        Case(
            lines: "Condition Key_value_equals a x y\nSet z 1",
            record: #"{"a":"x y"}"#,
            expected: #"{"a":"x y","z":"1"}"#
        ),
        Case(lines: "Condition Key_value_equals a 5\nSet z 1", record: #"{"a":5}"#, expected: #"{"a":5,"z":"1"}"#),
        Case(lines: "Condition Key_value_does_not_equal a x\nSet z 1", record: "{}", expected: "{}"),
        Case(
            lines: "Condition Key_value_does_not_equal a x\nSet z 1",
            record: #"{"a":"y"}"#,
            expected: #"{"a":"y","z":"1"}"#
        ),
        Case(
            lines: "Condition Key_value_matches a ^x\nSet z 1",
            record: #"{"a":"xy"}"#,
            expected: #"{"a":"xy","z":"1"}"#
        ),
        Case(
            lines: "Condition Key_value_does_not_match a ^x\nSet z 1",
            record: #"{"a":"xy"}"#,
            expected: #"{"a":"xy"}"#
        ),
        Case(
            lines: "Condition Matching_keys_have_matching_values ^a ^x\nSet z 1",
            record: #"{"a":"x","ab":"y"}"#,
            expected: #"{"a":"x","ab":"y"}"#
        ),
        Case(
            lines: "Condition Matching_keys_do_not_have_matching_values ^a ^x\nSet z 1",
            record: #"{"a":"y","b":"x"}"#,
            expected: #"{"a":"y","b":"x","z":"1"}"#
        ),
    ]

    @Test(arguments: modify)
    func modifyAppliesItsRules(_ expected: Case) throws {
        var run = try FilterRun("Name modify\n\(expected.lines)")
        #expect(run.apply([expected.record]) == [expected.expected])
    }

    @Test(arguments: contentModifier)
    func contentModifierChangesOneField(_ expected: Case) throws {
        var run = try FilterRun("Name content_modifier\n\(expected.lines)")
        #expect(run.apply([expected.record]) == [expected.expected])
    }

    static let others: [Case] = [
        Case(
            lines: "Name record_modifier\nRecord host node 1\nRecord a x\nRemove_key B\nRemove_key c*",
            record: #"{"a":1,"b":2,"cc":3}"#,
            expected: #"{"a":"x","host":"node 1"}"#
        ),
        Case(
            lines: "Name record_modifier\nAllowlist_key A\nWhitelist_key c",
            record: #"{"a":1,"b":2}"#,
            expected: #"{"a":1}"#
        ),
        Case(
            lines: "Name nest\nOperation nest\nWildcard a*\nWildcard x\nNest_under n\nRemove_prefix a_",
            record: #"{"a_1":1,"b":2,"x":3,"xx":4}"#,
            expected: #"{"b":2,"xx":4,"n":{"1":1,"x":3}}"#
        ),
        Case(lines: "Name nest\nOperation nest\nWildcard a*\nNest_under n", record: #"{"b":2}"#, expected: #"{"b":2}"#),
        Case(
            lines: "Name nest\nOperation lift\nNested_under n\nAdd_prefix n_",
            record: #"{"n":{"a":1,"b":{"c":[]}},"x":2}"#,
            expected: #"{"x":2,"n_a":1,"n_b":{"c":[]}}"#
        ),
        Case(lines: "Name nest\nOperation lift\nNested_under n", record: #"{"n":"text"}"#, expected: #"{"n":"text"}"#),
        Case(lines: "Name nest\nOperation lift\nNested_under n", record: #"{"n":{}}"#, expected: "{}"),
        // Of two members with one name the last one counts.
        Case(
            lines: "Name nest\nOperation nest\nWildcard a\nNest_under n",
            record: #"{"a":1,"n":2}"#,
            expected: #"{"n":{"a":1}}"#
        ),
        Case(
            lines: "Name nest\nOperation lift\nNested_under n\nAdd_prefix p_",
            record: #"{"p_a":1,"n":{"a":2,"b":3}}"#,
            expected: #"{"p_a":2,"p_b":3}"#
        ),
        Case(
            lines:
                "Name type_converter\nInt_key a b string\nStr_key s n int\nStr_key t f float\nFloat_key f g int\nInt_key s z int",
            record: #"{"a":5,"s":"12","t":"1e2"}"#,
            expected: #"{"a":5,"s":"12","t":"1e2","b":"5","n":12,"f":100.0,"z":"12"}"#
        ),
        Case(lines: "Name type_converter\nStr_key s n int", record: #"{"s":"x"}"#, expected: #"{"s":"x","n":"x"}"#),
        Case(
            lines: "Name type_converter\nStr_key a n int\nStr_key b h hex\nStr_key c t bool\nFloat_key d m int",
            record: #"{"a":"12ms","b":"0xfF","c":"True","d":"3"}"#,
            expected: #"{"a":"12ms","b":"0xfF","c":"True","d":"3","n":12,"h":255,"t":true,"m":"3"}"#
        ),
        Case(
            lines: "Name expect\nAction result_key\nKey_exists a\nKey_val_eq $b['c'] x",
            record: #"{"a":1,"b":{"c":"x"}}"#,
            expected: #"{"a":1,"b":{"c":"x"},"matched":true}"#
        ),
        Case(
            lines: "Name expect\nAction result_key\nResult_Key ok\nKey_val_is_null a",
            record: #"{"a":1}"#,
            expected: #"{"a":1,"ok":false}"#
        ),
    ]

    @Test(arguments: others)
    func recordsAreChanged(_ expected: Case) throws {
        var run = try FilterRun(expected.lines)
        // The event before shows that nothing leaks from one into the other.
        #expect(run.apply(["{}", expected.record]).last == expected.expected)
    }

    static let parsers = """
        [PARSER]
            Name nginxish
            Format regex
            Regex ^(?<method>\\S+) (?<path>\\S+)$
        [PARSER]
            Name timed
            Format json
            Time_Key t
            Time_Format %s

        """

    static let parsed: [Case] = [
        Case(
            lines: "Key_Name log\nParser nginxish",
            record: #"{"log":"GET /","x":1}"#,
            expected: #"{"method":"GET","path":"/"}"#
        ),
        Case(
            lines: "Key_Name log\nParser nginxish\nReserve_Data On",
            record: #"{"log":"GET /","x":1,"path":2}"#,
            expected: #"{"method":"GET","path":"/","x":1}"#
        ),
        Case(
            lines: "Key_Name log\nParser nginxish\nReserve_Data On\nPreserve_Key On",
            record: #"{"log":"GET /","x":1}"#,
            expected: #"{"method":"GET","path":"/","log":"GET /","x":1}"#
        ),
        Case(
            lines: "Key_Name log\nParser nginxish\nParser timed",
            record: #"{"log":"{\"a\":1}"}"#,
            expected: #"{"a":1}"#
        ),
        Case(lines: "Key_Name log\nParser nginxish", record: #"{"log":"nothing"}"#, expected: #"{"log":"nothing"}"#),
        Case(
            lines: "Key_Name $a['b']\nParser nginxish",
            record: #"{"a":{"b":"GET /"}}"#,
            expected: #"{"method":"GET","path":"/"}"#
        ),
        Case(lines: "Key_Name log\nParser nginxish", record: #"{"x":1}"#, expected: #"{"x":1}"#),
    ]

    @Test(arguments: parsed)
    func parserTakesAFieldApart(_ expected: Case) throws {
        var run = try FilterRun("Name parser\n\(expected.lines)", parsers: Self.parsers)
        #expect(run.apply([expected.record]) == [expected.expected])
    }

    @Test
    func parserSetsTheTime() throws {
        let run = try FilterRun("Name parser\nKey_Name log\nParser timed", parsers: Self.parsers)
        var events = EventList()
        events.bytes += #""log":"{\"t\":\"12\",\"a\":1}""#.utf8
        events.endEvent(time: 5)
        var context = FilterContext(now: run.time, monotonicNanoseconds: 0)
        run.filter.apply(to: &events, tag: RouteTag("t"), context: &context)
        #expect(events.times == [12_000_000_000])
    }

    @Test
    func uuidsAreDistinctAndWellFormed() throws {
        var run = try FilterRun("Name record_modifier\nUuid_key id")
        let found = run.apply(["{}", "{}"])
        let pattern = try PatternText.compile(#"^\{"id":"\h{8}-\h{4}-4\h{3}-[89ab]\h{3}-\h{12}"\}$"#)
        let matcher = PatternMatcher(pattern)
        #expect(found.allSatisfy { ByteSlice($0).withUnsafeBytes { matcher.matches($0) } == true })
        #expect(Set(found).count == 2)
    }

    @Test
    func expectWarnsOrStops() throws {
        var run = try FilterRun("Name expect\nKey_exists a")
        #expect(run.apply([#"{"b":1}"#]) == [#"{"b":1}"#])
        #expect(run.warnings == [#"expected key_exists a in {"b":1}"#])
    }

    static let wrong: [(lines: String, message: String)] = [
        ("Name modify\nSet a", "'a' is no value of set: it must be 2 words"),
        ("Name content_modifier\naction insert\nkey a", "content_modifier needs value for the action insert"),
        ("Name content_modifier\naction hash", "content_modifier needs key for its field"),
        ("Name content_modifier\nkey a", "content_modifier needs action to do anything"),
        (
            "Name content_modifier\naction insrt\nkey a",
            "'insrt' is no value of action: it must be insert, upsert, delete, rename, hash, extract or convert"
        ),
        ("Name content_modifier\naction hash\nkey a\ncontext metadata", "the context 'metadata' is not supported"),
        ("Name modify\nCondition Key_exist a", "unknown condition 'Key_exist'"),
        (
            "Name modify\nRemove_regex (",
            "the pattern '(' is not valid: missing closing parenthesis at 1 of the pattern"
        ),
        ("Name nest\nOperation nest", "nest needs Nest_under"),
        ("Name nest\nWildcard a", "this filter needs an Operation"),
        ("Name parser\nKey_Name a", "this filter has no Parser"),
        ("Name parser\nKey_Name a\nParser ngin", "there is no parser 'ngin'"),
        ("Name rewrite_tag\nRule a b c d", "'a b c d' is no rule"), ("Name throttle\nInterval x", "'x' is no interval"),
        ("Name multiline\nMultiline.Parser jav", "there is no multiline parser 'jav'"),
        (
            "Name multiline\nMode partial_message\nBuffer Off",
            "the mode partial_message needs buffer on: parts come in several reads"
        ),
        ("Name type_converter\nInt_key a b colour", "unknown type 'colour'"),
        ("Name record_modifier\nRemove_key a\nAllowlist_key b", "remove_key and allowlist_key exclude each other"),
    ]

    @Test(arguments: wrong)
    func wrongConfigurationsAreErrors(lines: String, message: String) throws {
        let errors = try #require(throws: Diagnostics.self) { try FilterRun(lines) }
        #expect(errors.all.map(\.message) == [message])
    }
}
