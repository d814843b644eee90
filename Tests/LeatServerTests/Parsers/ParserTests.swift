import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

@Suite struct ParserTests {
    @Test func everyBuiltInParserCompiles() async throws {
        try await TestServer.with { server in
            let names = try await server.send("GET", "/api/v1/parsers").json?.array?.compactMap { $0["name"]?.string }
            #expect(names == ParserDefinition.builtIn.map(\.name).sorted())
        }
    }

    @Test func aScriptTakesEventsApartAndTagsThem() async throws {
        try await TestServer.with { server in
            let parser = #"{"script":"parseJson() | drop([secret])","tagFields":["kind"]}"#
            #expect(try await server.send("PUT", "/api/v1/parsers/mine", parser).status == 200)
            let body = #"[{"messages":["{\"kind\":\"a\",\"n\":1,\"secret\":2}","{\"kind\":\"b\",\"n\":2}","no json"]}]"#
            let answer = try await server.send("POST", "/api/v1/ingest/humio-unstructured?parser=mine", body)
            #expect(answer.status == 200)
            let rows = try await server.query("*")
            #expect(rows.count == 3)
            let first = rows.first { $0["n"] == "1" }
            #expect(first?["#kind"] == "a")
            #expect(first?["secret"] == nil)
            #expect(rows.contains { $0["@rawstring"] == "no json" })
            let ofB = try await server.query("#kind=b")
            #expect(ofB.count == 1)
        }
    }

    @Test func aScriptThatIsWrongIsRefusedWithItsPlace() async throws {
        try await TestServer.with { server in
            let answer = try await server.send("PUT", "/api/v1/parsers/mine", #"{"script":"parseJsn()"}"#)
            #expect(answer.status == 400)
            #expect(answer.text.contains("did you mean 'parseJson'?"))
            #expect(try await server.send("GET", "/api/v1/parsers/mine").status == 404)
            #expect(try await server.send("PUT", "/api/v1/parsers/mine", "name: x\n").status == 400)
        }
    }

    @Test func anUnknownParserLosesNothing() async throws {
        try await TestServer.with { server in
            let body = "{\"create\":{}}\n{\"message\":\"x\"}\n"
            #expect(try await server.send("POST", "/_bulk?parser=none", body).status == 200)
            let row = try await server.query("*").first
            #expect(row?["@rawstring"] == "x")
            #expect(row?["@error"] == "true")
            #expect(row?["@error_msg"] == "unknown parser 'none'")
        }
    }

    /// A change is a new version, earlier ones can be shown, and what is stored stays as it was parsed.
    @Test func parsersHaveVersions() async throws {
        let folder = try TemporaryFolder()
        try await TestServer.with(folder: folder) { server in
            for (script, version) in [("kvParse()", 1), ("kvParse() | b := 2", 2), ("kvParse() | b := 2", 2)] {
                let body = JSONValue.object([.init("script", .string(script))])
                let answer = try await server.send("PUT", "/api/v1/parsers/mine", body.bytes)
                #expect(answer.json?["version"]?.int == version)
                #expect(try await server.send("POST", "/api/v1/ingest/raw?parser=mine", "a=\(version)").status == 200)
            }
            #expect(try await server.send("DELETE", "/api/v1/parsers/mine").status == 204)
        }
        try await TestServer.with(folder: folder) { server in
            let rows = try await server.query("groupBy([a, b])") + server.query("b != * | select(a)")
            #expect(rows.map(\.jsonText) == [#"{"a":"2","b":"2","_count":"2"}"#, #"{"a":"1"}"#])
            let path = "/api/v1/parsers/mine"
            #expect(try await server.send("GET", path).status == 404)
            #expect(try await server.send("GET", path + "?version=1").json?["script"] == "kvParse()")
            let missing = try await server.send("GET", path + "?version=7")
            #expect(missing.status == 404)
            #expect(missing.text.contains("there are 1, 2"))
            let again = try await server.send("PUT", path, #"{"script":"parseJson()"}"#)
            #expect(again.json?["version"]?.int == 3)
        }
    }

    @Test func theOldestVersionsGo() async throws {
        try await TestServer.with { server in
            let count = ServerLimits.parserVersionCountMax + 3
            for number in 1...count {
                _ = try await server.send("PUT", "/api/v1/parsers/mine", "{\"script\":\"n := \(number)\"}")
            }
            let path = "/api/v1/parsers/mine?version="
            #expect(try await server.send("GET", path + "2").status == 404)
            #expect(try await server.send("GET", path + "3").json?["script"] == "n := 3")
            #expect(try await server.send("GET", path + "\(count)").json?["script"]?.string == "n := \(count)")
        }
    }

    @Test func logScalesYAMLIsRead() async throws {
        try await TestServer.with { server in
            let yaml =
                "name: mine\n$schema: https://schemas.humio.com/parser/v0.3.0\nscript: |-\n  kvParse()\ntagFields:\n- env\n"
            #expect(try await server.send("PUT", "/api/v1/parsers/mine", yaml).status == 200)
            #expect(try await server.send("POST", "/api/v1/ingest/raw?parser=mine", "env=prod a=1").status == 200)
            let row = try await server.query("*").first
            #expect(row?["a"] == "1")
            #expect(row?["#env"] == "prod")
            #expect(try await server.send("DELETE", "/api/v1/parsers/mine").status == 204)
        }
    }
}
