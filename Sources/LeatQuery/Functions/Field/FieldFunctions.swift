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
        "eventFieldCount": { call, _ in
            .function(
                ValueFunction([.allFields], as: call.text("as") ?? "_eventFieldCount") { inputs in
                    Array(String(inputs.allFields.count).utf8)
                }
            )
        },
    ]
}
