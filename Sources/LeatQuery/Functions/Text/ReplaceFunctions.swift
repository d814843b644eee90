internal import LeatCore

extension RowFunctions {
    /// Functions that replace and split by regular expressions.
    static let replaceMakers: [String: Maker] = [
        "replace": { call, context throws(CallProblem) in try Self.replace(call, limit: context.limits.valueBytes) },
        "splitString": { call, _ throws(CallProblem) in try Self.splitString(call) },
    ]

    private static func replace(_ call: BoundCall, limit: Int) throws(CallProblem) -> RowFunctionKind {
        let pool = try call.pattern("regex", flags: call.text("flags") ?? "", defaultFlags: "m")
        let template = ReplacementTemplate(call.text("with") ?? "", groups: pool.pattern.groups)
        return .function(
            ValueFunction([call.field("field")], as: call.outputName) { inputs throws(QueryFailure) in
                guard let value = inputs[0] else { return nil }
                var result: [UInt8] = []
                result.reserveCapacity(value.count)
                var copied = 0
                try pool.forEachMatch(in: value) { matcher, range in
                    // Whoever takes the result refuses one that is longer.
                    guard result.count <= limit else { return }
                    if range.lowerBound > copied { result.append(contentsOf: value[copied..<range.lowerBound]) }
                    template.append(matcher, value, to: &result)
                    copied = range.upperBound
                }
                result.append(contentsOf: value[copied...])
                return result
            }
        )
    }

    private static func splitString(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        let pool = try call.pattern("by", flags: "")
        let name = call.arrayName("as") ?? "_splitstring"
        let input = call.field("field")
        if let index = call.integer("index") {
            return .function(
                ValueFunction([input], as: name) { inputs throws(QueryFailure) in
                    guard let value = inputs[0] else { return nil }
                    let parts = try Self.parts(of: value, by: pool)
                    let position = index < 0 ? parts.count + index : index
                    return parts.indices.contains(position) ? Array(value[parts[position]]) : nil
                }
            )
        }
        return .function(
            FieldsFunction([input]) { inputs, outputs throws(QueryFailure) in
                guard let value = inputs[0] else { return }
                for (index, part) in try Self.parts(of: value, by: pool).enumerated() {
                    outputs.set(field: "\(name)[\(index)]", to: Array(value[part]))
                }
            }
        )
    }

    /// The stretches between matches; empty ones at the end are left out, as Java does.
    private static func parts(
        of value: UnsafeRawBufferPointer,
        by pool: PatternPool
    ) throws(QueryFailure) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var start = 0
        try pool.forEachMatch(in: value) { _, range in
            // An empty match at the start splits nothing off.
            if range.upperBound == 0 || (range.isEmpty && range.lowerBound >= value.count) { return }
            parts.append(start..<range.lowerBound)
            start = range.upperBound
        }
        parts.append(start..<value.count)
        while parts.count > 1, let last = parts.last, last.isEmpty { parts.removeLast() }
        return parts
    }
}

/// The text that takes the place of a match: `$1`, `$name` and `${name}` are groups, `\$` is a dollar sign.
struct ReplacementTemplate: Sendable {
    private enum Part: Sendable {
        case text([UInt8])
        case group(Int)
    }

    private var parts: [Part] = []

    init(_ template: String, groups: [(name: String, number: Int)]) {
        var rest = Substring(template)
        var literal: [UInt8] = []
        func number(_ name: Substring) -> Int? {
            Int(name) ?? groups.first { $0.name == name }?.number
        }
        while let character = rest.first {
            rest.removeFirst()
            if character == "\\", let next = rest.first, next == "$" || next == "\\" {
                rest.removeFirst()
                literal += Array(String(next).utf8)
                continue
            }
            guard character == "$" else {
                literal += Array(String(character).utf8)
                continue
            }
            let isBraced = rest.first == "{"
            let name =
                isBraced
                ? rest.dropFirst().prefix { $0 != "}" }
                : rest.first?.isNumber == true
                    ? rest.prefix(1) : rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." || $0 == "@" }
            guard !name.isEmpty, let group = number(name) else {
                literal.append(UInt8(ascii: "$"))
                continue
            }
            rest = rest.dropFirst(name.count + (isBraced ? 2 : 0))
            if !literal.isEmpty { self.parts.append(.text(literal)) }
            literal = []
            self.parts.append(.group(group))
        }
        if !literal.isEmpty { self.parts.append(.text(literal)) }
    }

    /// Appends the text for the matcher's last match.
    func append(_ matcher: PatternMatcher, _ value: UnsafeRawBufferPointer, to result: inout [UInt8]) {
        for part in self.parts {
            switch part {
            case .text(let bytes): result += bytes
            case .group(let number):
                if let range = matcher.range(ofGroup: number) { result.append(contentsOf: value[range]) }
            }
        }
    }
}
