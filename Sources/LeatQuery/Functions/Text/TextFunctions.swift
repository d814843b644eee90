internal import LeatCore

extension RowFunctions {
    /// Case, length, parts and joins of texts.
    static let textMakers: [String: Maker] = [
        "lower": { call, _ in
            let rules = LanguageRules(locale: call.text("locale") ?? "")
            return .function(
                ValueFunction([call.field("field")], as: call.outputName) { inputs in
                    inputs[0].map { TextCase.lowercased($0, rules) }
                }
            )
        },
        "upper": { call, _ in
            let rules = LanguageRules(locale: call.text("locale") ?? "")
            return .function(
                ValueFunction([call.field("field")], as: call.outputName) { inputs in
                    inputs[0].map { TextCase.uppercased($0, rules) }
                }
            )
        },
        "length": { call, _ in
            .function(ValueFunction([call.field("field")], as: call.outputName) { Self.characterCount($0[0]) })
        },
        "text:length": { call, _ in
            .function(ValueFunction([call.operand("string")], as: call.outputName) { Self.characterCount($0[0]) })
        },
        "concat": { call, _ in
            let fields = call.fields("field")
            return .function(
                ValueFunction(fields, as: call.outputName) { inputs in
                    var result: [UInt8] = []
                    for index in fields.indices {
                        if let value = inputs[index] { result.append(contentsOf: value) }
                    }
                    return result
                }
            )
        },
        "text:trim": { call, _ in
            let mode = call.text("mode") ?? "both"
            return .function(
                ValueFunction([call.field("field")], as: call.outputName) { inputs in
                    inputs[0].map { Self.trimmed($0, start: mode != "end", end: mode != "start") }
                }
            )
        },
        "text:substring": { call, _ throws(CallProblem) in try Self.substring(call) },
        "text:positionOf": { call, _ throws(CallProblem) in try Self.positionOf(call) },
        "text:editDistance": { call, _ in Self.editDistance(call) },
        "text:editDistanceAsArray": { call, _ in Self.editDistances(call) },
        "stripAnsiCodes": { call, _ in
            .function(ValueFunction([call.field("field")], as: call.outputName) { $0[0].map(Self.withoutAnsiCodes) })
        },
        "lowercase": { call, _ in Self.lowercase(call) },
    ]

    private static func characterCount(_ value: UnsafeRawBufferPointer?) -> [UInt8]? {
        guard let value else { return nil }
        var count: Int64 = 0
        // Every byte that does not continue a character begins one.
        for byte in value where byte & 0xC0 != 0x80 { count += 1 }
        var bytes: [UInt8] = []
        NumberText.append(count, to: &bytes)
        return bytes
    }

