import Testing

@testable import LeatShell

@Suite struct ShellSettingsTests {
    static let addresses: [(text: String, shown: String?)] = [
        ("http://127.0.0.1:9200", "http://127.0.0.1:9200"),
        ("logs.example:9300", "http://logs.example:9300"),
        ("logs.example", "http://logs.example:9200"),
        ("https://logs.example", "https://logs.example:443"),
        ("https://logs.example/leat/", "https://logs.example:443/leat"),
        ("http://[::1]:9200", "http://[::1]:9200"),
        ("ftp://logs.example", nil),
        ("http://", nil),
        ("http://host:0", nil),
        ("http://host:port", nil),
        ("http://user@host", nil),
        ("", nil),
    ]

    @Test(arguments: addresses)
    func addressIsRead(text: String, shown: String?) {
        #expect(ServerAddress(text)?.description == shown)
    }

    @Test func flagsComeBeforeEnvironmentBeforeFile() throws {
        let file = ConfigFile(path: "config.yaml", values: ["server": "file:1", "repo": "of-file", "token": "t"])
        let environment = ["LEAT_SERVER": "environment:2", "LEAT_REPO": ""]
        let settings = try ShellSettings.resolve(
            flags: ShellSettings.Flags(server: nil, repository: nil),
            environment: environment,
            file: file
        )
        #expect(settings.server.host == "environment")
        #expect(settings.repository == "of-file")
        #expect(settings.token?.value == "t")
        let flagged = try ShellSettings.resolve(
            flags: ShellSettings.Flags(server: "flag:3", repository: "flagged"),
            environment: environment,
            file: file
        )
        #expect(flagged.server.host == "flag")
        #expect(flagged.repository == "flagged")
    }

    @Test func tokenIsNeverShown() {
        #expect("\(Secret("hidden"))" == "•••")
    }

    @Test func unknownKeyOfTheFileIsUnderlined() throws {
        let error = #expect(throws: CommandError.self) {
            try ConfigFile.read("server: http://a\nrepos: x\n", path: "config.yaml")
        }
        #expect(error?.status == .configuration)
        #expect(error?.message.contains("config.yaml:2:1: error: unknown key 'repos'") == true)
        #expect(error?.message.contains("did you mean 'repo'?") == true)
    }

    @Test(arguments: ["a/b", "", "ä", String(repeating: "x", count: 65)])
    func oddRepositoryNamesAreRefused(name: String) {
        let error = #expect(throws: CommandError.self) {
            try ShellSettings.resolve(
                flags: ShellSettings.Flags(repository: name),
                environment: [:],
                file: ConfigFile(path: "")
            )
        }
        #expect(error?.status == .usage)
    }
}
