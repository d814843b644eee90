import Foundation
import Testing

/// Rules of the house that a machine can check.
@Suite struct HouseRulesTests {
    static let fileLineCountMax = 700
    static let functionLineCountMax = 70
    static let folderFileCountMax = 20

    static func sources() throws -> [String] {
        try ["Sources", "Tests", "Benchmarks"].flatMap { try SourceTree.files(in: $0, endings: [".swift"]) }
    }

    @Test func noFileIsTooLong() throws {
        for file in try Self.sources() {
            let lines = try SourceTree.lines(of: file)
            if lines.first?.lowercased().contains("generated") == true { continue }
            if lines.first?.lowercased().contains("a table") == true { continue }
            #expect(lines.count <= Self.fileLineCountMax + 1, "\(file) has \(lines.count) lines")
        }
    }

    @Test func noFolderIsTooFull() throws {
        let folders = Dictionary(grouping: try Self.sources()) {
            URL(filePath: $0).deletingLastPathComponent().relativePath
        }
        #expect(folders.count > 50)
        for (folder, files) in folders {
            #expect(files.count <= Self.folderFileCountMax, "\(folder) has \(files.count) files")
        }
    }

    @Test func noFunctionIsTooLong() throws {
        for file in try SourceTree.files(in: "Sources", endings: [".swift"]) {
            for function in Self.functions(in: try SourceTree.lines(of: file)) {
                #expect(
                    function.lineCount <= Self.functionLineCountMax,
                    "\(file):\(function.line): \(function.lineCount) lines"
                )
            }
        }
    }

    @Test func whatIsAskedOfATypeIsNoFunction() {
        let text = "protocol P {\n    func a()\n}\n\nextension P {\n    func b() {\n        c()\n    }\n}"
        let found = Self.functions(in: text.split(separator: "\n", omittingEmptySubsequences: false))
        #expect(found.map(\.line) == [6] && found.map(\.lineCount) == [3])
    }

    @Test func nothingIsLeftForLater() throws {
        let leftovers = ["TO" + "DO", "FIX" + "ME", "try" + "!", "as" + "! "]
        for file in try Self.sources() {
            for (index, line) in try SourceTree.lines(of: file).enumerated() {
                for leftover in leftovers where line.contains(leftover) {
                    let before = index > 0 ? try SourceTree.lines(of: file)[index - 1] : ""
                    let explained = leftover.hasSuffix("!") && before.contains("//")
                    #expect(explained, "\(file):\(index + 1): \(leftover)")
                }
            }
        }
    }

    @Test func linksInDocumentsLeadSomewhere() throws {
        var documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        documents += try SourceTree.files(in: "docs", endings: [".md"])
        for document in documents {
            let folder = URL(filePath: "\(SourceTree.root)/\(document)").deletingLastPathComponent()
            for link in try SourceTree.text(of: document).matches(of: /\]\(([^)#\s]+)(#[^)]*)?\)/) {
                let target = String(link.output.1)
                if target.contains("://") { continue }
                let path = folder.appending(path: target).path
                #expect(FileManager.default.fileExists(atPath: path), "\(document) links to \(target)")
            }
        }
    }

    @Test func theStepsOfALogLineExist() throws {
        let text = try SourceTree.text(of: "ARCHITECTURE.md")
        for match in text.matches(of: /Leat[A-Z][A-Za-z]+(\/[A-Za-z+]+)*\/[A-Za-z+]+\.swift/) {
            let path = "\(SourceTree.root)/Sources/\(match.output.0)"
            #expect(FileManager.default.fileExists(atPath: path), "ARCHITECTURE.md names \(match.output.0)")
        }
    }

    /// Functions and initialisers with bodies: where they start and how many lines they take.
    static func functions(in lines: [Substring]) -> [(line: Int, lineCount: Int)] {
        var found: [(Int, Int)] = []
        var open: (line: Int, indent: Int)?
        for (index, line) in lines.enumerated() {
            let indent = line.prefix { $0 == " " }.count
            let text = line.dropFirst(indent)
            // What is asked of a type has no body: the protocol ends first.
            if let function = open, !text.isEmpty, indent < function.indent { open = nil }
            if let function = open {
                if indent == function.indent, text.hasPrefix("}") {
                    found.append((function.line, index + 1 - function.line + 1))
                    open = nil
                }
            } else if text.contains(/^([a-z@()]+ )*(func|init)[ (<?]/), !text.hasSuffix("}") {
                open = (index + 1, indent)
            }
        }
        return found
    }
}
