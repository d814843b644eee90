import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

struct PluginHelpTests {
    static let path =
        #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 } + "/docs/configuration-agent.md"

    /// `UPDATE_GOLDEN=1` writes the page.
    @Test
    func theDocumentSaysWhatTheTableSays() throws {
        let disk = PosixFileSystem()
        if environment("UPDATE_GOLDEN") != nil {
            let file = try disk.open(Self.path, .readWrite)
            defer { file.close() }
            try file.truncate(to: 0)
            try file.write([ByteSlice(AgentManual.document)], at: 0)
        }
        let written = try disk.contents(Self.path).text
        #expect(written == AgentManual.document, "run the tests with UPDATE_GOLDEN=1")
    }

    @Test
    func aPluginsHelpNamesItsKeys() throws {
        let text = try #require(PluginHelp.text(.input, "Tail"))
        #expect(text.hasPrefix("input tail: follows files"))
        #expect(text.contains("buffer_max_size"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 140 })
        #expect(PluginHelp.text(.input, "nothing") == nil)
    }
}
