import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// Lookup files and saved queries, over REST and GraphQL, and their use in queries.
@Suite struct LibraryTests {
    private static let files = "/api/v1/dataspaces/default/files"
    private static let queries = "/api/v1/repositories/default/savedqueries"
    private static let event = "{\"create\":{}}\n{\"message\":\"x\",\"code\":\"7\"}\n"

    private static func form(_ name: String, _ text: String) -> (body: String, type: String) {
        (
            "--b0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\n"
                + "Content-Type: text/csv\r\n\r\n\(text)\r\n--b0undary--\r\n",
            "multipart/form-data; boundary=b0undary"
        )
    }

    @Test func anUploadedFileIsUsedByQueriesAndOutlivesARestart() async throws {
        let folder = try TemporaryFolder()
        try await TestServer.with(folder: folder) { server in
            #expect(try await server.send("POST", "/_bulk", Self.event).status == 200)
            let (body, type) = Self.form("codes.csv", "code,meaning\n7,seven\n")
            let sent = try await server.send("POST", Self.files, body, headers: ["Content-Type": type])
            #expect(sent.status == 200, "\(sent.text)")
        }
        try await TestServer.with(folder: folder) { server in
            let rows = try await server.query("match(\"codes.csv\", field=code) | select([meaning])")
            #expect(rows.first?["meaning"] == "seven")
            #expect(try await server.send("GET", "\(Self.files)/codes.csv").text == "code,meaning\n7,seven\n")
            #expect(try await server.send("GET", Self.files).json == [["name": "codes.csv", "size": 21]])
            #expect(try await server.send("PUT", "\(Self.files)/codes.csv", "code,meaning\n7,siete\n").status == 200)
            #expect(try await server.query("readFile(\"codes.csv\")").first?["meaning"] == "siete")
            #expect(try await server.send("DELETE", "\(Self.files)/codes.csv").status == 204)
            let gone = try await server.send("GET", "\(Self.files)/codes.csv")
            #expect(gone.status == 404)
        }
    }

    static let faults: [(body: String, type: String, says: String)] = [
        ("code,meaning", "text/csv", "multipart/form-data"),
        ("--b\r\n\r\n", "multipart/form-data; boundary=b", "multipart/form-data"),
        (
            "--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--b--\r\n",
            "multipart/form-data; boundary=b", "no field 'file'"
        ),
    ]

    @Test(arguments: faults)
    func aBadUploadIsExplained(body: String, type: String, says: String) async throws {
        try await TestServer.with { server in
            let answer = try await server.send("POST", Self.files, body, headers: ["Content-Type": type])
            #expect(answer.status == 400)
            #expect(answer.text.contains(says), "\(answer.text)")
        }
    }

