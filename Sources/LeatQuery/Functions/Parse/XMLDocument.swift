internal import LeatCore

/// A small, forgiving reader of XML: elements, attributes, text, CDATA and the entities that every document has.
///
/// No document types, no external entities: an event's text is data, not a program.
struct XMLDocument {
    /// An element with what it holds.
    final class Element {
        let name: String
        var attributes: [(name: String, value: String)] = []
        var text = ""
        var children: [Element] = []

        init(_ name: String) { self.name = name }
    }

    /// Elements inside each other that are read; deeper ones end the document.
    private static let depthMax = 64

    /// The elements at the top, usually one.
    let roots: [Element]
    /// Whether the text is not well-formed.
    let isBroken: Bool

    init(_ text: UnsafeRawBufferPointer) {
        var reader = Reader(text: text)
        reader.read()
        self.roots = reader.roots
        self.isBroken = reader.isBroken
    }

    /// Calls `body` with each field: elements as `a.b`, attributes as `a.name`, repeated elements as `a[0]`, `a[1]`.
    func flatten(prefix: String, _ body: (String, String) -> Void) {
        Self.flatten(self.roots, prefix: prefix, body)
    }

    private static func flatten(_ elements: [Element], prefix: String, _ body: (String, String) -> Void) {
        var counts: [String: Int] = [:]
        for element in elements { counts[element.name, default: 0] += 1 }
        var indexes: [String: Int] = [:]
        for element in elements {
            var name = prefix + element.name
            if counts[element.name, default: 0] > 1 {
                name += "[\(indexes[element.name, default: 0])]"
                indexes[element.name, default: 0] += 1
            }
            for attribute in element.attributes { body("\(name).\(attribute.name)", attribute.value) }
            let isLeaf = element.children.isEmpty && element.attributes.isEmpty
            if !element.text.isEmpty || isLeaf { body(name, element.text) }
            Self.flatten(element.children, prefix: name + ".", body)
        }
    }

    private struct Reader {
        let text: UnsafeRawBufferPointer
        var position = 0
        var roots: [Element] = []
        var open: [Element] = []
        var isBroken = false

        mutating func read() {
            while self.position < self.text.count {
                if self.text[self.position] == UInt8(ascii: "<") {
                    if !self.markup() {
                        self.isBroken = true
                        return
                    }
                } else {
                    let end = self.text.firstIndex(ofByte: UInt8(ascii: "<"), from: self.position) ?? self.text.count
                    let text = XMLDocument.unescaped(self.text.slice(self.position..<end).trimmed)
                    if let last = self.open.last { last.text += text } else if !text.isEmpty { self.isBroken = true }
                    self.position = end
                }
            }
            self.isBroken = self.isBroken || !self.open.isEmpty || self.roots.isEmpty
        }

        private mutating func markup() -> Bool {
            if self.starts("<!--") { return self.skip("-->") }
            if self.starts("<![CDATA[") {
                let start = self.position + 9
                guard self.skip("]]>") else { return false }
                self.open.last?.text += self.text.slice(start..<self.position - 3).text
                return true
            }
            if self.starts("<?") { return self.skip("?>") }
            if self.starts("<!") { return self.skip(">") }
            if self.starts("</") { return self.endTag() }
            return self.startTag()
        }

        private func starts(_ text: StaticString) -> Bool {
            let count = text.utf8CodeUnitCount
            guard self.text.count - self.position >= count else { return false }
            return self.text.slice(self.position..<self.position + count).isEqual(to: text)
        }

        private mutating func skip(_ end: StaticString) -> Bool {
            while self.position < self.text.count {
                if self.starts(end) {
                    self.position += end.utf8CodeUnitCount
                    return true
                }
                self.position += 1
            }
            return false
        }

        private mutating func endTag() -> Bool {
            self.position += 2
            let name = self.name()
            guard self.skip(">"), let last = self.open.last, last.name == name else { return false }
            self.open.removeLast()
            return true
        }

        private mutating func startTag() -> Bool {
            self.position += 1
            let name = self.name()
            guard !name.isEmpty, self.open.count < XMLDocument.depthMax else { return false }
            let element = Element(name)
            if let last = self.open.last { last.children.append(element) } else { self.roots.append(element) }
            while true {
                self.skipSpace()
                guard self.position < self.text.count else { return false }
                if self.text[self.position] == UInt8(ascii: ">") {
                    self.position += 1
                    self.open.append(element)
                    return true
                }
                if self.starts("/>") {
                    self.position += 2
                    return true
                }
                guard let attribute = self.attribute() else { return false }
                element.attributes.append(attribute)
            }
        }

        private mutating func attribute() -> (name: String, value: String)? {
            let name = self.name()
            self.skipSpace()
            guard !name.isEmpty, self.position < self.text.count, self.text[self.position] == UInt8(ascii: "=") else {
                return nil
            }
            self.position += 1
            self.skipSpace()
            guard self.position < self.text.count else { return nil }
            let quote = self.text[self.position]
            guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
                let end = self.text.firstIndex(ofByte: quote, from: self.position + 1)
            else { return nil }
            let value = XMLDocument.unescaped(self.text.slice(self.position + 1..<end))
            self.position = end + 1
            return (name, value)
        }

        private mutating func skipSpace() {
            while self.position < self.text.count, self.text[self.position] <= 0x20 { self.position += 1 }
        }

        private mutating func name() -> String {
            let start = self.position
            while self.position < self.text.count, Self.isName(self.text[self.position]) { self.position += 1 }
            return self.text.slice(start..<self.position).text
        }

        private static func isName(_ byte: UInt8) -> Bool {
            byte > 0x20 && !"<>/='\"".utf8.contains(byte)
        }
    }

    /// The text with its entities resolved; unknown ones stay.
    static func unescaped(_ bytes: UnsafeRawBufferPointer) -> String {
        let text = bytes.text
        guard text.contains("&") else { return text }
        var result = ""
        var rest = Substring(text)
        while let start = rest.firstIndex(of: "&") {
            result += rest[..<start]
            rest = rest[start...]
            guard let end = rest.prefix(12).firstIndex(of: ";"),
                let scalar = Self.entity(rest[rest.index(after: start)..<end])
            else {
                result += "&"
                rest = rest.dropFirst()
                continue
            }
            result.unicodeScalars.append(scalar)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private static func entity(_ name: Substring) -> Unicode.Scalar? {
        switch name {
        case "lt": "<"
        case "gt": ">"
        case "amp": "&"
        case "quot": "\""
        case "apos": "'"
        case _ where name.hasPrefix("#x"): UInt32(name.dropFirst(2), radix: 16).flatMap { Unicode.Scalar($0) }
        case _ where name.hasPrefix("#"): UInt32(name.dropFirst()).flatMap { Unicode.Scalar($0) }
        default: nil
        }
    }
}
