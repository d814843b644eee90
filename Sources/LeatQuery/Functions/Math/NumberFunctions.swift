internal import Glibc
internal import LeatCore

extension RowFunctions {
    /// Rounding, integers in other bases, bits and units.
    static let numberMakers: [String: Maker] = [
        "round": { call, _ in
            let how = call.text("how") ?? "round"
            return Self.numeric([call.field("field")], call.outputName) { values in
                switch how {
                case "ceil": ceil(values[0])
                case "floor": floor(values[0])
                default: floor(values[0] + 0.5)
                }
            }
        },
        "parseInt": { call, _ throws(CallProblem) in try Self.parseInt(call) },
        "bitfield:extractFlags": { call, _ throws(CallProblem) in try Self.extractFlags(call) },
        "bitfield:extractFlagsAsArray": { call, _ throws(CallProblem) in try Self.extractFlagNames(call, asArray: true)
        },
        "bitfield:extractFlagsAsString": { call, _ throws(CallProblem) in
            try Self.extractFlagNames(call, asArray: false)
        },
        "unit:convert": { call, _ throws(CallProblem) in try UnitConversion.make(call) },
    ]

    private static func parseInt(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        let radix = call.integer("radix") ?? 16
        let isLittle = call.text("endian") == "little"
        return .function(
            ValueFunction([call.field("field")], as: call.outputName) { inputs in
                guard var text = inputs.text(0) else { return nil }
                let isNegative = text.hasPrefix("-")
                if isNegative { text.removeFirst() }
                for (prefix, base) in [("0x", 16), ("0b", 2), ("0o", 8)] where base == radix {
                    if text.lowercased().hasPrefix(prefix) { text.removeFirst(2) }
                }
                if isLittle && radix == 16 && text.count % 2 == 0 {
                    let digits = Array(text)
                    text = stride(from: digits.count - 2, through: 0, by: -2).map { String(digits[$0..<$0 + 2]) }
                        .joined()
                }
                guard let value = Int64(text, radix: radix) else { return nil }
                return Array(String(isNegative ? -value : value).utf8)
            }
        )
    }

    /// The pairs `[[bit, name], …]` of an argument.
    private static func flags(_ call: BoundCall, _ parameter: String) throws(CallProblem) -> [(bit: Int, name: String)]
    {
        var flags: [(bit: Int, name: String)] = []
        for element in call.elements(parameter) {
            let parts = element.plainTexts
            guard parts.count == 2, let bit = Int(parts[0]), (0..<64).contains(bit) else {
                throw call.problem("'\(parameter)' wants pairs [[bit, name], …] with bits from 0 to 63", of: parameter)
            }
            flags.append((bit, parts[1]))
        }
        return flags
    }

    private static func bits(_ value: UnsafeRawBufferPointer?) -> UInt64? {
        guard let value else { return nil }
        let text = String(decoding: value, as: UTF8.self)
        if text.hasPrefix("0x") { return UInt64(text.dropFirst(2), radix: 16) }
        return UInt64(text) ?? Int64(text).map { UInt64(bitPattern: $0) }
    }

    private static func extractFlags(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        let flags = try Self.flags(call, "output")
        let onlyTrue = call.isTrue("onlyTrue")
        return .function(
            FieldsFunction([call.field("field")], outputs: flags.map(\.name)) { inputs, outputs in
                guard let bits = Self.bits(inputs[0]) else { return }
                for (index, flag) in flags.enumerated() {
                    let isSet = bits >> UInt64(flag.bit) & 1 == 1
                    if isSet || !onlyTrue { outputs.set(index, to: isSet ? "true" : "false") }
                }
            }
        )
    }

    private static func extractFlagNames(_ call: BoundCall, asArray: Bool) throws(CallProblem) -> RowFunctionKind {
        let flags = try Self.flags(call, "flagNames").sorted { $0.bit < $1.bit }
        let names: @Sendable (RowInputs) -> [String]? = { inputs in
            guard let bits = Self.bits(inputs[0]) else { return nil }
            return flags.filter { bits >> UInt64($0.bit) & 1 == 1 }.map(\.name)
        }
        if asArray {
            let array = call.arrayName("asArray") ?? "_flags"
            return .function(
                FieldsFunction([call.field("field")]) { inputs, outputs in
                    for (index, name) in (names(inputs) ?? []).enumerated() {
                        outputs.set(field: "\(array)[\(index)]", to: name)
                    }
                }
            )
        }
        let separator = call.text("separator") ?? " "
        return .function(
            ValueFunction([call.field("field")], as: call.outputName) { inputs in
                names(inputs).map { Array($0.joined(separator: separator).utf8) }
            }
        )
    }
}
