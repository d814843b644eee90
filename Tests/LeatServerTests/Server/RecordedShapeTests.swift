import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// Answers have the shape of those that a real Humio gave to the same requests.
@Suite struct RecordedShapeTests {
    static let names = [
        "test_poll_until_done_static_queryjob_aggregate_query",
        "test_poll_until_done_static_queryjob_non_aggregate_query",
        "test_poll_until_done_live_queryjob_aggregate_query", "test_poll_until_done_live_queryjob_non_aggregate_query",
        "test_create_queryjob_success", "test_create_queryjob_incorrect_query_syntax", "test_streaming_query_success",
        "test_get_status", "test_ingest_messages_on_humioclient_success", "test_ingest_json_on_humioclient_success",
    ]

    @Test(arguments: names)
    func answersAreShapedAsRecorded(_ name: String) async throws {
        guard let bytes = try SharedData.contents("data/humio-recorded/\(name).json") else { return }
        let exchanges = try JSONValue(parsing: bytes.text).array ?? []
        try await TestServer.with { server in
            let body = "{\"create\":{}}\n{\"message\":\"a\"}\n{\"create\":{}}\n{\"message\":\"b\"}\n"
            #expect(try await server.send("POST", "/_bulk", body).status == 200)
            var jobs: [String: String] = [:]
            for exchange in exchanges { try await Self.replay(exchange, on: server, &jobs) }
        }
    }

    private static func replay(
        _ exchange: JSONValue,
        on server: TestServer,
        _ jobs: inout [String: String]
    ) async throws {
        let method = exchange["method"]?.string ?? ""
        var path = exchange["uri"]?.string?.replacing("https://cloud.humio.com", with: "") ?? ""
        path = path.replacing("/dataspaces/sandbox/", with: "/dataspaces/default/")
        for (theirs, ours) in jobs { path = path.replacing(theirs, with: ours) }
        let accepts = exchange["reqHeaders"]?["Accept"]?[0]?.string ?? ""
        var answer = try await server.send(
            method,
            path,
            exchange["reqBody"]?.string ?? "",
            headers: ["Accept": accepts, "Content-Type": "application/json"]
        )
        let recorded = exchange["respBody"]?.string ?? ""
        if method == "GET", path.contains("/queryjobs/") {
            // The recorded answers are those of jobs that are done.
            let wanted = try JSONValue(parsing: recorded)["done"]
            try await eventually("the job is as far as the recorded one") {
                if wanted != true || answer.json?["done"] == true { return true }
                answer = try await server.send(method, path)
                return false
            }
        }
        #expect(answer.status == exchange["status"]?.int, "\(method) \(path): \(answer.text)")
        guard answer.status == 200, !recorded.isEmpty else { return }
        let theirs = try JSONValue(parsing: String(recorded.split(separator: "\n")[0]))
        let ours = try JSONValue(parsing: try #require(answer.lines.first, "\(method) \(path)"))
        for difference in Self.differences(theirs, ours, at: "") {
            Issue.record("\(method) \(path): \(difference)")
        }
        if let id = theirs["id"]?.string { jobs[id] = ours["id"]?.string }
    }

    /// Facts of single events, and those that depend on the data.
    private static let optional = [".events[0].@", ".events[0].#"]

    /// What a recorded answer has and ours lacks, or has as another kind of value.
    private static func differences(_ theirs: JSONValue, _ ours: JSONValue?, at path: String) -> [String] {
        guard let ours else { return Self.optional.contains { path.hasPrefix($0) } ? [] : ["\(path) is missing"] }
        switch (theirs, ours) {
        case (.object(let members), .object):
            return members.flatMap { Self.differences($0.value, ours[$0.key], at: "\(path).\($0.key)") }
        case (.array(let one), .array(let other)):
            guard let first = one.first, let second = other.first else { return [] }
            return Self.differences(first, second, at: "\(path)[0]")
        case (.string, .string), (.number, .number), (.bool, .bool), (.null, .null): return []
        default: return ["\(path) is \(ours) instead of \(theirs)"]
        }
    }
}
