public import LeatCore

/// Reads Fluent Bit's classic format: `[SECTION]` headings and indented `Key Value` lines.
///
/// It forgives indentation that Fluent Bit refuses, with a warning, and finds every error of a file. `@INCLUDE` and
/// `@SET` come back in order, for the caller to follow.
public struct ClassicFormat {
    /// What a file consists of, in order.
    public enum Item: Hashable, Sendable {
        case section(Section)
        /// `@INCLUDE pattern`
        case include(Section.Entry)
        /// `@SET key=value`
        case set(Section.Entry)
    }

    /// The items of a file, and what is wrong with it.
    public private(set) var items: [Item] = []
    public private(set) var diagnostics: [Diagnostic] = []

    private let source: String
    private var current: Section?
    /// White space before the first key of the current section.
    private var indentation: String?

    /// Reads a whole file.
    public init(text: String, source: String) {
        self.source = source
        var number = 0
        // By scalars: CR LF is one character.
        for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            self.read(LineOfText(Substring(line), number: number, source: source))
        }
        self.endSection()
    }

    private mutating func read(_ line: LineOfText) {
        guard let first = line.first, first != "#" else { return }
        switch first {
        case "@": self.readCommand(line)
        case "[": self.readHeading(line)
        default: self.readEntry(line)
        }
    }

    private mutating func readHeading(_ line: LineOfText) {
        self.endSection()
        let body = line.content.trimmed
        let mark = line.mark(0, count: body.unicodeScalars.count)
        guard body.hasSuffix("]") else {
            self.diagnostics.append(mark.diagnostic("the heading '\(body)' has no closing bracket"))
            self.current = Section(kind: String(body.dropFirst()).uppercased(), mark: mark)
            return
        }
        if line.indentation != "" {
            self.diagnostics.append(mark.diagnostic("the heading \(body) is indented", severity: .warning))
        }
        self.current = Section(kind: String(body.dropFirst().dropLast()).trimmed.uppercased(), mark: mark)
    }

    private mutating func endSection() {
        if let section = self.current { self.items.append(.section(section)) }
        self.current = nil
        self.indentation = nil
    }

    private mutating func readCommand(_ line: LineOfText) {
        guard let entry = line.entry() else {
            self.diagnostics.append(
                line.mark(0, count: line.content.unicodeScalars.count).diagnostic(
                    "'\(line.content.trimmed)' needs a value",
                    hint: "@INCLUDE path, or @SET name=value"
                )
            )
            return
        }
        if entry.key.equalsIgnoringCase("@INCLUDE") {
            self.endSection()
            self.items.append(.include(entry))
        } else if entry.key.equalsIgnoringCase("@SET") {
            self.items.append(.set(entry))
        } else {
            self.diagnostics.append(
                entry.keyMark.diagnostic("unknown command '\(entry.key)'", hint: "@INCLUDE and @SET exist")
            )
        }
    }

    private mutating func readEntry(_ line: LineOfText) {
        let whole = line.mark(0, count: line.content.trimmed.unicodeScalars.count)
        guard let entry = line.entry() else {
            self.diagnostics.append(whole.diagnostic("the key '\(line.content.trimmed)' has no value"))
            return
        }
        guard self.current != nil else {
            self.diagnostics.append(
                entry.keyMark.diagnostic(
                    "'\(entry.key)' stands before the first section",
                    hint: "write [SERVICE] above it"
                )
            )
            return
        }
        if self.indentation == nil { self.indentation = String(line.indentation) }
        if line.indentation == "" || String(line.indentation) != self.indentation {
            self.diagnostics.append(
                entry.keyMark.diagnostic(
                    "'\(entry.key)' is indented differently from the other keys of [\(self.current?.kind ?? "")]",
                    hint: "Fluent Bit would refuse this file",
                    severity: .warning
                )
            )
        }
        self.current?.entries.append(entry)
    }
}

/// One line of a file with its place.
private struct LineOfText {
    let source: String
    let number: Int
    /// The line without its newline and a carriage return before it.
    let text: Substring
    /// White space at the line's start.
    let indentation: Substring
    /// What follows the indentation.
    let content: Substring

    init(_ line: Substring, number: Int, source: String) {
        self.source = source
        self.number = number
        // A line of a file with CR LF ends with the scalar CR, which is part of no key or value.
        self.text = line.hasSuffix("\r") ? line.dropLast() : line
        self.indentation = self.text.prefix { $0 == " " || $0 == "\t" }
        self.content = self.text[self.indentation.endIndex...]
    }

    var first: Character? { self.content.first }

    /// The key up to the first white space and the value behind it; `nil` without a value.
    func entry() -> Section.Entry? {
        let key = self.content.prefix { $0 != " " && $0 != "\t" }
        let gap = self.content[key.endIndex...].prefix { $0 == " " || $0 == "\t" }
        let value = String(self.content[gap.endIndex...]).trimmed
        if value.isEmpty { return nil }
        let keyLength = key.unicodeScalars.count
        return Section.Entry(
            key: String(key),
            value: value,
            keyMark: self.mark(0, count: keyLength),
            valueMark: self.mark(keyLength + gap.unicodeScalars.count, count: value.unicodeScalars.count)
        )
    }

    /// The place of `count` scalars, `offset` scalars into the content.
    func mark(_ offset: Int, count: Int) -> SourceMark {
        SourceMark(
            source: self.source,
            line: self.number,
            column: self.indentation.unicodeScalars.count + offset + 1,
            length: count,
            lineText: String(self.text)
        )
    }
}
