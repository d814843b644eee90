import LeatCore
import Testing

@testable import LeatServer

@Suite struct ServerConfigurationTests {
    static func errors(_ yaml: String) -> String {
        var configuration = ServerConfiguration()
        do throws(Diagnostics) {
            try configuration.read(yaml: yaml, source: "server.yaml")
        } catch {
            return error.description
        }
        return ""
    }

    @Test func everySettingOfTheFileIsRead() throws {
        var configuration = ServerConfiguration()
        try configuration.read(
            yaml: """
                listen: "[::1]:80"
                data: /data
                log:
                  level: debug
                  format: json
                ingest:
                  body: 10MiB
                  fields: 50
                query:
                  time: 5m
                """,
            source: "server.yaml"
        )
        #expect(configuration.host == "::1")
        #expect(configuration.port == 80)
        #expect(configuration.address.isLoopback)
        #expect(configuration.dataPath == "/data")
        #expect(configuration.logLevel == .debug)
        #expect(configuration.logFormat == .json)
        #expect(configuration.limits.bodyByteCountMax == 10 << 20)
        #expect(configuration.limits.fieldCountMax == 50)
        #expect(configuration.querySeconds == 300)
    }

    @Test func aMisspeltKeyIsShownInItsPlaceWithTheNearestName() {
        let errors = Self.errors("data: /x\nlistn: 127.0.0.1:1\n")
        #expect(errors.contains("server.yaml:2:1"))
        #expect(errors.contains("did you mean 'listen'?"))
    }

    @Test func everyMistakeIsReported() {
        let errors = Self.errors("listen: nonsense\nlog:\n  level: loud\n  colour: red\n")
        #expect(errors.contains("server.yaml:1:9"))
        #expect(errors.contains("server.yaml:3:10"))
        #expect(errors.contains("server.yaml:4:3"))
    }

    @Test func theEnvironmentOverridesTheFile() throws {
        var configuration = ServerConfiguration()
        try configuration.read(yaml: "listen: 127.0.0.1:1\n", source: "server.yaml")
        try configuration.read(environment: ["LEAT_LISTEN": "127.0.0.1:2", "LEAT_INGEST_BODY": "1MiB"])
        #expect(configuration.port == 2)
        #expect(configuration.limits.bodyByteCountMax == 1 << 20)
        #expect(throws: Diagnostics.self) { try configuration.read(environment: ["LEAT_LOG_LEVEL": "loud"]) }
    }

    static let addresses: [(text: String, host: String?, port: Int)] = [
        ("127.0.0.1:9200", "127.0.0.1", 9200), (":9200", "0.0.0.0", 9200), ("[::1]:0", "::1", 0), ("nonsense", nil, 0),
        ("127.0.0.1", nil, 0), ("::1:80", nil, 0), ("localhost:70000", nil, 0), ("localhost:", nil, 0),
    ]

    @Test(arguments: addresses)
    func anAddressIsHostAndPort(text: String, host: String?, port: Int) {
        var configuration = ServerConfiguration()
        #expect(configuration.setListen(text) == (host != nil))
        if let host {
            #expect(configuration.host == host)
            #expect(configuration.port == port)
        }
    }

    @Test func theDocumentedFileNamesEverySettingAndIsValid() throws {
        let file = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let text = try PosixFileSystem().contents("/\(file)/config/server.yaml").text
        // Every setting stands there as a comment with its default; without the marks the file must read.
        let plain = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("#:") ? String(line.dropFirst(2)) : String(line)
        }.joined(separator: "\n")
        var configuration = ServerConfiguration()
        try configuration.read(yaml: plain, source: "server.yaml")
        for key in ConfigurationKey.all {
            let last = key.name.split(separator: ".").last ?? ""
            #expect(plain.contains("\(last):"), "\(key.name) is not in config/server.yaml")
            #expect(text.contains(key.environmentName), "\(key.environmentName) is not in config/server.yaml")
        }
    }
}