    private static func trimmed(_ value: UnsafeRawBufferPointer, start: Bool, end: Bool) -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }
        var rest = value[...]
        while start, let first = rest.first, isSpace(first) { rest.removeFirst() }
        while end, let last = rest.last, isSpace(last) { rest.removeLast() }
        return Array(rest)
    }

    /// `text:substring`: characters from `begin` up to, not including, `end`.
    private static func substring(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        let hasEnd = call.isGiven("end")
        let inputs = [call.operand("string"), call.operand("begin")] + (hasEnd ? [call.operand("end")] : [])
        return .function(
            ValueFunction(inputs, as: call.outputName) { inputs in
                guard let text = inputs.text(0), let begin = inputs.number(1) else { return nil }
                let scalars = Array(text.unicodeScalars)
                let end = hasEnd ? inputs.number(2) ?? Double(scalars.count) : Double(scalars.count)
                let lower = Int(min(max(begin, 0), Double(scalars.count)))
                let upper = Int(min(max(end, Double(lower)), Double(scalars.count)))
                var view = String.UnicodeScalarView()
                view.append(contentsOf: scalars[lower..<upper])
                return Array(String(view).utf8)
            }
        )
    }

    /// `text:positionOf`: index of an occurrence, counted from 0; -1 when there is none.
    private static func positionOf(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        let inputs = [
            call.operand("string"), call.operand("character"), call.operand("begin"), call.operand("occurrence"),
        ]
        return .function(
            ValueFunction(inputs, as: call.outputName) { inputs in
                guard let text = inputs.text(0), let wanted = inputs.text(1), !wanted.isEmpty else { return nil }
                let scalars = Array(text.unicodeScalars)
                let needle = Array(wanted.unicodeScalars)
                let begin = Int(min(max(inputs.number(2) ?? 0, 0), Double(scalars.count)))
                var found: [Int] = []
                var index = begin
                while index + needle.count <= scalars.count {
                    if Array(scalars[index..<index + needle.count]) == needle { found.append(index) }
                    index += 1
                }
                let occurrence = Int(min(max(inputs.number(3) ?? 1, -1e6), 1e6))
                let position = occurrence > 0 ? occurrence - 1 : found.count + occurrence
                return Array(String(found.indices.contains(position) ? found[position] : -1).utf8)
            }
        )
    }

    private static func editDistance(_ call: BoundCall) -> RowFunctionKind {
        let distance = EditDistance(call)
        return .function(
            ValueFunction([call.operand("target"), call.operand("reference")], as: call.outputName) { inputs in
                guard let target = inputs.text(0), let reference = inputs.text(1) else { return nil }
                return Array(String(distance.between(target, reference)).utf8)
            }
        )
    }

    private static func editDistances(_ call: BoundCall) -> RowFunctionKind {
        let distance = EditDistance(call)
        let references = call.elements("references")
        let array = call.arrayName("asArray") ?? "_distance"
        let inputs = [call.operand("target")] + references.map { RowOperand.expression($0) }
        return .function(
            FieldsFunction(inputs) { inputs, outputs in
                guard let target = inputs.text(0) else { return }
                var index = 0
                for number in references.indices {
                    guard let reference = inputs.text(number + 1) else { continue }
                    outputs.set(field: "\(array)[\(index)].reference", to: reference)
                    let value = distance.between(target, reference)
                    outputs.set(field: "\(array)[\(index)].distance", to: String(value))
                    index += 1
                }
            }
        )
    }

    /// Takes out escape sequences: CSI and OSC as ECMA-48 has them, and two-byte ones.
    private static func withoutAnsiCodes(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < value.count {
            guard value[index] == 0x1B, index + 1 < value.count else {
                result.append(value[index])
                index += 1
                continue
            }
            switch value[index + 1] {
            case UInt8(ascii: "["):
                index += 2
                while index < value.count, value[index] < 0x40 || value[index] > 0x7E { index += 1 }
                index += 1
            case UInt8(ascii: "]"):
                index += 2
                while index < value.count, value[index] != 0x07, value[index] != 0x1B { index += 1 }
                if index < value.count, value[index] == 0x1B { index += 1 }
                index += 1
            default: index += 2
            }
        }
        return result
    }

    /// `lowercase`: values, names, or both, in place.
    private static func lowercase(_ call: BoundCall) -> RowFunctionKind {
        let include = call.text("include") ?? "values"
        let names = call.texts("field")
        let rules = LanguageRules(locale: call.text("locale") ?? "")
        return .function(
            FieldsFunction([.allFields]) { inputs, outputs in
                let all = names.contains("*")
                for (name, value) in inputs.allFields where all || names.contains(name) {
                    let lowered = include == "fields" ? Array(value) : TextCase.lowercased(value, rules)
                    let target = include == "values" ? name : name.lowercased()
                    if target != name { outputs.remove(field: name) }
                    outputs.set(field: target, to: lowered)
                }
            }
        )
    }
}

/// Edits (insert, delete, replace, swap of neighbours) from one text to another, up to a maximum.
struct EditDistance: Sendable {
    private let maximum: Int
    private let foldsCase: Bool
    private let swaps: Bool

    init(_ call: BoundCall) {
        self.maximum = call.integer("maxDistance") ?? 10
        self.foldsCase = call.isTrue("ignoreCase")
        self.swaps = call.isTrue("allowTranspositions")
    }

    /// The distance, at most the maximum.
    func between(_ left: String, _ right: String) -> Int {
        let first = Array((self.foldsCase ? left.lowercased() : left).unicodeScalars)
        let second = Array((self.foldsCase ? right.lowercased() : right).unicodeScalars)
        if abs(first.count - second.count) >= self.maximum { return self.maximum }
        var beforeLast: [Int] = []
        var last = Array(0...second.count)
        for row in 0..<first.count {
            var current = [row + 1]
            for column in 0..<second.count {
                let replaced = last[column] + (first[row] == second[column] ? 0 : 1)
                var least = min(replaced, last[column + 1] + 1, current[column] + 1)
                if self.swaps, row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                    least = min(least, beforeLast[column - 1] + 1)
                }
                current.append(least)
            }
            if current.allSatisfy({ $0 >= self.maximum }) { return self.maximum }
            beforeLast = last
            last = current
        }
        return min(last[second.count], self.maximum)
    }
}
