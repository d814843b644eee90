internal import LeatCore
internal import LeatQuery

/// `leat check`: parse and compile only.
public struct CheckCommand: Sendable {
    /// The query, or `nil` when `jsonlPath` names a file of them.
    public var text: String?
    /// A file of `{"query": …}` lines; `-` is standard input.
    public var jsonlPath: String?
    /// Whether the functions of the language are listed instead.
    public var listsFunctions: Bool

    public init(text: String? = nil, jsonlPath: String? = nil, listsFunctions: Bool = false) {
        self.text = text
        self.jsonlPath = jsonlPath
        self.listsFunctions = listsFunctions
    }

    public func run() throws -> ExitStatus {
        var output = OutputStream()
        if self.listsFunctions { return try Self.listFunctions(to: &output) }
        if let jsonlPath { return try Self.checkLines(of: jsonlPath, to: &output) }
        do throws(QueryErrors) {
            for warning in try Self.check(self.text ?? "") { Notes.write(warning.description) }
        } catch {
            throw CommandError(.badData, error.description)
        }
        return .success
    }

    private static func listFunctions(to output: inout OutputStream) throws -> ExitStatus {
        for signature in FunctionCatalogue.all {
            let call = FunctionReference.synopsis(signature)
            try output.write("\(signature.name)\t\(signature.kind.rawValue)\t\(call)\t\(signature.summary)\n")
        }
        try output.flush()
        return .success
    }

    private static func checkLines(of path: String, to output: inout OutputStream) throws -> ExitStatus {
        let input = try LocalInput.open(path)
        let bytes = input.unsafeBytes
        var splitter = LineSplitter(bytes)
        var (number, passed, failed) = (0, 0, 0)
        while let range = splitter.nextOrRest() {
            number += 1
            let line = bytes.slice(range).trimmed
            if line.isEmpty { continue }
            if let (column, message) = Self.failure(of: line) {
                failed += 1
                let oneLine = message.split(separator: "\n").joined(separator: " ")
                try output.write("\(number)\t\(column)\t\(oneLine)\n")
            } else {
                passed += 1
            }
        }
        try output.write("\(passed) passed, \(failed) failed\n")
        try output.flush()
        return failed > 0 ? .badData : .success
    }

    private static func failure(of line: UnsafeRawBufferPointer) -> (column: Int, message: String)? {
        let text: String
        do throws(JSONError) {
            var scanner = try JSONObjectScanner(line)
            var query: String?
            while let member = try scanner.next() {
                if scanner.key(of: member).elementsEqual("query".utf8), member.kind == .string {
                    query = String(decoding: scanner.text(of: member), as: UTF8.self)
                }
            }
            guard let query else { return (1, "no member 'query' that is a string") }
            text = query
        } catch {
            return (error.offset + 1, "not a JSON object: \(error)")
        }
        do throws(QueryErrors) {
            try Self.check(text)
            return nil
        } catch {
            let first = error.diagnostics[0]
            return (first.column, first.line > 1 ? "line \(first.line): \(first.message)" : first.message)
        }
    }

    /// Parses and compiles; what only a server knows is no error.
    ///
    /// - Returns: What was probably meant otherwise.
    @discardableResult
    static func check(_ text: String) throws(QueryErrors) -> [Diagnostic] {
        var options = QueryOptions(now: SystemTime().now())
        options.isCheckOnly = true
        return try QueryPlan(try QueryParser.parse(text), options: options).hints
    }
}
