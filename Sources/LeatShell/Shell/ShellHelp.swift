internal import LeatQuery

/// What `\help` says.
enum ShellHelp {
    /// Help on everything, on a command, or on a function.
    static func text(for name: String) -> String {
        let name = name.hasPrefix("\\") ? String(name.dropFirst()) : name
        if name.isEmpty { return Self.overview }
        if let command = ShellCommand.find(name) {
            return "\(command.shownNames) \(command.synopsis)".trimmedAtEnd + "\n  \(command.summary)"
        }
        if let signature = FunctionCatalogue.find(name) { return Self.text(of: signature) }
        return "nothing is called '\(name)'; \(NearestCommand.hint(for: name))"
    }

    private static let overview = """
        A line is a query: filters and functions with | between them, such as
          level=error | groupBy(service) | sort(_count)
        Enter sends it, Alt-Enter breaks the line, Tab completes, Ctrl-R searches, Ctrl-X edits in $EDITOR.
        \(ShellCommand.help())
        """

    private static func text(of signature: FunctionSignature) -> String {
        let parameters = signature.parameters.map { parameter in
            let value = parameter.defaultText.map { "=\($0)" } ?? ""
            return parameter.isRequired ? parameter.name : "[\(parameter.name)\(value)]"
        }
        var text = "\(signature.name)(\(parameters.joined(separator: ", ")))\n  \(signature.summary)"
        if !signature.outputs.isEmpty { text += "\n  writes: \(signature.outputs)" }
        return text
    }
}
