internal import LeatCore
internal import LeatParsing

/// Reads Fluent Bit's YAML format into the same sections as the classic one.
struct YAMLFormat {
    private(set) var sections: [Section] = []
    /// `env:` as entries.
    private(set) var environment: [Section.Entry] = []
    /// `includes:` as entries.
    private(set) var includes: [Section.Entry] = []
    private(set) var diagnostics: [Diagnostic] = []

    /// Reads a whole document.
    init(bytes: ByteSlice, source: String) {
        let mark = SourceMark(source: source, line: 1, column: 1, length: 1, lineText: "")
        self.diagnostics.append(mark.diagnostic("YAML is not read yet"))
    }
}
