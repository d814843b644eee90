internal import LeatCore

extension RowFunctions {
    /// Functions about the event as a whole.
    static let fieldMakers: [String: Maker] = [
        "eventSize": { call, _ in
            .function(
                ValueFunction([.allFields], as: call.text("as") ?? "_eventSize") { inputs in
                    let size = inputs.allFields.reduce(0) { $0 + $1.name.utf8.count + $1.value.count }
                    return Array(String(size).utf8)
                }
            )
        },
        "eventInternals": { call, _ in
            let prefix = call.text("prefix") ?? "@"
            return .function(
                FieldsFunction(
                    [.allFields],
                    outputs: ["fieldCount", "byteCount", "textByteCount"].map { prefix + $0 }
                ) { inputs, outputs in
                    let fields = inputs.allFields
                    outputs.set(0, to: String(fields.count))
                    outputs.set(1, to: String(fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.count }))
                    outputs.set(2, to: String(fields.first { $0.name == "@rawstring" }?.value.count ?? 0))
                }
            )
        },
        "eventFieldCount": { call, _ in
            .function(
                ValueFunction([.allFields], as: call.text("as") ?? "_eventFieldCount") { inputs in
                    Array(String(inputs.allFields.count).utf8)
                }
            )
        },
    ]
}
