internal import LeatCore

extension RowFunctions {
    /// Functions that keep or drop events by one value.
    static let filterMakers: [String: Maker] = [
        "cidr": { call, context throws(CallProblem) in try Self.cidr(call, context) },
        "sample": { call, _ in
            let percentage = call.number("percentage") ?? 1
            let limit = UInt64(percentage * 1_000_000)
            return .predicate(
                ValuePredicate([call.field("field")]) { inputs in
                    guard let value = inputs[0] else { return false }
                    return Digest.xxh3(value) % 100_000_000 < limit
                }
            )
        },
        "hashMatch": { call, _ throws(CallProblem) in
            let hash = try SaltedHash(call)
            let wanted = hash.text(Array((call.text("input") ?? "").utf8))
            guard let field = call.text("field") else {
                throw CallProblem("hashMatch() needs 'field'", at: call.call.nameRange)
            }
            return .predicate(
                ValuePredicate([.field(field)]) { inputs in inputs[0].map { $0.elementsEqual(wanted) } ?? false }
            )
        },
    ]

    private static func cidr(_ call: BoundCall, _ context: FunctionContext) throws(CallProblem) -> RowFunctionKind {
        var subnets = SubnetSet()
        // A text may hold several subnets, as parameters of dashboards do.
        for text in call.texts("subnet").flatMap({ $0.split(separator: ",") }) {
            let trimmed = text.filter { $0 != " " }
            if !subnets.insert(trimmed) {
                throw call.problem(
                    "'\(trimmed)' is no subnet",
                    of: "subnet",
                    hint: "for example 10.0.0.0/8 or fe80::/10"
                )
            }
        }
        if let file = call.text("file") { try Self.read(file, of: call, context, into: &subnets) }
        let isNegated = call.isTrue("negate")
        let loaded = subnets
        return .predicate(
            ValuePredicate([call.field("field")]) { inputs in
                let isInside = inputs[0].flatMap { InternetAddress($0) }.map { loaded.contains($0) } ?? false
                return isInside != isNegated
            }
        )
    }

    /// Adds the subnets of a column of a lookup file.
    private static func read(
        _ file: String,
        of call: BoundCall,
        _ context: FunctionContext,
        into subnets: inout SubnetSet
    ) throws(CallProblem) {
        guard let bytes = context.lookupFiles?.lookupFile(file) else {
            if context.isCheckOnly { return }
            throw call.problem("there is no lookup file '\(file)'", of: "file")
        }
        let records = bytes.withUnsafeBytes { CSVText.records($0) }
        let names = (records.first ?? []).map { String(decoding: $0, as: UTF8.self) }
        let wanted = call.text("column") ?? names.first ?? ""
        guard let column = names.firstIndex(of: wanted) else {
            throw call.problem(
                "the lookup file '\(file)' has no column '\(wanted)'",
                of: call.isGiven("column") ? "column" : "file",
                hint: "it has \(names.joined(separator: ", "))"
            )
        }
        for record in records.dropFirst() where column < record.count {
            _ = subnets.insert(String(decoding: record[column], as: UTF8.self))
        }
    }
}
