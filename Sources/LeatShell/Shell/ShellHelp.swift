internal import LeatCore
internal import LeatQuery

/// What `\help` says, in lines that fit the terminal.
struct ShellHelp {
    let width: Int

    private static let introduction = [
        "A line is a query, such as: level=error | groupBy(service) | sort(_count)",
        "Alt-Enter breaks the line, Tab completes, Ctrl-R searches, Ctrl-X edits outside.",
    ]

    /// Help on everything, on a command, or on a function.
    func text(for name: String) -> String {
        let name = name.hasPrefix("\\") ? String(name.dropFirst()) : name
        return self.lines(for: name).joined(separator: "\n")
    }

    private func lines(for name: String) -> [String] {
        if name.isEmpty { return self.overview }
        if let command = ShellCommand.find(name) {
            return TextWrapping.lines(command.usage, width: self.width, indent: 4) + self.indented(command.summary)
        }
        if let signature = FunctionCatalogue.find(name) { return self.lines(for: signature) }
        return TextWrapping.lines("nothing is called '\(name)'; \(Self.hint(for: name))", width: self.width)
    }

    private static func hint(for name: String) -> String {
        let known = ShellCommand.all.map(\.name.rawValue) + FunctionCatalogue.all.map(\.name)
        guard let nearest = NearestName.find(name, among: known) else { return "\\help lists the commands" }
        return "did you mean '\(nearest)'?"
    }

    private var overview: [String] {
        let introduction = Self.introduction.flatMap { TextWrapping.lines($0, width: self.width) }
        let commands = ShellCommand.all.map { (left: $0.usage, right: $0.summary) }
        return introduction + TextWrapping.list(commands, width: self.width)
    }

    private func lines(for signature: FunctionSignature) -> [String] {
        let call = TextWrapping.lines(FunctionReference.synopsis(signature), width: self.width, indent: 4)
        let parameters = signature.parameters.map {
            (left: $0.name, right: FunctionReference.description(of: $0))
        }
        let outputs = signature.outputs.isEmpty ? [] : self.indented("writes: \(signature.outputs)")
        return call + self.indented(signature.summary) + TextWrapping.list(parameters, width: self.width) + outputs
    }

    private func indented(_ text: String) -> [String] {
        TextWrapping.lines(text, width: self.width - 2).map { "  " + $0 }
    }
}
