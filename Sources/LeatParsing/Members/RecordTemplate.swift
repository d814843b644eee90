internal import LeatCore

/// A text with parts taken from the event: `$TAG`, `$TAG[2]`, `$name['key']` and captures `$0`…`$9`.
public struct RecordTemplate: Hashable, Sendable {
    enum Part: Hashable, Sendable {
        case text([UInt8])
        case tag
        /// The n-th part of the tag between dots, from 0.
        case tagPart(Int)
        case capture(Int)
        case field(FieldPath)
    }

    let parts: [Part]

    /// Reads a template; `nil` when a `$` begins nothing that is known.
    public init?(_ text: String) {
        var parts: [Part] = []
        var rest = Substring(text)
        var plain = ""
        while let character = rest.first {
            guard character == "$", let next = rest.dropFirst().first, next != " ", next != "$" else {
                plain.append(character)
                rest = rest.dropFirst()
                continue
            }
            if !plain.isEmpty { parts.append(.text(Array(plain.utf8))) }
            plain = ""
            guard let part = Self.part(&rest) else { return nil }
            parts.append(part)
        }
        if !plain.isEmpty { parts.append(.text(Array(plain.utf8))) }
        self.parts = parts
    }

    /// Takes what begins with `$` from the front.
    private static func part(_ rest: inout Substring) -> Part? {
        let body = rest.dropFirst()
        if let digit = body.first?.wholeNumberValue {
            rest = body.dropFirst()
            return .capture(digit)
        }
        if body.hasPrefix("TAG") {
            rest = body.dropFirst(3)
            guard rest.first == "[" else { return .tag }
            let digits = rest.dropFirst().prefix { $0.isNumber }
            guard let number = Int(digits), rest[digits.endIndex...].first == "]" else { return nil }
            rest = rest[digits.endIndex...].dropFirst()
            return .tagPart(number)
        }
        let path = Self.pathText(rest)
        rest = rest[path.endIndex...]
        return FieldPath(String(path)).map(Part.field)
    }

    /// `$name` and the brackets behind it; the name ends at a dot, a space, a comma or a quote.
    private static func pathText(_ text: Substring) -> Substring {
        var quote: Character?
        var end = text.index(after: text.startIndex)
        while end < text.endIndex {
            let character = text[end]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "'" || character == "\"" && text[text.index(before: end)] == "[" {
                quote = character
            } else if ". ,\"$".contains(character) {
                break
            }
            end = text.index(after: end)
            // Behind the last bracket the path is over.
            if quote == nil, character == "]", end == text.endIndex || text[end] != "[" { break }
        }
        return text[..<end]
    }

    /// Whether the text is the same for every event.
    public var isConstant: Bool {
        self.parts.allSatisfy { if case .text = $0 { true } else { false } }
    }

    /// Appends the text for an event; returns whether it had all parts.
    ///
    /// Parts that the event lacks are empty. Strings are put in as their text, other values as JSON.
    @discardableResult
    public func append(
        to bytes: inout [UInt8],
        tag: [UInt8],
        members: UnsafeRawBufferPointer,
        captures: [[UInt8]] = []
    ) -> Bool {
        var isComplete = true
        for part in self.parts {
            switch part {
            case .text(let text): bytes += text
            case .tag: bytes += tag
            case .tagPart(let number):
                let pieces = tag.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
                if number < pieces.count { bytes += pieces[number] } else { isComplete = false }
            case .capture(let number):
                if number < captures.count { bytes += captures[number] } else { isComplete = false }
            case .field(let path):
                if let range = path.find(in: members) {
                    Self.appendText(of: members.slice(range), to: &bytes)
                } else {
                    isComplete = false
                }
            }
        }
        return isComplete
    }

    /// Appends a JSON value as text: a string without quotes and escapes, anything else as it stands.
    public static func appendText(of value: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        if value.count >= 2, value[0] == UInt8(ascii: "\"") {
            JSONText.appendUnescaped(value.slice(1..<value.count - 1), to: &bytes)
        } else {
            bytes.append(contentsOf: value)
        }
    }
}
