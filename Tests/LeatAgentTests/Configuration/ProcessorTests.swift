import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Filters that belong to one input or one output, and variables from files.
struct ProcessorTests {
    @Test
    func anOutputsProcessorsChangeOnlyWhatItGets() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let agent = try world.start(
                """
                service:
                  flush: 10ms
                pipeline:
                  inputs:
                    - name: dummy
                      dummy: '{"n":1,"level":"debug"}'
                      samples: 2
                      interval_nsec: 1000000
                      processors:
                        logs:
                          - name: record_modifier
                            record: from input
                  outputs:
                    - name: file
                      match: '*'
                      format: plain
                      path: \(folder.path)
                      file: all.jsonl
                    - name: file
                      match: '*'
                      format: plain
                      path: \(folder.path)
                      file: own.jsonl
                      processors:
                        logs:
                          - name: modify
                            rename: n number
                          - name: record_modifier
                            remove_key: level
                    - name: file
                      match: '*'
                      format: plain
                      path: \(folder.path)
                      file: none.jsonl
                      processors:
                        logs:
                          - name: grep
                            exclude: level debug
                """
            )
            #expect(
                try world.lines("all.jsonl", count: 2)
                    == [String](repeating: #"{"n":1,"level":"debug","from":"input"}"#, count: 2)
            )
            #expect(
                try world.lines("own.jsonl", count: 2) == [String](repeating: #"{"number":1,"from":"input"}"#, count: 2)
            )
            #expect(world.lines("none.jsonl").isEmpty)
            #expect(agent.queues[2]?.counters.acceptedEvents == 0)
            agent.stop()
        }
    }

    /// Records under `n` and `level` that a processor marks, by its condition.
    @Test(arguments: [
        ("op: and", "{field: $level, op: eq, value: error}, {field: n, op: gte, value: 2}", [2]),
        ("op: or", "{field: $level, op: eq, value: error}, {field: n, op: gte, value: 3}", [0, 2, 3, 4]),
        ("op: and", "{field: $level, op: in, value: [info, debug]}", [1, 3]),
        ("op: and", "{field: $level, op: not_regex, value: '^(error|info)$'}", [3, 4]),
        ("op: and", "{field: $level, op: neq, value: error}", [1, 3, 4]),
        ("op: and", "{field: $level, op: not_in, value: [error, debug]}", [1, 4]),
        ("op: and", "{field: \"$k['a']\", op: lt, value: 0.5, context: body}", [4]),
    ])
    func aConditionChoosesWhatAProcessorSees(op: String, rules: String, marked: [Int]) throws {
        try withTemporaryFolder { folder in
            let records = [
                #"{"n":0,"level":"error"}"#, #"{"n":1,"level":"info"}"#, #"{"n":2,"level":"error"}"#,
                #"{"n":3,"level":"debug"}"#, #"{"n":4,"k":{"a":0.25}}"#,
            ]
            try folder.write("in.log", records.map { $0 + "\n" }.joined())
            let world = try AgentWorld(folder)
            let agent = try world.start(
                """
                service:
                  flush: 10ms
                parsers:
                  - name: json
                    format: json
                pipeline:
                  inputs:
                    - name: tail
                      path: \(folder.path)/in.log
                      read_from_head: on
                      parser: json
                      processors:
                        logs:
                          - name: content_modifier
                            action: insert
                            key: marked
                            value: yes
                            condition:
                              \(op)
                              rules: [\(rules)]
                  outputs:
                    - name: file
                      match: '*'
                      format: plain
                      path: \(folder.path)
                      file: out.jsonl
                """
            )
            let expected = records.enumerated().map { index, record in
                marked.contains(index) ? record.dropLast() + #","marked":"yes"}"# : record
            }
            #expect(try world.lines("out.jsonl", count: records.count) == expected)
            agent.stop()
        }
    }

    @Test(arguments: [
        ("{op: xor, rules: [{field: a, op: eq, value: b}]}", "the op of a condition is and, or or"),
        ("{op: and}", "a condition needs rules"),
        ("{rules: [{field: a, op: equals, value: b}]}", "unknown op 'equals'"),
        ("{rules: [{field: a, op: gt, value: b}]}", "'b' is no number"),
        ("{rules: [{field: a, op: eq}]}", "a rule of a condition needs field, op and value"),
        ("{rule: []}", "unknown key 'rule' of condition"),
        ("{rules: [{field: a, op: eq, value: b, context: metadata}]}", "the context 'metadata' is not supported"),
    ])
    func aWrongConditionIsSaid(condition: String, problem: String) throws {
        try withTemporaryFolder { folder in
            let problems = try AgentWorld(folder).problems(
                of: """
                    pipeline:
                      inputs:
                        - name: dummy
                          processors:
                            logs:
                              - name: content_modifier
                                action: delete
                                key: a
                                condition: \(condition)
                      outputs:
                        - name: stdout
                          match: '*'
                    """
            )
            #expect(problems.contains(problem), "\(problems)")
        }
    }

    @Test
    func whatCannotBeDoneIsSaidWithItsPlace() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let problems = try world.problems(
                of: """
                    pipeline:
                      inputs:
                        - name: dummy
                          routes:
                            logs:
                              - name: a
                      outputs:
                        - name: stdout
                          match: '*'
                          processors:
                            logs:
                              - name: multiline
                                multiline.parser: java
                            metrics:
                              - name: x
                    """
            )
            #expect(problems.contains("wrong.yaml:4:7: error: routes of an input are not supported"), "\(problems)")
            #expect(problems.contains("processors of 'metrics' are not supported"))
            let second = try world.problems(
                of: """
                    pipeline:
                      outputs:
                        - name: stdout
                          match: '*'
                          processors:
                            logs:
                              - name: multiline
                                multiline.parser: java
                    """
            )
            #expect(second.contains("the filter 'multiline' keeps events"), "\(second)")
        }
    }

    @Test
    func variablesComeFromFiles() throws {
        try withTemporaryFolder { folder in
            let secret = try folder.write("secret", "from a file\n")
            let world = try AgentWorld(folder)
            func text(_ uri: String) -> String {
                """
                env:
                  - name: secret
                    uri: \(uri)
                    refresh_interval: 1
                  - name: plain
                    value: as it is
                service:
                  flush: 10ms
                pipeline:
                  inputs:
                    - name: dummy
                      dummy: '{"a":"${secret}","b":"${plain}"}'
                      samples: 1
                      interval_nsec: 1000000
                  outputs:
                    - name: file
                      match: '*'
                      format: plain
                      path: \(folder.path)
                      file: out.jsonl
                """
            }
            let agent = try world.start(text("file://\(secret)"))
            #expect(try world.lines("out.jsonl", count: 1) == [#"{"a":"from a file","b":"as it is"}"#])
            agent.stop()
            #expect(try world.problems(of: text("file:///does/not/exist")).contains("/does/not/exist"))
            #expect(try world.problems(of: text("http://x")).contains("'http://x' is no file"))
        }
    }

    @Test
    func anUnroutableInputIsCountedAndGoesNowhere() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let agent = try world.start(
                """
                [INPUT]
                    Name dummy
                    Routable Off
                    Samples 2
                    Interval_Nsec 1000000
                [OUTPUT]
                    Name file
                    Match *
                    Path \(folder.path)
                    File out
                """
            )
            try world.turn("both events") { agent.inputCounters[0].events == 2 }
            #expect(agent.queues[0]?.counters.acceptedEvents == 0)
            agent.stop()
        }
    }

    @Test
    func dummyTimesAreThoseOfTheConfiguration() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let agent = try world.start(
                """
                [SERVICE]
                    Flush 0.01
                [INPUT]
                    Name dummy
                    Samples 2
                    Interval_Nsec 1000000
                    Start_Time_Sec 1000000000
                    Start_Time_Nsec 5
                    Fixed_Timestamp On
                    Flush_On_Startup On
                [OUTPUT]
                    Name file
                    Match *
                    Path \(folder.path)
                    File out
                """
            )
            let lines = try world.lines("out", count: 2)
            #expect(lines == [String](repeating: #"dummy.0: [1000000000.000000005, {"message":"dummy"}]"#, count: 2))
            agent.stop()
        }
    }
}
