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
