import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

struct LuaFilterTests {
    struct Case: Sendable {
        var code: String
        var more = ""
        var record: String
        var expected: [String]
    }

    static let cases: [Case] = [
        Case(code: "function f(tag, ts, r) return 0, 0, 0 end", record: #"{"a":1}"#, expected: [#"{"a":1}"#]),
        Case(code: "function f(tag, ts, r) return -1, 0, 0 end", record: #"{"a":1}"#, expected: []),
        Case(
            code: "function f(tag, ts, r) r.b = tag r.a = nil r.c = {1, 'x', {y = true}} return 2, ts, r end",
            record: #"{"z":1.5,"a":1,"n":null,"s":"ä\n"}"#,
            expected: [#"{"z":1.5,"s":"ä\n","b":"test.tag","c":[1,"x",{"y":true}]}"#]
        ),
        Case(
            code: "function f(tag, ts, r) return 2, ts, {{a = 1}, {a = 2}} end",
            record: "{}",
            expected: [#"{"a":1}"#, #"{"a":2}"#]
        ),
        Case(
            code: "function f(tag, ts, r) r.e = {} r.l = {} return 2, ts, r end",
            more: "\nType_Array_Key l",
            record: "{}",
            expected: [#"{"e":{},"l":[]}"#]
        ),
        Case(
            code: "function f(tag, ts, r) if r.a == flb_null then r.b = 7 / 2 end return 2, ts, r end",
            more: "\nEnable_Flb_Null On\nType_Int_Key b",
            record: #"{"a":null}"#,
            expected: [#"{"a":null,"b":3}"#]
        ),
        Case(code: "function f(tag, ts, r) error('no') end", record: #"{"a":1}"#, expected: [#"{"a":1}"#]),
        Case(code: "function f(tag, ts, r) return 1, ts, 5 end", record: #"{"a":1}"#, expected: [#"{"a":1}"#]),
    ]

    /// Whether a library is there; says so when it is not.
    private static var isAvailable: Bool {
        if LuaLibrary.open() != nil { return true }
        print("skipped: no Lua library is installed")
        return false
    }

    @Test(arguments: cases)
    func functionsDecide(_ expected: Case) throws {
        guard Self.isAvailable else { return }
        var run = try FilterRun("Name lua\nCall f\nCode \(expected.code)\(expected.more)")
        #expect(run.apply([expected.record]) == expected.expected)
    }

    @Test(arguments: [false, true])
    func withoutALibraryADryRunWarnsAndARunFails(isDryRun: Bool) throws {
        guard LuaLibrary.open() == nil else { return print("skipped: a Lua library is installed") }
        try withTemporaryFolder { folder in
            let path = try folder.write("a.conf", "[FILTER]\nName lua\nMatch *\nScript no.lua\nCall f\n")
            let configuration = try ConfigurationReader(files: PosixFileSystem(), environment: [:]).read(path: path)
            var check = ConfigurationCheck(configuration, disk: PosixFileSystem(), isDryRun: isDryRun)
            let isAccepted = check.run() != nil
            #expect(isAccepted == isDryRun)
            #expect(check.diagnostics.map(\.severity) == [isDryRun ? .warning : .error])
            #expect(check.diagnostics[0].message == "no Lua library is installed")
            #expect(check.diagnostics[0].hint?.contains("liblua5.4-0") == true)
        }
    }

    @Test
    func timesComeAndGoWithNanoseconds() throws {
        guard Self.isAvailable else { return }
        let code = "function f(tag, ts, r) ts.sec = ts.sec + 1 r.n = ts.nsec return 1, ts, r end"
        let run = try FilterRun("Name lua\nCall f\nTime_As_Table On\nCode \(code)")
        var events = EventList()
        events.endEvent(time: 5_000_000_007)
        var context = FilterContext(now: run.time, monotonicNanoseconds: 0)
        run.filter.apply(to: &events, tag: RouteTag("t"), context: &context)
        #expect(events.times == [6_000_000_007])
        #expect(FilterRun.records(events) == [#"{"n":7}"#])
    }

    @Test
    func scriptsAreFilesToo() throws {
        guard Self.isAvailable else { return }
        try withTemporaryFolder { folder in
            try folder.write("a.lua", "function g(tag, ts, r) r.x = 1 return 2, ts, r end")
            var run = try FilterRun("Name lua\nCall g\nScript \(folder.path("a.lua"))")
            #expect(run.apply(["{}"]) == [#"{"x":1}"#])
        }
    }

    static let wrong: [(lines: String, message: String)] = [
        ("Name lua\nCode x = 1", "this filter has no Call"),
        ("Name lua\nCall f", "this filter has neither Script nor Code"),
        ("Name lua\nCall f\nCode x = 1", "the script does not run: there is no function 'f'"),
        ("Name lua\nCall f\nCode x = = 1", "the script does not run: "),
    ]

    @Test(arguments: wrong)
    func wrongScriptsAreErrors(lines: String, message: String) throws {
        guard Self.isAvailable else { return }
        let errors = try #require(throws: Diagnostics.self) { try FilterRun(lines) }
        #expect(errors.all.first?.message.hasPrefix(message) == true)
    }
}
