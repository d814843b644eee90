import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

@Suite struct AccessTests {
    static let document = "{\"create\":{}}\n{\"message\":\"x\"}\n"
    static let question = #"{"queryString":"*","start":"all"}"#

    /// The secret of a new token.
    static func make(_ server: TestServer, _ body: String, by secret: String? = nil) async throws -> String {
        let headers = secret.map { ["Authorization": "Bearer \($0)"] } ?? [:]
        let answer = try await server.send("POST", "/api/v1/tokens", body, headers: headers)
        guard answer.status == 201, let token = answer.json?["token"]?.string else {
            throw TestFailure("no token: \(answer.status) \(answer.text)")
        }
        return token
    }

    static func bulk(_ server: TestServer, _ authorization: String, _ path: String = "/_bulk") async throws -> Int {
        try await server.send("POST", path, Self.document, headers: ["Authorization": authorization]).status
    }

    @Test func theFirstTokenIsAnAdmins() async throws {
        try await TestServer.with { server in
            let early = try await server.send("POST", "/api/v1/tokens", #"{"name":"a","kind":"ingest"}"#)
            #expect(early.status == 409)
            #expect(early.text.contains("admin"))
            // Open mode: credentials are ignored.
            #expect(try await Self.bulk(server, "Bearer nonsense") == 200)
            let admin = try await Self.make(server, #"{"name":"root","kind":"admin"}"#)
            #expect(try await Self.bulk(server, "Bearer nonsense") == 401)
            #expect(try await Self.bulk(server, "Bearer \(admin)") == 200)
            #expect(try await server.send("GET", "/api/v1/health").status == 200)
            #expect(try await server.send("GET", "/api/v1/tokens").status == 401)
        }
    }

    @Test func rightsAreApart() async throws {
        let folder = try TemporaryFolder()
        let (admin, ingest, query) = try await TestServer.with(folder: folder) { server in
            let admin = try await Self.make(server, #"{"name":"root","kind":"admin"}"#)
            let ingest = try await Self.make(
                server,
                #"{"name":"in","kind":"ingest","repository":"shop"}"#,
                by: admin
            )
            let query = try await Self.make(server, #"{"name":"out","kind":"query","repository":"shop"}"#, by: admin)
            return (admin, ingest, query)
        }
        try await TestServer.with(folder: folder) { server in
            let shop = "/api/v1/repositories/shop/query"
            func ask(_ path: String, _ secret: String) async throws -> Int {
                let headers = ["Authorization": "Bearer \(secret)"]
                return try await server.send("POST", path, Self.question, headers: headers).status
            }
            // The ingest token selects its repository, whatever the way it is shown.
            #expect(try await Self.bulk(server, "Bearer \(ingest)") == 200)
            #expect(try await Self.bulk(server, "ApiKey \(ingest)") == 200)
            #expect(try await Self.bulk(server, "Splunk \(ingest)") == 200)
            #expect(try await Self.bulk(server, "Basic \(Self.base64("any:\(ingest)"))") == 200)
            #expect(try await Self.bulk(server, "Basic \(Self.base64("\(ingest):"))") == 200)
            #expect(try await Self.bulk(server, "ApiKey \(Self.base64("id:\(ingest)"))") == 200)
            #expect(try await Self.bulk(server, "Bearer \(ingest)", "/api/v1/repositories/shop/_bulk") == 200)
            #expect(try await Self.bulk(server, "Bearer \(ingest)", "/api/v1/repositories/other/_bulk") == 403)
            #expect(try await Self.bulk(server, "Bearer \(query)") == 403)
            #expect(try await ask(shop, query) == 200)
            #expect(try await ask(shop, ingest) == 403)
            #expect(try await ask("/api/v1/repositories/default/query", query) == 403)
            #expect(try await ask(shop, admin) == 200)
            let headers = ["Authorization": "Bearer \(query)"]
            #expect(try await server.send("POST", "/api/v1/admin/compact", nil, headers: headers).status == 403)
            let rows = try await server.send("POST", shop, Self.question, headers: headers)
            #expect(rows.lines.count == 7)
            // Revocation counts at once.
            let byAdmin = ["Authorization": "Bearer \(admin)"]
            #expect(try await server.send("DELETE", "/api/v1/tokens/in", nil, headers: byAdmin).status == 204)
            #expect(try await Self.bulk(server, "Bearer \(ingest)") == 401)
            let listed = try await server.send("GET", "/api/v1/tokens", nil, headers: byAdmin)
            #expect(!listed.text.contains(ingest))
            #expect(listed.json?.array?.count == 2)
        }
    }

    /// What a token that is bound to one repository must not see, or change, of the others.
    @Test func aBoundTokenSeesItsRepositoryOnly() async throws {
        try await TestServer.with { server in
            for name in ["shop", "secret"] {
                let body = "{\"index\":{\"_index\":\"\(name)-index\"}}\n{}\n"
                let answer = try await server.send("POST", "/api/v1/repositories/\(name)/_bulk", body)
                #expect(answer.status == 200)
            }
            let admin = try await Self.make(server, #"{"name":"root","kind":"admin"}"#)
            let query = try await Self.make(server, #"{"name":"q","kind":"query","repository":"shop"}"#, by: admin)
            let bound = try await Self.make(server, #"{"name":"a","kind":"admin","repository":"shop"}"#, by: admin)
            for secret in [query, bound] {
                let headers = ["Authorization": "Bearer \(secret)"]
                let paths = ["/api/v1/repositories", "/api/v1/status", "/_cat/indices?format=json", "/_cat/count"]
                for path in paths {
                    let answer = try await server.send("GET", path, nil, headers: headers)
                    #expect(answer.status == 200, "\(path)")
                    #expect(!answer.text.contains("secret"), "\(path): \(answer.text)")
                    #expect(answer.text.contains("shop") || path == "/_cat/count", "\(path): \(answer.text)")
                }
                let count = try await server.send("GET", "/_count", nil, headers: headers)
                #expect(count.json?["count"] == 1)
                #expect(try await server.send("GET", "/secret-index/_count", nil, headers: headers).status == 404)
                #expect(try await server.send("HEAD", "/secret-index", nil, headers: headers).status == 404)
                #expect(try await server.send("HEAD", "/shop-index", nil, headers: headers).status == 200)
                let other = "/api/v1/repositories/secret"
                #expect(try await server.send("GET", other, nil, headers: headers).status == 403)
                #expect(try await server.send("GET", "\(other)/_count", nil, headers: headers).status == 403)
            }
            let headers = ["Authorization": "Bearer \(bound)"]
            for (method, path, body) in [
                ("POST", "/api/v1/tokens", #"{"name":"x","kind":"admin"}"#),
                ("POST", "/api/v1/repositories", #"{"name":"x"}"#), ("PUT", "/api/v1/parsers/json", #"{"script":"*"}"#),
                ("DELETE", "/api/v1/repositories/secret", ""),
            ] {
                let answer = try await server.send(method, path, body, headers: headers)
                #expect(answer.status == 403, "\(method) \(path)")
            }
            // The token selects the repository, whatever its kind.
            #expect(try await Self.bulk(server, "Bearer \(bound)") == 200)
            let rows = try await server.send("GET", "/_count", nil, headers: headers)
            #expect(rows.json?["count"] == 2)
        }
    }

    @Test func whoShowsNoTokenLearnsOnlyThatTheServerIsThere() async throws {
        try await TestServer.with { server in
            let admin = try await Self.make(server, #"{"name":"root","kind":"admin"}"#)
            for headers in [[:], ["Authorization": "Bearer nonsense"]] {
                let answer = try await server.send("GET", "/api/v1/status", nil, headers: headers)
                #expect(answer.status == 200)
                #expect(answer.json?["status"] == "OK")
                #expect(answer.json?.object?.map(\.key) == ["status", "version", "leatVersion", "uptimeSeconds"])
            }
            let headers = ["Authorization": "Bearer \(admin)"]
            let whole = try await server.send("GET", "/api/v1/status", nil, headers: headers)
            #expect(whole.json?["repositories"]?.array?.isEmpty == false)
        }
    }

    /// Shippers define templates, policies and pipelines before they send, with the token that they send with; what they
    /// define is known in their repository and changes nothing anywhere.
    @Test func definitionsStayInTheirRepository() async throws {
        try await TestServer.with { server in
            let admin = try await Self.make(server, #"{"name":"root","kind":"admin"}"#)
            let shop = try await Self.make(server, #"{"name":"s","kind":"ingest","repository":"shop"}"#, by: admin)
            let other = try await Self.make(server, #"{"name":"o","kind":"ingest","repository":"other"}"#, by: admin)
            let reader = try await Self.make(server, #"{"name":"r","kind":"query","repository":"shop"}"#, by: admin)
            func status(_ method: String, _ path: String, _ secret: String) async throws -> Int {
                let headers = ["Authorization": "Bearer \(secret)"]
                return try await server.send(method, path, "{}", headers: headers).status
            }
            let paths = [
                "/_index_template/logs", "/_template/logs", "/_component_template/logs", "/_ilm/policy/logs",
                "/_ingest/pipeline/logs", "/_data_stream/stream", "/logs",
            ]
            for path in paths {
                #expect(try await status("PUT", path, reader) == 403, "\(path)")
                #expect(try await status("GET", path, reader) == 404, "\(path)")
                #expect(try await status("PUT", path, shop) == 200, "\(path)")
                #expect(try await status("GET", path, shop) == 200, "\(path)")
                #expect(try await status("GET", path, reader) == 200, "\(path)")
                #expect(try await status("HEAD", path, other) == 404, "\(path)")
                #expect(try await status("DELETE", path, other) == 404, "\(path)")
                #expect(try await status("PUT", path, other) == 200, "\(path)")
                #expect(try await status("DELETE", path, other) == 200, "\(path)")
                #expect(try await status("DELETE", path, reader) == 403, "\(path)")
                #expect(try await status("GET", path, shop) == 200, "\(path)")
            }
            // A pipeline or template of one changes no event of the other.
            #expect(try await Self.bulk(server, "Bearer \(shop)") == 200)
            #expect(try await Self.bulk(server, "Bearer \(other)", "/_bulk?pipeline=logs") == 200)
            let headers = ["Authorization": "Bearer \(admin)"]
            for name in ["shop", "other"] {
                let path = "/api/v1/repositories/\(name)/query"
                let rows = try await server.send("POST", path, Self.question, headers: headers)
                let row = try JSONValue(parsing: rows.lines[0])
                #expect(row["@rawstring"] == "x" && row["@error"] == nil, "\(rows.text)")
            }
        }
    }

    @Test func theOldestDefinitionsOfARepositoryAreForgotten() {
        let definitions = ElasticDefinitions()
        definitions.add(.init("other", "_template", "kept"))
        for number in 0...ServerLimits.definitionCountMax { definitions.add(.init("shop", "_template", "\(number)")) }
        #expect(definitions.contains(.init("other", "_template", "kept")))
        #expect(!definitions.contains(.init("shop", "_template", "0")))
        #expect(definitions.names("_template", in: "shop").count == ServerLimits.definitionCountMax)
        let long = String(repeating: "x", count: ServerLimits.definitionByteCountMax / 8)
        for number in 0..<10 { definitions.add(.init("\(number)", "_template", long)) }
        #expect(!definitions.contains(.init("0", "_template", long)))
        #expect(definitions.contains(.init("9", "_template", long)))
    }

    static let tokens: [(body: String, status: Int, says: String)] = [
        (#"{"name":"a","kind":"ingest","repository":17}"#, 400, "must be a string"),
        (#"{"name":"a","kind":"query","repository":"a/b"}"#, 400, "cannot be a repository's name"),
        (#"{"name":"a","kind":"query","repository":""}"#, 400, "cannot be a repository's name"),
        (#"{"name":"a","kind":"ingest","repository":"defalt"}"#, 201, "did you mean 'default'?"),
        (#"{"name":"b","kind":"ingest","repository":"default","parser":"json"}"#, 201, #""warnings":[]"#),
        (#"{"name":"c","kind":"ingest","parser":"jsn"}"#, 404, "did you mean 'json'?"),
        (#"{"name":"c","kind":"query","parser":"json"}"#, 400, "only events of an ingest token"),
        (#"{"name":"c","kind":"query","repo":"default"}"#, 400, "unknown member 'repo'"),
        (#"["name"]"#, 400, "must be a JSON object"),
        (#"{"name":"..","kind":"query"}"#, 400, "has the part '..'"),
        (#"{"name":"x\u202ey","kind":"query"}"#, 400, "has the character U+202E"),
    ]

    @Test func namesInANewTokenAreChecked() async throws {
        try await TestServer.with { server in
            let admin = try await Self.make(server, #"{"name":"root","kind":"admin"}"#)
            let headers = ["Authorization": "Bearer \(admin)"]
            for (body, status, says) in Self.tokens {
                let answer = try await server.send("POST", "/api/v1/tokens", body, headers: headers)
                #expect(answer.status == status, "\(body): \(answer.text)")
                #expect(answer.text.contains(says), "\(body): \(answer.text)")
            }
            let users = try await server.send("GET", "/api/v1/users", nil, headers: headers)
            #expect(users.json?.array?.compactMap { $0["userID"]?.string } == ["a", "b", "root"])
        }
    }

    @Test func refusalsAreWordedForTheirAPI() async throws {
        try await TestServer.with { server in
            _ = try await Self.make(server, #"{"name":"root","kind":"admin"}"#)
            let elastic = try await server.send("POST", "/_bulk", Self.document)
            #expect(elastic.status == 401)
            #expect(elastic.json?["error"]?["type"] == "security_exception")
            #expect(elastic.headers["www-authenticate"]?.hasPrefix("Basic") ?? false)
            let splunk = try await server.send("POST", "/services/collector", #"{"event":"x"}"#)
            #expect(splunk.status == 401)
            #expect(splunk.json?["code"] == 2)
            let wrong = try await server.send(
                "POST",
                "/services/collector",
                #"{"event":"x"}"#,
                headers: ["Authorization": "Splunk nonsense"]
            )
            #expect(wrong.status == 403)
            #expect(wrong.json?["code"] == 4)
        }
    }

    @Test func aTokenExpires() {
        let time = ManualTime()
        let token = Token(
            name: "t",
            kind: .query,
            repository: nil,
            parser: nil,
            createdAt: time.now(),
            expiresAt: Timestamp(nanoseconds: time.now().nanoseconds + 1_000_000_000),
            secret: Secret("s")
        )
        #expect(token.isValid(at: time.now()))
        time.advance(by: .seconds(1))
        #expect(!token.isValid(at: time.now()))
        #expect(Token(document: token.document) == token)
        #expect("\(Secret("s"))" == "•••")
        #expect(!token.document.jsonText.contains("\"s\""))
    }

    @Test func digestsAndBase64AreThoseOfTheStandards() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(SHA256.hexadecimal(Array("abc".utf8)) == abc)
        for text in ["", "f", "fo", "foo", "foob", "id:key", "ä:ö"] {
            #expect(Base64.decode(Self.base64(text)) == text)
        }
        #expect(Base64.decode("a b") == nil)
    }

    static func base64(_ text: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var result = ""
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for index in 0..<3 { bits = bits << 8 | UInt32(index < group.count ? group[start + index] : 0) }
            for index in 0..<4 {
                result.append(index <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * index)) & 63] : "=")
            }
        }
        return result
    }
}
