internal import LeatCore

extension RowFunctions {
    /// Functions that write structured texts.
    static let structureMakers: [String: Maker] = [
        "writeJson": { call, _ in
            let patterns = call.texts("field").map { $0.contains("*") ? $0 : $0.hasSuffix(".") ? $0 + "*" : $0 }
                .map { GlobPattern($0) }
            return .function(
                ValueFunction([.allFields], as: call.text("as") ?? "_json") { inputs in
                    var root = JSONNode()
                    // In the order of the array, and of the event among what one element names.
                    let fields = inputs.allFields.map { (name: Array($0.name.utf8), path: $0.name, value: $0.value) }
                    for pattern in patterns {
                        for field in fields where field.name.withUnsafeBytes({ pattern.matches($0) }) {
                            root.insert(field.value, at: JSONNode.path(field.path)[...])
                        }
                    }
                    return root.text
                }
            )
        },
        "json:prettyPrint": { call, _ in
            let step = call.integer("step") ?? 2
            return Self.prettyPrinter(call) { text in
                var writer = JSONIndenter(step: step)
                return writer.indented(text)
            }
        },
        "xml:prettyPrint": { call, _ in
            let step = call.integer("step") ?? 2
            let width = call.integer("width") ?? 80
            return Self.prettyPrinter(call) { text in
                let document = XMLDocument(text)
                return document.isBroken ? nil : XMLIndenter(step: step, width: width).text(document)
            }
        },
    ]

    private static func prettyPrinter(
        _ call: BoundCall,
        _ indent: @escaping @Sendable (UnsafeRawBufferPointer) -> [UInt8]?
    ) -> RowFunctionKind {
        let isStrict = call.isTrue("strict")
        return .function(
            ValueFunction([call.field("field")], as: call.outputName) { inputs in
                inputs[0].flatMap { text in indent(text) ?? (isStrict ? nil : Array(text)) }
            }
        )
    }
}

/// JSON under construction from flattened names.
struct JSONNode {
    /// A member's key or an element's index.
    enum Key: Hashable {
        case name(String)
        case index(Int)
    }

    private var scalar: [UInt8]?
    private var keys: [Key] = []
    private var children: [Key: JSONNode] = [:]

    /// The keys of a flattened name: `a.b[0]` is `a`, `b`, 0.
    static func path(_ name: String) -> [Key] {
        var keys: [Key] = []
        for part in name.split(separator: ".", omittingEmptySubsequences: false) {
            guard let open = part.firstIndex(of: "["), part.hasSuffix("]") else {
                keys.append(.name(String(part)))
                continue
            }
            let indexes = part[open...].dropFirst().dropLast().split(separator: "][").map { Int($0) }
            guard open > part.startIndex, !indexes.contains(nil) else {
                keys.append(.name(String(part)))
                continue
            }
            keys.append(.name(String(part[..<open])))
            keys += indexes.compactMap { $0.map { .index($0) } }
        }
        return keys
    }

    mutating func insert(_ value: UnsafeRawBufferPointer, at path: ArraySlice<Key>) {
        guard let key = path.first else {
            self.scalar = Array(value)
            return
        }
        if self.children[key] == nil { self.keys.append(key) }
        self.children[key, default: JSONNode()].insert(value, at: path.dropFirst())
    }

    /// The compact text.
    var text: [UInt8] {
        var bytes: [UInt8] = []
        if self.keys.isEmpty && self.scalar == nil { return Array("{}".utf8) }
        self.write(to: &bytes)
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        if self.keys.isEmpty {
            let value = self.scalar ?? []
            value.withUnsafeBytes { text in
                let isRaw = text.isEqual(to: "true") || text.isEqual(to: "false") || NumberText.isJSONNumber(text)
                if isRaw { bytes += value } else { JSONText.appendString(text, to: &bytes) }
            }
            return
        }
        let isArray = self.keys.allSatisfy { if case .index = $0 { true } else { false } }
        bytes.append(UInt8(ascii: isArray ? "[" : "{"))
        for (position, key) in self.sortedKeys(isArray).enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            if !isArray {
                JSONText.appendString(Array(Self.name(key).utf8), to: &bytes)
                bytes.append(UInt8(ascii: ":"))
            }
            self.children[key]?.write(to: &bytes)
        }
        bytes.append(UInt8(ascii: isArray ? "]" : "}"))
    }

    private func sortedKeys(_ isArray: Bool) -> [Key] {
        guard isArray else { return self.keys }
        return self.keys.sorted { left, right in
            if case .index(let first) = left, case .index(let second) = right { first < second } else { false }
        }
    }

    private static func name(_ key: Key) -> String {
        switch key {
        case .name(let name): name
        case .index(let index): String(index)
        }
    }
}

