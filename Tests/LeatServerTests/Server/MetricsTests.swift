import LeatTesting
import Testing

@testable import LeatServer

@Suite struct MetricsTests {
    /// Every family once, with its samples right after its head, as both formats demand.
    @Test(arguments: ["text/plain", "application/openmetrics-text; version=1.0.0"])
    func everyFamilyStandsThereOnce(accept: String) async throws {
        try await TestServer.with {
            $0.syslog.tcp = ListenAddress("127.0.0.1:0")
            $0.forward.tcp = ListenAddress("127.0.0.1:0")
        } _: { server in
            for name in ["syslog-tcp", "forward"] { _ = try TestConnection(port: server.ports[name] ?? 0) }
            _ = try await server.send("POST", "/_bulk", "{\"index\":{\"_index\":\"a\"}}\n{}\n")
            let answer = try await server.send("GET", "/metrics", nil, headers: ["Accept": accept])
            #expect(answer.status == 200)
            var families: [String] = []
            for line in answer.lines {
                if line.hasPrefix("# TYPE ") {
                    families.append(String(line.split(separator: " ")[2]))
                } else if !line.hasPrefix("#"), let family = families.last {
                    #expect(line.hasPrefix(family), "\(line) stands below \(family)")
                }
            }
            #expect(Set(families).count == families.count)
            #expect(families.contains { $0.hasPrefix("leat_ingest_requests") })
        }
    }
}
