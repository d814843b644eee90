internal import LeatCore

extension RowFunctions {
    /// `format`, `concatArray`.
    static let formatMakers: [String: Maker] = [
        "format": { call, context throws(CallProblem) in
            let zone = try call.timeZone() ?? .utc
            let limit = context.limits.valueBytes
            let template: PrintfTemplate
            do throws(PrintfError) {
                template = try PrintfTemplate(call.text("format") ?? "", zone: zone)
            } catch {
                throw call.problem(error.message, of: "format", hint: "for example format(\"%s: %.2f\", field=[a, b])")
            }
            // A quoted name is a field here, although other expressions are taken too.
            let inputs = call.elements("field").map { element -> RowOperand in
                switch element {
                case .field(let name, _), .string(let name, _), .duration(let name, _): .field(name)
                default: .expression(element)
                }
            }
            return .function(
                ValueFunction(inputs, as: call.outputName) { row in
                    template.text(inputs.indices.map { row[$0] }, limit: limit)
                }
            )
        },
        "concatArray": { call, _ in
            let array = call.arrayName("field") ?? ""
            let from = call.integer("from") ?? 0
            let to = call.integer("to")
            let prefix = Array((call.text("prefix") ?? "").utf8)
            let separator = Array((call.text("separator") ?? "").utf8)
            let suffix = Array((call.text("suffix") ?? "").utf8)
            return .function(
                ValueFunction([.array(array)], as: call.outputName) { row in
                    var result: [UInt8] = []
                    for (index, element) in row.array.enumerated() where index >= from && index <= to ?? .max {
                        if index > from { result += separator }
                        result += prefix
                        result.append(contentsOf: element)
                        result += suffix
                    }
                    return result
                }
            )
        },
    ]
}