/// Writes JSON text with a line for each member and element.
struct JSONIndenter {
    let step: Int
    private var bytes: [UInt8] = []

    init(step: Int) { self.step = step }

    /// The indented text; `nil` when the text is no JSON.
    mutating func indented(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(text)
        } catch {
            return nil
        }
        self.write(value, depth: 0)
        return self.bytes
    }

    private mutating func write(_ value: JSONValue, depth: Int) {
        switch value {
        case .array(let elements) where !elements.isEmpty:
            self.bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                self.newline(depth + 1, isFirst: index == 0)
                self.write(element, depth: depth + 1)
            }
            self.newline(depth, isFirst: true)
            self.bytes.append(UInt8(ascii: "]"))
        case .object(let members) where !members.isEmpty:
            self.bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                self.newline(depth + 1, isFirst: index == 0)
                JSONText.appendString(Array(member.key.utf8), to: &self.bytes)
                self.bytes.append(contentsOf: Array(": ".utf8))
                self.write(member.value, depth: depth + 1)
            }
            self.newline(depth, isFirst: true)
            self.bytes.append(UInt8(ascii: "}"))
        default: self.bytes.append(contentsOf: value.jsonText.utf8)
        }
    }

    private mutating func newline(_ depth: Int, isFirst: Bool) {
        if !isFirst { self.bytes.append(UInt8(ascii: ",")) }
        self.bytes.append(0x0A)
        self.bytes.append(contentsOf: repeatElement(0x20, count: depth * self.step))
    }
}

/// Writes XML with a line for each element, and lines of their own for texts that are too long for that.
struct XMLIndenter {
    /// Spaces of each level.
    let step: Int
    /// Characters of a line, beyond which a text is broken at spaces.
    let width: Int
    private var result = ""

    init(step: Int, width: Int) {
        self.step = step
        self.width = width
    }

    func text(_ document: XMLDocument) -> [UInt8] {
        var writer = self
        for root in document.roots { writer.write(root, depth: 0) }
        if writer.result.hasSuffix("\n") { writer.result.removeLast() }
        return Array(writer.result.utf8)
    }

    private mutating func write(_ element: XMLDocument.Element, depth: Int) {
        let attributes = element.attributes.map { " \($0.name)=\"\(Self.escaped($0.value))\"" }.joined()
        let open = "<\(element.name)\(attributes)"
        let close = "</\(element.name)>"
        let text = Self.escaped(element.text)
        if element.children.isEmpty && text.isEmpty { return self.line("\(open)/>", depth) }
        if element.children.isEmpty, depth * self.step + open.count + 1 + text.count + close.count <= self.width {
            return self.line("\(open)>\(text)\(close)", depth)
        }
        self.line("\(open)>", depth)
        self.writeWords(of: text, depth: depth + 1)
        for child in element.children { self.write(child, depth: depth + 1) }
        self.line(close, depth)
    }

    private mutating func writeWords(of text: String, depth: Int) {
        var line = ""
        for word in text.split(whereSeparator: \.isWhitespace) {
            if !line.isEmpty, depth * self.step + line.count + 1 + word.count > self.width {
                self.line(line, depth)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        if !line.isEmpty { self.line(line, depth) }
    }

    private mutating func line(_ text: String, _ depth: Int) {
        self.result += String(repeating: " ", count: depth * self.step) + text + "\n"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
