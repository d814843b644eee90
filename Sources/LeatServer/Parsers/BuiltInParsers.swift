// Generated from parsers/server/*.yaml, and so exempt from the limits of length: UPDATE_GOLDEN=1 swift test --filter BuiltInParserTests

extension ParserDefinition {
    /// The parsers that every server has.
    static let builtIn: [ParserDefinition] = [
        ParserDefinition(
            name: "accesslog",
            script: #"""
                case {
                  /^(?<client>\S+) \S+ (?<userid>\S+) \[(?<time>[^\]]+)\] "(?:(?<method>[A-Z]+) (?<url>\S+)(?: (?<httpversion>[^"]+))?|(?<request>(?:[^"\\]|\\.)*))" (?<statuscode>\d{3}) (?<responsesize>\d+|-)(?: "(?<referrer>(?:[^"\\]|\\.)*)" "(?<useragent>(?:[^"\\]|\\.)*)")?(?: "?(?<responsetime>[\d.]+)"?)?/
                    | parseTimestamp("dd/MMM/yyyy:HH:mm:ss Z", field=time, timezone="UTC") | drop(time);
                  * | @error := "true" | @error_msg := "no access log line" | @event_parsed := "false"
                }
                """#
        ),
        ParserDefinition(
            name: "apache",
            script: #"""
                case {
                  /^(?<client>\S+) \S+ (?<userid>\S+) \[(?<time>[^\]]+)\] "(?:(?<method>[A-Z]+) (?<url>\S+)(?: (?<httpversion>[^"]+))?|(?<request>(?:[^"\\]|\\.)*))" (?<statuscode>\d{3}) (?<responsesize>\d+|-)(?: "(?<referrer>(?:[^"\\]|\\.)*)" "(?<useragent>(?:[^"\\]|\\.)*)")?(?: "?(?<responsetime>[\d.]+)"?)?/
                    | parseTimestamp("dd/MMM/yyyy:HH:mm:ss Z", field=time, timezone="UTC") | drop(time);
                  /^\[(?<time>\w{3} \w{3} \d\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4})\] \[(?:(?<module>[^:\]]*):)?(?<level>\w+)\] (?:\[pid (?<pid>\d+)(?::tid (?<tid>\d+))?\] )?(?:\[client (?<client>[^\]]+)\] )?(?<message>.*)$/s
                    | case {
                      time=*.* | parseTimestamp("EEE MMM dd HH:mm:ss.SSSSSS yyyy", field=time, timezone="UTC");
                      * | parseTimestamp("EEE MMM dd HH:mm:ss yyyy", field=time, timezone="UTC")
                    } | drop(time);
                  * | @error := "true" | @error_msg := "no line of Apache" | @event_parsed := "false"
                }
                """#
        ),
        ParserDefinition(
            name: "cri",
            script: #"""
                case {
                  /^(?<time>\S+) (?<stream>stdout|stderr) (?<logtag>[FP])(?: (?<message>.*))?$/s
                    | findTimestamp(field=time, addErrors=false) | drop(time);
                  * | @error := "true" | @error_msg := "no CRI line" | @event_parsed := "false"
                }
                """#
        ),
        ParserDefinition(
            name: "docker",
            script: #"""
                parseJson()
                | case {
                  log=* | replace("\n$", field=log, with="", as=log) | findTimestamp(field=time, addErrors=false);
                  *
                }
                """#
        ),
        ParserDefinition(
            name: "json",
            script: #"""
                parseJson()
                | case {
                  // Not the milliseconds that every event has: ISO 8601, seconds, microseconds, nanoseconds.
                  @timestamp!=/^\d{12,14}$/ | findTimestamp(field=@timestamp, addErrors=false);
                  timestamp=* | findTimestamp(field=timestamp, addErrors=false);
                  time=* | findTimestamp(field=time, addErrors=false);
                  ts=* | findTimestamp(field=ts, addErrors=false);
                  date=* | findTimestamp(field=date, addErrors=false);
                  *
                }
                """#
        ),
        ParserDefinition(
            name: "klog",
            script: #"""
                case {
                  /^(?<level>[IWEF])(?<datetime>\d{4} \d\d:\d\d:\d\d\.\d{6})\s+(?<thread>\d+) (?<file>[^:\]]+):(?<line>\d+)\] (?<message>.*)$/s
                    | parseTimestamp("MMdd HH:mm:ss.SSSSSS", field=datetime, timezone="UTC");
                  * | @error := "true" | @error_msg := "no klog line" | @event_parsed := "false"
                }
                """#
        ),
        ParserDefinition(
            name: "kv",
            script: #"""
                kvParse()
                | findTimestamp(field=@rawstring, addErrors=false)
                """#
        ),
        ParserDefinition(
            name: "logfmt",
            script: #"""
                kvParse()
                | case {
                  time=* | findTimestamp(field=time, addErrors=false);
                  ts=* | findTimestamp(field=ts, addErrors=false);
                  t=* | findTimestamp(field=t, addErrors=false);
                  *
                }
                """#
        ),
        ParserDefinition(
            name: "nginx",
            script: #"""
                case {
                  /^(?<client>\S+) \S+ (?<userid>\S+) \[(?<time>[^\]]+)\] "(?:(?<method>[A-Z]+) (?<url>\S+)(?: (?<httpversion>[^"]+))?|(?<request>(?:[^"\\]|\\.)*))" (?<statuscode>\d{3}) (?<responsesize>\d+|-)(?: "(?<referrer>(?:[^"\\]|\\.)*)" "(?<useragent>(?:[^"\\]|\\.)*)")?(?: "?(?<responsetime>[\d.]+)"?)?/
                    | parseTimestamp("dd/MMM/yyyy:HH:mm:ss Z", field=time, timezone="UTC") | drop(time);
                  /^(?<time>\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d) \[(?<level>\w+)\] (?<pid>\d+)#(?<tid>\d+): (?:\*(?<cid>\d+) )?(?<message>.*)$/s
                    | parseTimestamp("yyyy/MM/dd HH:mm:ss", field=time, timezone="UTC") | drop(time);
                  * | @error := "true" | @error_msg := "no line of nginx" | @event_parsed := "false"
                }
                """#
        ),
        ParserDefinition(
            name: "syslog",
            script: #"""
                case {
                  /^<(?<priority>\d{1,3})>(?<version>[1-9]\d?) (?<datetime>\S+) (?<host>\S+) (?<app>\S+) (?<pid>\S+) (?<msgid>\S+) (?<structureddata>-|(?:\[(?:[^"\]]|"(?:\\.|[^"\\])*")*\])+)(?: (?<message>.*))?$/s
                    | findTimestamp(field=datetime, addErrors=false);
                  /^(?:<(?<priority>\d{1,3})>)?(?<datetime>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT\S+) (?<host>\S+) (?<app>[^\s\[:]+)(?:\[(?<pid>[^\]]*)\])?: ?(?<message>.*)$/s
                    | findTimestamp(field=datetime, addErrors=false);
                  * | @error := "true" | @error_msg := "no syslog" | @event_parsed := "false"
                }
                """#
        ),
    ]
}
