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
                    for (name, value) in inputs.allFields {
                        let bytes = Array(name.utf8)
                        let isWanted = bytes.withUnsafeBytes { name in patterns.contains { $0.matches(name) } }
                        if isWanted { root.insert(value, at: JSONNode.path(name)[...]) }
                    }
                    return root.text
                }
            )
        },
        "json:prettyPrint": { call, _ in
            let step = min(max(call.integer("step") ?? 2, 0), 16)
            return Self.prettyPrinter(call) { text in
                var writer = JSONIndenter(step: step)
                return writer.indented(text)
            }
        },
        "xml:prettyPrint": { call, _ in
            let step = min(max(call.integer("step") ?? 2, 0), 16)
            return Self.prettyPrinter(call) { text in
                let document = XMLDocument(text)
                return document.isBroken ? nil : XMLIndenter.text(document, step: step)
            }
        },
    ]

    private static func prettyPrinter(
        _ call: BoundCall,
        _ indent: @escaping @Sendable (UnsafeRawBufferPointer) -> [UInt8]?
    ) -> RowFunctionKind {
        let isStrict = call.isTrue("strict")
        return .function(
            FieldsFunction([call.field("field")], outputs: [call.outputName], writesOtherNames: isStrict) {
                inputs,
                outputs in
                guard let text = inputs[0] else { return }
                if let result = indent(text) {
                    outputs.set(0, to: result)
                } else if isStrict {
                    Self.writeError("the text cannot be indented: it is not well-formed", &outputs)
                } else {
                    outputs.set(0, to: text)
                }
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

/// Writes XML with a line for each element.
enum XMLIndenter {
    static func text(_ document: XMLDocument, step: Int) -> [UInt8] {
        var result = ""
        for root in document.roots { Self.write(root, depth: 0, step: step, to: &result) }
        if result.hasSuffix("\n") { result.removeLast() }
        return Array(result.utf8)
    }

    private static func write(_ element: XMLDocument.Element, depth: Int, step: Int, to result: inout String) {
        let indent = String(repeating: " ", count: depth * step)
        let attributes = element.attributes.map { " \($0.name)=\"\(Self.escaped($0.value))\"" }.joined()
        result += "\(indent)<\(element.name)\(attributes)"
        if element.children.isEmpty && element.text.isEmpty {
            result += "/>\n"
        } else if element.children.isEmpty {
            result += ">\(Self.escaped(element.text))</\(element.name)>\n"
        } else {
            result += ">\(Self.escaped(element.text))\n"
            for child in element.children { Self.write(child, depth: depth + 1, step: step, to: &result) }
            result += "\(indent)</\(element.name)>\n"
        }
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
