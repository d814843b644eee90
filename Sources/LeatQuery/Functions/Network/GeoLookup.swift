internal import LeatCore

/// `ipLocation()` and `asn()`: what a MaxMind database of the operator says about an address.
enum GeoLookup {
    enum Kind {
        case city, network

        /// Names under which the database is looked for among the lookup files.
        var fileNames: [String] {
            switch self {
            case .city: ["GeoLite2-City.mmdb", "GeoIP2-City.mmdb", "GeoLite2-Country.mmdb"]
            case .network: ["GeoLite2-ASN.mmdb", "GeoIP2-ISP.mmdb"]
            }
        }
    }

    static func make(_ call: BoundCall, _ context: FunctionContext, kind: Kind) throws(CallProblem) -> RowFunctionKind {
        let field = call.text("field") ?? "ip"
        let name = call.text("as") ?? field
        guard let database = Self.database(kind, context) else {
            if context.isCheckOnly { return .function(FieldsFunction([.field(field)]) { _, _ in }) }
            throw CallProblem(
                "\(call.signature.name)() needs a MaxMind database",
                at: call.call.range,
                hint: "put \(kind.fileNames[0]) among the lookup files"
            )
        }
        let outputs =
            kind == .city
            ? ["\(name).country", "\(name).city", "\(name).state", "\(name).lat", "\(name).lon"]
            : ["\(name).asn", "\(name).org"]
        let paths: [[String]] =
            kind == .city
            ? [
                ["country", "iso_code"], ["city", "names", "en"], ["subdivisions", "0", "iso_code"],
                ["location", "latitude"], ["location", "longitude"],
            ] : [["autonomous_system_number"], ["autonomous_system_organization"]]
        return .function(
            FieldsFunction([.field(field)], outputs: outputs) { inputs, row in
                guard let address = inputs[0].flatMap({ InternetAddress($0) }), let entry = database.entry(of: address)
                else { return }
                for (index, path) in paths.enumerated() {
                    if let text = entry.text(at: path) { row.set(index, to: text) }
                }
            }
        )
    }

    private static func database(_ kind: Kind, _ context: FunctionContext) -> MaxMindDatabase? {
        for name in kind.fileNames {
            if let bytes = context.lookupFiles?.lookupFile(name), let database = MaxMindDatabase(bytes) {
                return database
            }
        }
        return nil
    }
}
