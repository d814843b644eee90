internal import Glibc
internal import LeatCore

extension RowFunctions {
    /// Functions of one number.
    private static let unaryFunctions: [String: @Sendable (Double) -> Double] = [
        "abs": { abs($0) }, "arccos": { acos($0) }, "arcsin": { asin($0) }, "arctan": { atan($0) },
        "ceil": { ceil($0) }, "cos": { cos($0) }, "cosh": { cosh($0) }, "deg2rad": { $0 * .pi / 180 },
        "exp": { exp($0) }, "expm1": { expm1($0) }, "floor": { floor($0) }, "log": { log($0) },
        "log10": { log10($0) }, "log1p": { log1p($0) }, "log2": { log2($0) }, "rad2deg": { $0 * 180 / .pi },
        "sin": { sin($0) }, "sinh": { sinh($0) }, "sqrt": { sqrt($0) }, "tan": { tan($0) }, "tanh": { tanh($0) },
    ]

    /// The `math:` functions; what is no number, or has no finite result, writes nothing.
    static let mathMakers: [String: Maker] = {
        var makers: [String: Maker] = [:]
        for (name, function) in Self.unaryFunctions {
            makers["math:\(name)"] = Self.unaryMaker(function)
        }
        makers["math:pow"] = { call, _ in
            Self.numeric([call.field("field"), call.operand("exponent")], call.outputName) { pow($0[0], $0[1]) }
        }
        makers["math:mod"] = { call, _ in
            Self.numeric([call.field("field"), call.operand("divisor")], call.outputName) { values in
                let remainder = fmod(values[0], values[1])
                return remainder != 0 && (remainder < 0) != (values[1] < 0) ? remainder + values[1] : remainder
            }
        }
        makers["math:arctan2"] = { call, _ in
            Self.numeric([call.field("x"), call.field("y")], call.outputName) { atan2($0[1], $0[0]) }
        }
        makers["math:spherical2cartesian"] = { call, _ in
            let name = call.outputName
            let inputs = [call.field("azimuth"), call.field("polar"), call.operand("radius")]
            return .function(
                FieldsFunction(inputs, outputs: ["\(name).x", "\(name).y", "\(name).z"]) { inputs, outputs in
                    guard let azimuth = inputs.number(0), let polar = inputs.number(1) else { return }
                    let radius = inputs.number(2) ?? 1
                    outputs.set(0, to: radius * sin(polar) * cos(azimuth))
                    outputs.set(1, to: radius * sin(polar) * sin(azimuth))
                    outputs.set(2, to: radius * cos(polar))
                }
            )
        }
        return makers
    }()

    private static func unaryMaker(_ function: @escaping @Sendable (Double) -> Double) -> Maker {
        { call, _ in Self.numeric([call.field("field")], call.outputName) { function($0[0]) } }
    }

    /// A function of numbers; writes nothing when an input is none or the result is not finite.
    static func numeric(
        _ inputs: [RowOperand],
        _ output: String,
        _ compute: @escaping @Sendable ([Double]) -> Double
    ) -> RowFunctionKind {
        .function(
            ValueFunction(inputs, as: output) { row in
                var values: [Double] = []
                for index in inputs.indices {
                    guard let value = row.number(index) else { return nil }
                    values.append(value)
                }
                let result = compute(values)
                guard result.isFinite else { return nil }
                var bytes: [UInt8] = []
                NumberText.append(result, to: &bytes)
                return bytes
            }
        )
    }
}
