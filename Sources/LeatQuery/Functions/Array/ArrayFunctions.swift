internal import LeatCore

extension RowFunctions {
    /// Functions of arrays of one event: fields `name[0]`, `name[1]`, … without a hole.
    static let arrayMakers: [String: Maker] = [
        "array:contains": { call, _ in
            let value = Array((call.text("value") ?? "").utf8)
            return .predicate(
                ValuePredicate([Self.array(call)]) { inputs in inputs.array.contains { $0.elementsEqual(value) } }
            )
        },
        "array:regex": { call, _ throws(CallProblem) in
            let pool = try call.pattern("regex", flags: call.text("flags") ?? "")
            return .predicate(
                ValuePredicate([Self.array(call)]) { inputs throws(QueryFailure) in
                    for element in inputs.array where try pool.matches(element) { return true }
                    return false
                }
            )
        },
        "array:length": { call, _ in
            .function(
                ValueFunction([Self.array(call)], as: call.outputName) { Array(String($0.array.count).utf8) }
            )
        },
        "array:append": { call, _ in Self.append(call) },
        "array:drop": { call, _ in
            let name = call.arrayName("array") ?? ""
            return .function(
                FieldsFunction([.array(name)]) { inputs, outputs in
                    for field in inputs.arrayFields { outputs.remove(field: name + field.suffix) }
                }
            )
        },
        "array:rename": { call, _ in
            let name = call.arrayName("array") ?? ""
            let target = call.arrayName("asArray") ?? name
            return .function(
                FieldsFunction([.array(name)]) { inputs, outputs in
                    guard name != target else { return }
                    for field in inputs.arrayFields {
                        outputs.set(field: target + field.suffix, to: field.value)
                        outputs.remove(field: name + field.suffix)
                    }
                }
            )
        },
        "array:dedup": { call, _ in
            Self.replacing(call) { elements in
                var seen: Set<[UInt8]> = []
                return elements.filter { seen.insert($0).inserted }
            }
        },
        "array:sort": { call, _ in
            let isDescending = call.text("order")?.hasPrefix("des") ?? false
            let isNumeric = call.text("type") == "number"
            return Self.replacing(call) { elements in
                Self.sorted(elements, isNumeric: isNumeric, isDescending: isDescending)
            }
        },
    ]

    private static func array(_ call: BoundCall) -> RowOperand { .array(call.arrayName("array") ?? "") }

    private static func append(_ call: BoundCall) -> RowFunctionKind {
        let name = call.arrayName("array") ?? ""
        let values = call.elements("values")
        let inputs = [RowOperand.array(name)] + values.map { .expression($0) }
        return .function(
            FieldsFunction(inputs) { inputs, outputs in
                var index = inputs.array.count
                for number in values.indices {
                    guard let value = inputs[number + 1] else { continue }
                    outputs.set(field: "\(name)[\(index)]", to: value)
                    index += 1
                }
            }
        )
    }

    /// A function that gives other elements, in the same array or another.
    private static func replacing(
        _ call: BoundCall,
        _ change: @escaping @Sendable ([[UInt8]]) -> [[UInt8]]
    ) -> RowFunctionKind {
        let name = call.arrayName("array") ?? ""
        let target = call.arrayName("asArray") ?? name
        return .function(
            FieldsFunction([.array(name)]) { inputs, outputs in
                let elements = inputs.array.map { Array($0) }
                let changed = change(elements)
                for (index, element) in changed.enumerated() {
                    outputs.set(field: "\(target)[\(index)]", to: element)
                }
                guard target == name, changed.count < elements.count else { return }
                for index in changed.count..<elements.count { outputs.remove(field: "\(name)[\(index)]") }
            }
        )
    }

    /// Texts are compared without regard to case; among numbers they come last, in both orders.
    private static func sorted(_ elements: [[UInt8]], isNumeric: Bool, isDescending: Bool) -> [[UInt8]] {
        func ordered<Key: Comparable>(_ keyed: [(element: [UInt8], key: Key)]) -> [[UInt8]] {
            keyed.sorted { isDescending ? $0.key > $1.key : $0.key < $1.key }.map(\.element)
        }
        var numbers: [(element: [UInt8], key: Double)] = []
        var texts: [(element: [UInt8], key: String)] = []
        for element in elements {
            if isNumeric, let number = element.withUnsafeBytes({ NumberText.parse($0) }) {
                numbers.append((element, number))
            } else {
                texts.append((element, String(decoding: element, as: UTF8.self).lowercased()))
            }
        }
        return ordered(numbers) + ordered(texts)
    }
}
