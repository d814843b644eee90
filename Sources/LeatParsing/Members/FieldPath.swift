internal import LeatCore

/// The way to a field: a name, then keys of objects and indices of arrays, as in `$kubernetes['labels']['app']`.
public struct FieldPath: Hashable, Sendable {
    /// One step into a value.
    public enum Step: Hashable, Sendable {
        /// A key, as the contents of a JSON string.
        case key([UInt8])
        case index(Int)
    }

    /// At least one; the first is a key.
    public let steps: [Step]

    /// The path to a field by its name, whatever characters it has.
    public init(name: String) { self.steps = [.key(Self.contents(name))] }

    private init(steps: [Step]) { self.steps = steps }

    /// Reads `$name['key'][0]`, or a plain name; `nil` when the brackets are wrong.
    public init?(_ text: String) {
        guard text.hasPrefix("$") else {
            self.init(name: text)
            return
        }
        let body = text.dropFirst()
        let name = body.prefix { $0 != "[" }
        guard !name.isEmpty else { return nil }
        var steps = [Step.key(Self.contents(String(name)))]
        var rest = body[name.endIndex...]
        while !rest.isEmpty {
            guard let step = Self.step(&rest) else { return nil }
            steps.append(step)
        }
        self = FieldPath(steps: steps)
    }

    /// Takes `['key']`, `["key"]` or `[0]` from the front.
    private static func step(_ rest: inout Substring) -> Step? {
        guard rest.first == "[" else { return nil }
        rest = rest.dropFirst()
        if let quote = rest.first, quote == "'" || quote == "\"" {
            rest = rest.dropFirst()
            var key = ""
            while let character = rest.popFirst() {
                if character != quote {
                    key.append(character)
                } else if rest.first == quote {
                    // A doubled quote stands for itself.
                    key.append(character)
                    rest = rest.dropFirst()
                } else if rest.first == "]" {
                    rest = rest.dropFirst()
                    return .key(Self.contents(key))
                } else {
                    return nil
                }
            }
            return nil
        }
        let digits = rest.prefix { $0.isNumber }
        guard let index = Int(digits), rest[digits.endIndex...].first == "]" else { return nil }
        rest = rest[digits.endIndex...].dropFirst()
        return .index(index)
    }

    /// A name as the contents of a JSON string.
    public static func contents(_ name: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var name = name
        name.withUTF8 { JSONWriter.append(escaped: UnsafeRawBufferPointer($0), to: &bytes) }
        return bytes
    }

    /// The value at the path in a record's members; `nil` when there is none.
    public func find(in members: UnsafeRawBufferPointer) -> Range<Int>? {
        var range = 0..<members.count
        for (number, step) in self.steps.enumerated() {
            if number > 0 {
                // The contents of the object or array found before.
                let isObject = members[range.lowerBound] == UInt8(ascii: "{")
                guard range.count >= 2, isObject || members[range.lowerBound] == UInt8(ascii: "[") else { return nil }
                if case .index = step, isObject { return nil }
                if case .key = step, !isObject { return nil }
                range = range.lowerBound + 1..<range.upperBound - 1
            }
            guard let found = Self.find(step, in: members.slice(range)) else { return nil }
            range = range.lowerBound + found.lowerBound..<range.lowerBound + found.upperBound
        }
        return range
    }

    private static func find(_ step: Step, in contents: UnsafeRawBufferPointer) -> Range<Int>? {
        var scanner = MemberScanner(contents)
        switch step {
        case .key(let name):
            return name.withUnsafeBytes { name in
                while let member = scanner.next() {
                    if contents.slice(member.name).isEqual(to: name) { return member.value }
                }
                return nil
            }
        case .index(var index):
            while let element = scanner.nextElement() {
                if index == 0 { return element }
                index -= 1
            }
            return nil
        }
    }
}
