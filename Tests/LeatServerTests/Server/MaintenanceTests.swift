import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

struct MaintenanceTests {
    private static func fill(_ folder: TemporaryFolder) async throws {
        try await TestServer.with(folder: folder) { server in
            for (repository, count) in [("web", 300), ("shop", 20)] {
                let lines = (0..<count).map { index in
                    let time = 1_700_000_000_000 + index * 1_000
                    return #"{"@timestamp":\#(time),"n":\#(index),"message":"line \#(index)"}"#
                }
                let path = "/api/v1/repositories/\(repository)/ingest/json"
                let answer = try await server.send("POST", path, lines.joined(separator: "\n") + "\n")
                #expect(answer.status == 200, "\(answer.text)")
            }
        }
    }

    private static func export(
        _ folder: TemporaryFolder,
        repository: String? = nil,
        start: String? = nil,
        end: String? = nil
    ) throws -> [JSONValue] {
        var bytes: [UInt8] = []
        let report = try MaintenanceProgram(dataPath: folder.path("data")).export(
            repository: repository,
            start: start,
            end: end
        ) { (piece) throws(ServerProgram.Failure) in
            bytes += piece
            return true
        }
        #expect(report.problems == [])
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        return try lines.map { try JSONValue(parsing: String($0)) }
    }

    @Test func anExportHasEveryEventOnce() async throws {
        let folder = try TemporaryFolder()
        try await Self.fill(folder)
        let all = try Self.export(folder)
        #expect(all.count == 320)
        let web = try Self.export(folder, repository: "web")
        #expect(web.compactMap { $0["n"]?.string.flatMap(Int.init) } == Array(0..<300), "oldest first")
        #expect(web.allSatisfy { $0["#repo"]?.string == "web" && $0["@rawstring"] != nil && $0["@id"] != nil })
        #expect(web[7]["@timestamp"]?.integer == 1_700_000_007_000)
        let some = try Self.export(folder, repository: "web", start: "2023-11-14T22:13:30Z", end: "1700000015000")
        #expect(some.compactMap { $0["n"]?.string.flatMap(Int.init) } == Array(10..<15))
        #expect(throws: ServerProgram.Failure.self) { try Self.export(folder, repository: "wep") }
        #expect(throws: ServerProgram.Failure.self) { try Self.export(folder, start: "yesterday-ish") }
    }

    @Test func whatIsExportedCanBeTakenInAgain() async throws {
        let folder = try TemporaryFolder()
        try await Self.fill(folder)
        let web = try Self.export(folder, repository: "web")
        let body = web.map(\.jsonText).joined(separator: "\n") + "\n"
        try await TestServer.with { server in
            let answer = try await server.send("POST", "/api/v1/repositories/again/ingest/json", body)
            #expect(answer.status == 200, "\(answer.text)")
            let rows = try await server.query("*", repository: "again")
            #expect(rows.count == 300)
            #expect(rows.first?["@timestamp"]?.integer == 1_700_000_299_000)
        }
    }

    @Test func aFolderInUseIsCheckedAndBackedUpButNotExported() async throws {
        let folder = try TemporaryFolder()
        try await Self.fill(folder)
        let program = MaintenanceProgram(dataPath: folder.path("data"))
        try await TestServer.with(folder: folder) { server in
            #expect(try program.verify().exitCode == 0)
            let report = try program.backup(to: folder.path("backup"))
            #expect(report.lines.count == 1 && report.lines[0].contains("320 events"))
            #expect(throws: ServerProgram.Failure.self) { try Self.export(folder) }
            #expect(throws: ServerProgram.Failure.self) { try program.rebuildCatalog() }
            #expect(throws: ServerProgram.Failure.self) { try program.backup(to: folder.path("backup")) }
            let rows = try await server.query("count()", repository: "web")
            #expect(rows.first?["_count"]?.string == "300")
        }
        let copy = try TemporaryFolder()
        try PosixFileSystem().rename(folder.path("backup"), to: copy.path("data"))
        try await TestServer.with(folder: copy) { server in
            let rows = try await server.query("count()", repository: "web")
            #expect(rows.first?["_count"]?.string == "300")
        }
    }

    @Test func nothingIsMadeWhereThereIsNoData() throws {
        let folder = try TemporaryFolder()
        let program = MaintenanceProgram(dataPath: folder.path("absent"))
        #expect(throws: ServerProgram.Failure.self) { try program.verify() }
        #expect(throws: ServerProgram.Failure.self) { try program.rebuildCatalog() }
        #expect(throws: ServerProgram.Failure.self) { try program.backup(to: folder.path("backup")) }
        #expect(throws: ServerProgram.Failure.self) {
            try program.export(repository: nil, start: nil, end: nil) { _ in true }
        }
        #expect(try PosixFileSystem().status(folder.path("absent")) == nil)
    }
}
