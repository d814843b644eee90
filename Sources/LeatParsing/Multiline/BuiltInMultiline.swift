internal import LeatCore

/// The stack traces that are known by name.
///
/// A trace begins with the line that names the exception; a log line that announces it is an event of its own. The forms
/// are those that the runtimes print: Java's `Throwable.printStackTrace`, .NET's `Exception.ToString`, V8's
/// `Error.stack`, Python's `traceback`, Go's `runtime.printpanics`, Ruby's `full_message` and Rails' log, PHP's and Dart's
/// uncaught exceptions.
public enum BuiltInMultiline {
    /// The names, without those of container formats (`cri`, `docker`).
    public static let names = ["java", "python", "go", "ruby", "javascript", "dotnet", "php", "dart"]

    /// The rules of a name; `nil` when it is none of `names`.
    public static func rules(_ name: String) -> MultilineRules? {
        let lines: [RuleText]
        switch name.lowercased() {
        case "java": lines = Self.java + Self.dotnetFrames("java", "java_after")
        case "python": lines = Self.python
        case "go": lines = Self.go
        case "ruby": lines = Self.ruby
        case "javascript", "js", "nodejs": lines = Self.javascript
        case "dotnet", "csharp": lines = Self.dotnet
        case "php": lines = Self.php
        case "dart": lines = Self.dart
        default: return nil
        }
        return MultilineRules(lines.map { $0.compiled() })
    }

    /// A rule as it is written here: states, pattern, next state.
    private struct RuleText {
        let states: [String]
        let pattern: String
        let next: String
        let isTentative: Bool

        init(_ states: String, _ pattern: String, _ next: String, tentative: Bool = false) {
            self.states = states.split(separator: " ").map { $0 == "start" ? MultilineRules.start : String($0) }
            self.pattern = pattern
            self.next = next
            self.isTentative = tentative
        }

        func compiled() -> MultilineRules.Rule {
            do throws(PatternError) {
                let pattern = try PatternText.compile(self.pattern)
                return MultilineRules.Rule(self.states, pattern, next: self.next, isTentative: self.isTentative)
            } catch {
                preconditionFailure("a built-in pattern does not compile: \(self.pattern): \(error)")
            }
        }
    }

    private static let java = [
        RuleText("start java_nested", #"(?:Exception|Error|Throwable|V8 errors stack trace)(?:[:\r]|$)"#, "java_after"),
        RuleText("java_after", #"^[\t ]*nested exception is:"#, "java_nested"),
        RuleText("java_after", #"^[\r\t ]*$"#, "java_after", tentative: true),
        RuleText("java_after java", #"^[\t ]+(?:eval )?at "#, "java"),
        RuleText("java_after java", #"^[\t ]*(?:Caused by|Suppressed|Wrapped by):"#, "java_after"),
        RuleText("java_after java", #"^[\t ]*\.\.\. \d+ (?:more|common frames omitted)"#, "java"),
    ]

    /// What .NET prints between the traces of chained exceptions.
    private static func dotnetFrames(_ frames: String, _ after: String) -> [RuleText] {
        [
            RuleText(
                "\(after) \(frames)",
                #"^[\t ]*--- End of (?:inner exception stack trace|stack trace from previous location.*) ---\r?$"#,
                frames
            ),
            RuleText("\(after) \(frames)", #"^[\t ]*---> .*(?:Exception|Error)(?:[:\r]|$)"#, after),
        ]
    }

    private static let dotnet =
        [
            RuleText("start", #"(?:Exception|Error)(?:[:\r]|$)"#, "dotnet_after"),
            RuleText("dotnet_after dotnet", #"^[\t ]+at "#, "dotnet"),
        ] + Self.dotnetFrames("dotnet", "dotnet_after")

    private static let javascript = [
        RuleText("start", #"(?:Error|Exception|V8 errors stack trace)(?:[:\r]|$)"#, "js_after"),
        RuleText("js_after js", #"^[\t ]+(?:eval )?at "#, "js"),
        RuleText("js", #"^[\t ]+\[cause\]: "#, "js_after"),
    ]

    private static let python = [
        RuleText("start", #"^Traceback \(most recent call last\):\r?$"#, "python"),
        RuleText("python python_code", #"^[\t ]+File "#, "python_code"),
        RuleText("python", #"^[\t ]+\[Previous line repeated \d+ more times?\]"#, "python"),
        RuleText("python", #"^[\t ]+[~^]+[~^\t ]*\r?$"#, "python"),
        RuleText("python_code", #"^[\t ]+\S"#, "python"),
        RuleText("python python_code", #"^(?:[^\s.():]+\.)*[^\s.():]+(?::|\r?$)"#, "python_done"),
        // Chained exceptions: a blank line, a sentence, a blank line, the next trace.
        RuleText("python_done", #"^\r?$"#, "python_gap", tentative: true),
        RuleText(
            "python_gap",
            #"^(?:During handling of the above exception, another|The above exception was the direct cause)"#,
            "python_chain",
            tentative: true
        ),
        RuleText("python_chain", #"^\r?$"#, "python_chain", tentative: true),
        RuleText("python_chain", #"^Traceback \(most recent call last\):\r?$"#, "python"),
    ]

    private static let go = [
        RuleText("start", #"\bpanic: |^fatal error: "#, "go_after"),
        RuleText("start", #"http: panic serving"#, "go_wait"),
        RuleText("go_after", #"^\[signal "#, "go_after"),
        RuleText("go_after", #"^\s+panic: "#, "go_after"),
        RuleText("go_after go_frame", #"^\r?$"#, "go_wait", tentative: true),
        RuleText("go_wait", #"^\r?$"#, "go_wait", tentative: true),
        RuleText("go_wait go_after", #"^goroutine \d+.*\[[^\]]+\]:\r?$"#, "go_frame"),
        RuleText("go_frame", #"^created by |^(?:[^\s.:]+\.)*[^\s.():]+\(|^\.\.\.additional frames"#, "go_place"),
        RuleText("go_place", #"^\s"#, "go_frame"),
    ]

    private static let ruby = [
        RuleText("start", #"\w(?:Error|Exception)? \(.*\):\r?$"#, "ruby"),
        RuleText("start", #"^\S+:\d+:in [`'].*: "#, "ruby"),
        RuleText("ruby", #"^[\t ]+(?:from )?\S.*:\d+:in [`']"#, "ruby"),
        RuleText("ruby", #"^[\t \r]*$"#, "ruby", tentative: true),
    ]

    private static let php = [
        RuleText(
            "start",
            #"PHP (?:Notice|Parse error|Fatal error|Warning|Deprecated):|exception '[^']+' with message '|Uncaught \S+"#,
            "php_after"
        ),
        RuleText("php_after", #"^(?:PHP )?Stack trace:"#, "php"),
        RuleText("php", #"^(?:PHP\s+)?(?:#\d+|\d+\.)\s"#, "php"),
        RuleText("php", #"^\s+thrown in "#, "php_done"),
        RuleText("php", #"^\r?$"#, "php", tentative: true),
        RuleText("php", #"^Next \S"#, "php_after"),
    ]

    private static let dart = [
        RuleText("start", #"^Unhandled exception:\r?$"#, "dart_after"),
        RuleText("dart_after dart", #"^#\d+\s+\S"#, "dart"),
        RuleText("dart", #"^<asynchronous suspension>\r?$"#, "dart"),
        // The message may have several lines; only frames behind it make it a trace.
        RuleText("dart_after", #"^"#, "dart_after", tentative: true),
    ]
}
