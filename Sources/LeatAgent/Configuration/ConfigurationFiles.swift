internal import LeatCore
internal import LeatParsing

/// Reads the files of a configuration into sections: both formats, with their includes.
struct ConfigurationFiles {
    /// A file may include others so deep, which stops circles.
    static let includeDepthMax = 16

    private let files: any FileSystem
    private(set) var environment: EnvironmentText
    private(set) var sections: [Section] = []
    private(set) var diagnostics: [Diagnostic] = []
    /// Files of variables, whose change is a reason to reload.
    private(set) var watchedPaths: [String] = []
    /// The files that were read, in order.
    private(set) var paths: [String] = []

    init(files: any FileSystem, environment: EnvironmentText) {
        self.files = files
        self.environment = environment
    }

    /// Reads a file and those that it includes; `mark` is where it is named, or `nil` for the command line.
    mutating func read(_ path: String, mark: SourceMark?, depth: Int = 0) {
        let bytes: ByteSlice
        do {
            bytes = try self.files.contents(path)
        } catch {
            self.report(error.description, path: path, mark: mark)
            return
        }
        guard depth < Self.includeDepthMax else {
            self.report(
                "\(path) is included more than \(Self.includeDepthMax) deep; does it include itself?",
                path: path,
                mark: mark
            )
            return
        }
        self.paths.append(path)
        if path.hasSuffix(".yaml") || path.hasSuffix(".yml") {
            self.readYAML(bytes, path: path, depth: depth)
        } else {
            self.readClassic(bytes.text, path: path, depth: depth)
        }
    }

    private mutating func readClassic(_ text: String, path: String, depth: Int) {
        let format = ClassicFormat(text: text, source: path)
        self.diagnostics += format.diagnostics
        for case .set(let entry) in format.items { self.set(entry) }
        for item in format.items {
            switch item {
            case .section(let section): self.sections.append(section)
            case .include(let entry): self.include(entry, from: path, depth: depth)
            case .set: break
            }
        }
    }

    private mutating func readYAML(_ bytes: ByteSlice, path: String, depth: Int) {
        let format = YAMLFormat(bytes: bytes, source: path)
        self.diagnostics += format.diagnostics
        for entry in format.environmentFiles { self.setFromFile(entry) }
        for entry in format.environment { self.environment.set(entry.key, to: self.expanded(entry)) }
        for entry in format.includes { self.include(entry, from: path, depth: depth) }
        self.sections += format.sections
    }

    /// Sets a variable to the text of a file, without white space at its end.
    private mutating func setFromFile(_ entry: Section.Entry) {
        let uri = self.expanded(entry)
        guard uri.hasPrefix("file://") else {
            self.diagnostics.append(entry.valueMark.diagnostic("'\(uri)' is no file", hint: "write file:///path"))
            return
        }
        let path = String(uri.dropFirst("file://".count))
        do throws(FileSystemError) {
            var text = try self.files.contents(path).text
            while let last = text.unicodeScalars.last, last.properties.isWhitespace { text.unicodeScalars.removeLast() }
            self.environment.set(entry.key, to: text)
            self.watchedPaths.append(path)
        } catch {
            self.diagnostics.append(entry.valueMark.diagnostic("\(error)"))
        }
    }

    private mutating func set(_ entry: Section.Entry) {
        guard let equals = entry.value.firstIndex(of: "=") else {
            self.diagnostics.append(entry.valueMark.diagnostic("@SET needs name=value, not '\(entry.value)'"))
            return
        }
        let name = entry.value[..<equals].trimmed
        let value = entry.value[entry.value.index(after: equals)...].trimmed
        self.environment.set(name, to: self.environment.expand(value).text)
    }

    private mutating func include(_ entry: Section.Entry, from path: String, depth: Int) {
        let pattern = Self.resolve(self.expanded(entry), beside: path)
        let found = PathPattern(pattern).matches(in: self.files)
        if found.isEmpty && !PathPattern.isPattern(pattern) {
            self.diagnostics.append(
                entry.valueMark.diagnostic(
                    "there is no file \(pattern)",
                    hint: "paths count from the folder of this file"
                )
            )
        }
        for file in found { self.read(file, mark: entry.valueMark, depth: depth + 1) }
    }

    private mutating func expanded(_ entry: Section.Entry) -> String {
        let (text, missing) = self.environment.expand(entry.value)
        for name in missing {
            self.diagnostics.append(
                entry.valueMark.diagnostic("the environment variable '\(name)' is not set", severity: .warning)
            )
        }
        return text
    }

    /// A path as seen from the folder of the file that names it.
    static func resolve(_ path: String, beside file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    private mutating func report(_ message: String, path: String, mark: SourceMark?) {
        let mark = mark ?? SourceMark(source: path, line: 1, column: 1, length: 1, lineText: "")
        self.diagnostics.append(mark.diagnostic(message))
    }
}
