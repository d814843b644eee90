import Foundation
import LeatQuery
import Testing

struct FunctionReferenceTests {
    private static let marker = "<!-- functions -->\n"

    /// The package, from this file: Tests/LeatQueryTests/Catalogue/FunctionReferenceTests.swift.
    private static let path: String = {
        let folder = URL(filePath: #filePath).resolvingSymlinksInPath()
        return (0..<4).reduce(folder) { url, _ in url.deletingLastPathComponent() }.path() + "docs/query-language.md"
    }()

    @Test
    func documentListsTheCatalogue() throws {
        let document = try String(contentsOfFile: Self.path, encoding: .utf8)
        let start = try #require(document.range(of: Self.marker))
        let wanted = document[..<start.upperBound] + FunctionReference.markdown() + "\n"
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try wanted.write(toFile: Self.path, atomically: true, encoding: .utf8)
        } else {
            #expect(document == wanted, "run the tests with UPDATE_GOLDEN=1 to write docs/query-language.md anew")
        }
    }

    @Test
    func examplesOfTheDocumentAreValid() throws {
        let document = try String(contentsOfFile: Self.path, encoding: .utf8)
        let guide = document.components(separatedBy: Self.marker)[0]
        let blocks = guide.components(separatedBy: "```\n").enumerated().filter { $0.offset % 2 == 1 }
        #expect(blocks.count >= 2)
        for block in blocks { #expect(throws: Never.self) { try QueryParser.parse(block.element) } }
    }

    @Test
    func everyFunctionIsWellFormed() {
        var names: Set<String> = []
        for signature in FunctionCatalogue.all {
            for name in [signature.name] + signature.aliases {
                #expect(names.insert(name.lowercased()).inserted, "\(name) is there twice")
            }
            #expect(signature.summary.hasSuffix("."), "\(signature.name): a summary is a sentence")
            #expect(signature.parameters.filter(\.isUnnamed).count <= 1, "\(signature.name)")
            #expect(Set(signature.parameters.map(\.name)).count == signature.parameters.count, "\(signature.name)")
        }
        #expect(names.count > 180)
    }
}
