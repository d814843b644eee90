import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// Syslog into a running server.
@Suite struct SyslogTests {
    static let lines: [(line: String, fields: String)] = [
        (
            #"<165>1 2023-11-14T22:13:20.003Z host app 8710 ID47 [ex@32473 a="x\"y" b="2"] it failed"#,
            #"{"@timestamp":1700000000003,"host":"host","app":"app","pid":"8710","msgid":"ID47","facility":"local4","#
                + #""severity":"notice","ex@32473.a":"x\"y","ex@32473.b":"2","message":"it failed"}"#
        ),
        (
            "<34>Oct 11 22:14:15 mymachine su[12]: 'su root' failed",
            #"{"host":"mymachine","app":"su","pid":"12","severity":"crit","message":"'su root' failed"}"#
        ),
        ("no syslog at all", #"{"@rawstring":"no syslog at all"}"#),
        ("<999>what", #"{"@rawstring":"<999>what"}"#),
    ]

    @Test func everyLineIsStoredWithItsParts() async throws {
        try await TestServer.with {
            $0.syslog.tcp = ListenAddress("127.0.0.1:0")
            $0.syslog.udp = ListenAddress("127.0.0.1:0")
        } _: { server in
            let tcp = server.ports["syslog-tcp"] ?? 0
            let udp = server.ports["syslog-udp"] ?? 0
            try await onThread {
                let connection = try TestConnection(port: tcp)
                try connection.write(Self.lines.map { $0.line + "\n" }.joined())
                try connection.write(
                    Self.lines.map { "\($0.line.utf8.count) \($0.line)" }.filter { $0.contains("<") }.joined()
                )
                connection.finishSending()
                for (line, _) in Self.lines { try Self.sendDatagram(Array((line + "\n").utf8), port: udp) }
            }
            try await eventually("all lines are stored") { try await server.query("*").count == 11 }
            let rows = try await server.query("*")
            for (line, fields) in Self.lines {
                let wanted = try JSONValue(parsing: fields)
                let got = rows.filter { $0["@rawstring"]?.string == line }
                #expect(got.count == (line.contains("<") ? 3 : 2), "\(line)")
                for row in got {
                    #expect(Scenario.fits(row, wanted), "\(row.jsonText)")
                    #expect(row["sender"] == "127.0.0.1")
                }
            }
            let metrics = try await server.send("GET", "/metrics").text
            #expect(metrics.contains("leat_ingest_items_total{protocol=\"syslog-udp\",repository=\"default\"} 4"))
            #expect(metrics.contains("leat_listener_connections_total{listener=\"syslog-tcp\"} 1"))
        }
    }

    @Test func aParserTakesMessagesApart() async throws {
        try await TestServer.with {
            $0.syslog.tcp = ListenAddress("127.0.0.1:0")
            $0.syslog.parser = "syslog"
            $0.syslog.repository = "net"
        } _: { server in
            let port = server.ports["syslog-tcp"] ?? 0
            try await onThread { try TestConnection(port: port).write("<34>Oct 11 22:14:15 mymachine su: no\n") }
            try await eventually("the repository exists") {
                try await server.send("GET", "/api/v1/repositories/net").json?["events"] == 1
            }
            let row = try await server.query("*", repository: "net").first
            #expect(row?["host"] == "mymachine")
            #expect(row?["datetime"] == "Oct 11 22:14:15")
            #expect(row?["facility"] == nil)
        }
    }

    static func sendDatagram(_ bytes: [UInt8], port: Int) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard sent == bytes.count else { throw TestFailure("cannot send: \(errno)") }
    }
}
