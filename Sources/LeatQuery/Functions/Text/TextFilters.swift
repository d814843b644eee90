internal import LeatCore

extension RowFunctions {
    /// Tests of texts.
    static let textFilterMakers: [String: Maker] = [
        "text:contains": { call, _ in
            Self.textFilter(call) { string, part in
                part.isEmpty || ByteSearch.find(part, in: string) != nil
            }
        },
        "text:startsWith": { call, _ in
            Self.textFilter(call) { string, part in
                string.count >= part.count && string.slice(0..<part.count).isEqual(to: part)
            }
        },
        "text:endsWith": { call, _ in
            Self.textFilter(call) { string, part in
                string.count >= part.count && string.slice(string.count - part.count..<string.count).isEqual(to: part)
            }
        },
    ]

    private static func textFilter(
        _ call: BoundCall,
        _ test: @escaping @Sendable (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) -> RowFunctionKind {
        .predicate(
            ValuePredicate([call.operand("string"), call.operand("substring")]) { inputs in
                guard let string = inputs[0], let part = inputs[1] else { return false }
                return test(string, part)
            }
        )
    }
}
