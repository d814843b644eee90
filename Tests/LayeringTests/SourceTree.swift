import Foundation

/// The package's own files, as the tests of the house read them.
enum SourceTree {
    /// The folder of `Package.swift`.
    static let root: String = {
        if let package = ProcessInfo.processInfo.environment["LEAT_PACKAGE"] { return package }
        return URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
    }()

    /// Paths below `folder`, relative to the package, whose names end in one of `endings`.
    static func files(in folder: String, endings: [String]) throws -> [String] {
        guard let walker = FileManager.default.enumerator(atPath: "\(Self.root)/\(folder)") else { return [] }
        var found: [String] = []
        for case let path as String in walker where endings.contains(where: { path.hasSuffix($0) }) {
            if !path.contains(".build/") { found.append("\(folder)/\(path)") }
        }
        return found.sorted()
    }

    static func text(of path: String) throws -> String {
        try String(contentsOfFile: "\(Self.root)/\(path)", encoding: .utf8)
    }

    static func lines(of path: String) throws -> [Substring] {
        try Self.text(of: path).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Each import of a module's Swift files: the file and the name imported.
    static func imports(of module: String) throws -> [(file: String, imported: String)] {
        var found: [(String, String)] = []
        for file in try Self.files(in: "Sources/\(module)", endings: [".swift"]) {
            for line in try Self.lines(of: file) {
                let words = line.split(whereSeparator: \.isWhitespace)
                guard let position = words.firstIndex(of: "import"), position + 1 < words.count else { continue }
                let modifiers: Set<Substring> = [
                    "internal", "public", "private", "fileprivate", "package", "@preconcurrency", "@testable",
                    "@_exported",
                ]
                guard words[..<position].allSatisfy(modifiers.contains) else { continue }
                let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
                let name =
                    kinds.contains(words[position + 1]) && position + 2 < words.count ? position + 2 : position + 1
                found.append((file, String(words[name].prefix { $0 != "." })))
            }
        }
        return found
    }
}