    @Test func aSavedQueryIsCalledByItsName() async throws {
        try await TestServer.with { server in
            #expect(try await server.send("POST", "/_bulk", Self.event).status == 200)
            let saved = try await server.send(
                "PUT",
                "\(Self.queries)/sevens",
                #"{"queryString":"code = ?{c=7} | count()"}"#
            )
            #expect(saved.status == 200, "\(saved.text)")
            #expect(try await server.query("$sevens()").first?["_count"] == "1")
            #expect(try await server.query("$\"sevens\"(c=8)").first?["_count"] == "0")
            #expect(try await server.query("$query://sevens()").first?["_count"] == "1")
            let bad = try await server.send("PUT", "\(Self.queries)/bad", #"{"queryString":"a and ("}"#)
            #expect(bad.status == 400)
            #expect(bad.text.contains("query:1:"))
            let unknown = try await server.send("GET", "\(Self.queries)/seven")
            #expect(unknown.status == 404)
            #expect(unknown.text.contains("did you mean 'sevens'?"))
            #expect(try await server.send("DELETE", "\(Self.queries)/sevens").status == 204)
            #expect(try await server.send("GET", Self.queries).json == [])
        }
    }

    /// Sends a document and returns its answer.
    private static func graphQL(_ server: TestServer, _ document: String, _ variables: JSONValue = .null) async throws
        -> JSONValue
    {
        let body = JSONValue.object([.init("query", .string(document)), .init("variables", variables)])
        let answer = try await server.send("POST", "/graphql", body.bytes)
        #expect(answer.status == 200)
        return try #require(answer.json)
    }

    @Test func filesAreEditedOverGraphQL() async throws {
        try await TestServer.with { server in
            let made = try await Self.graphQL(
                server,
                "mutation($f : String!, $r : String!){newFile(fileName: $f, name: $r){nameAndPath { name, path}}}",
                ["f": "t.csv", "r": "default"]
            )
            #expect(made == ["data": ["newFile": ["nameAndPath": ["name": "t.csv", "path": .null]]]])
            let changed = try await Self.graphQL(
                server,
                """
                mutation ($rows: [[String!]!]!, $headers: [String!]!) {
                  updateFile(fileName: "t.csv", name: "default", changedRows: $rows, headers: $headers,
                             columnChanges: [], limit: 200, offset: 0) { totalLinesCount, headers, lines }
                }
                """,
                ["rows": [["a", "1"], ["b, c", "2"]], "headers": ["k", "v"]]
            )
            #expect(changed["data"]?["updateFile"]?["totalLinesCount"] == 2, "\(changed)")
            #expect(try await server.send("GET", "\(Self.files)/t.csv").text == "k,v\r\na,1\r\n\"b, c\",2\r\n")
            let content = try await Self.graphQL(
                server,
                #"{getFileContent(name: "default", fileName: "t.csv", offset: 1, limit: 5) { lines, offset }}"#
            )
            #expect(content == ["data": ["getFileContent": ["lines": [["b, c", "2"]], "offset": 1]]])
            let listed = try await Self.graphQL(
                server,
                #"query { searchDomain(name: "default") { __typename files { nameAndPath { name } } } }"#
            )
            #expect(listed["data"]?["searchDomain"]?["__typename"] == "Repository")
            #expect(listed["data"]?["searchDomain"]?["files"] == [["nameAndPath": ["name": "t.csv"]]])
        }
    }

    @Test func anAnswerHasWhatWasAskedForAndSaysWhatIsWrong() async throws {
        try await TestServer.with { server in
            let both = try await Self.graphQL(
                server,
                """
                query Q($all: Boolean = false) {
                  domains: searchDomains { ...names, id @include(if: $all) }
                  viewer { username }  # a comment
                }
                fragment names on SearchDomain { name ... on View { connections { filter } } }
                """
            )
            #expect(both == ["data": ["domains": [["name": "default"]], "viewer": ["username": "local"]]])
            let unknown = try await Self.graphQL(server, "{ searchDomain(name: \"defalt\") { name } viewer { nam } }")
            #expect(unknown["data"]?["searchDomain"] == JSONValue.null)
            #expect(unknown["errors"]?[0]?["message"]?.string?.contains("did you mean 'default'?") ?? false)
            #expect(unknown["errors"]?[1]?["path"] == ["viewer", "nam"])
            let broken = try await Self.graphQL(server, "{ viewer { ")
            #expect(broken["data"] == JSONValue.null)
            #expect(broken["errors"]?[0]?["locations"]?[0]?["line"] == 1)
            let deep = try await Self.graphQL(server, String(repeating: "{ a ", count: 5_000))
            #expect(deep["errors"]?[0]?["message"]?.string?.contains("deeply") ?? false)
        }
    }

    static let badNames: [(name: String, says: String)] = [
        ("../../x", "has the part '..'"), ("a/../b", "has the part '..'"), ("..", "has the part '..'"),
        ("a/./b", "has the part '.'"), ("/etc/passwd", "has the part ''"), ("a//b", "has the part ''"),
        ("a\r\nX-Injected: 1", "has the character U+000D"), ("a\nb", "has the character U+000A"),
        ("\u{1B}[2Jx", "has the character U+001B"), ("a\u{0}b", "has the character U+0000"),
        ("a\u{202E}b", "has the character U+202E"), ("a\u{85}b", "has the character U+0085"),
        ("..\\x", "has the character U+005C"), ("a*", "has the character U+002A"),
        (" x", "begins or ends with a space"), ("", "name"), (String(repeating: "x", count: 256), "has 256 bytes"),
    ]

    static let goodNames = ["x", "Straße 9", "ip list.csv", "falcon/helper:enrich", "名前", "a_b-c+d@e#f&(g),h", "..."]

    /// Requests that would make something of that name: a parser, a file, a saved query.
    private static func requests(_ name: String) -> [(method: String, path: String, body: String, type: String)] {
        let part = name.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let query = #"{"queryString":"*"}"#
        var requests = [
            ("PUT", "/api/v1/parsers/\(part)", #"{"script":"kvParse()"}"#, "application/json"),
            ("PUT", "\(Self.files)/\(part)", "a,b\n1,2\n", "text/csv"),
            ("PUT", "\(Self.queries)/\(part)", query, "application/json"),
        ]
        let named = JSONValue.object([.init("name", .string(name)), .init("queryString", "*")])
        requests.append(("POST", Self.queries, named.jsonText, "application/json"))
        if !name.unicodeScalars.contains(where: { $0 == "\"" || $0.value < 0x20 || $0 == "\\" }) {
            let form = Self.form(name, "a,b")
            requests.append(("POST", Self.files, form.body, form.type))
        }
        return requests
    }

    @Test func namesThatCouldLeaveTheirPlaceAreRefused() async throws {
        try await TestServer.with { server in
            #expect(try await server.send("PUT", "\(Self.files)/x", "old").status == 200)
            let before = try await server.send("GET", "/api/v1/parsers").text
            for (name, says) in Self.badNames {
                for (method, path, body, type) in Self.requests(name) {
                    let headers = ["Content-Type": type]
                    let answer = try await server.send(method, path, body, headers: headers)
                    #expect(answer.status == 400, "\(method) \(path): \(answer.status)")
                    #expect(answer.text.contains(says), "\(method) \(path): \(answer.text)")
                }
                let variables = JSONValue.object([.init("n", .string(name))])
                for document in [
                    #"mutation($n: String!) { newFile(fileName: $n, name: "default") { nameAndPath { name } } }"#,
                    #"mutation($n: String!) { createSavedQuery(input: {name: $n, viewName: "default", "#
                        + #"queryString: "*"}) { savedQuery { id } } }"#,
                ] {
                    let answer = try await Self.graphQL(server, document, variables)
                    let message = answer["errors"]?[0]?["message"]?.string ?? ""
                    #expect(message.contains(says), "\(name): \(answer)")
                }
            }
            #expect(try await server.send("GET", "/api/v1/parsers").text == before)
            #expect(try await server.send("GET", Self.files).json == [["name": "x", "size": 3]])
            #expect(try await server.send("GET", "\(Self.files)/x").text == "old")
            #expect(try await server.send("GET", Self.queries).json == [])
        }
    }

    @Test func namesOfAllScriptsAndOfPackagesAreUsable() async throws {
        try await TestServer.with { server in
            for name in Self.goodNames {
                for (method, path, body, type) in Self.requests(name) {
                    let answer = try await server.send(method, path, body, headers: ["Content-Type": type])
                    #expect(answer.status == 200, "\(method) \(path): \(answer.text)")
                }
            }
            let names = try await server.send("GET", Self.queries).json?.array?.compactMap { $0["name"]?.string }
            #expect(names == Self.goodNames.sorted())
        }
    }

    @Test func aQueryTokenMayLookAndNotTouch() async throws {
        try await TestServer.with { server in
            func token(_ members: String, _ headers: [String: String] = [:]) async throws -> [String: String] {
                let made = try await server.send("POST", "/api/v1/tokens", "{\(members)}", headers: headers)
                let secret = try #require(made.json?["token"]?.string, "\(made.text)")
                return ["Authorization": "Bearer \(secret)"]
            }
            #expect(try await server.send("POST", "/api/v1/repositories/other/_bulk", Self.event).status == 200)
            let admin = try await token(#""name":"root","kind":"admin""#)
            let reader = try await token(#""name":"r","kind":"query","repository":"default""#, admin)
            let put = try await server.send("PUT", "\(Self.files)/t.csv", "a\n1\n", headers: reader)
            #expect(put.status == 403)
            #expect(try await server.send("PUT", "\(Self.files)/t.csv", "a\n1\n", headers: admin).status == 200)
            #expect(try await server.send("GET", "\(Self.files)/t.csv", headers: reader).status == 200)
            #expect(
                try await server.send("GET", "/api/v1/repositories/other/files", headers: reader).status == 403
            )
            let names = try await server.send(
                "POST",
                "/graphql",
                #"{"query":"{searchDomains{name}}"}"#,
                headers: reader
            )
            #expect(names.json == ["data": ["searchDomains": [["name": "default"]]]])
            let join = #"{"queryString":"join({ * }, field=code, repo=other)","start":"all"}"#
            #expect(try await server.send("POST", "/_bulk", Self.event, headers: admin).status == 200)
            let refused = try await server.send("POST", "/api/v1/repositories/default/query", join, headers: reader)
            #expect(refused.status == 400, "\(refused.text)")
            #expect(refused.text.contains("token is for the repository"), "\(refused.text)")
        }
    }
}
