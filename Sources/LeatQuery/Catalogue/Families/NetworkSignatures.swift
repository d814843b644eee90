// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Network functions.
    static let networkFunctions: [FunctionSignature] = [
        FunctionSignature(
            "asn",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "ip"),
                .init("as", .field),
            ],
            outputs: "<as>.asn, <as>.org",
            summary: """
                The number and organisation of the network of an address, from a MaxMind database among the lookup \
                files; nothing for unknown ones.
                """
        ),
        FunctionSignature(
            "communityId",
            .transformation,
            [
                .init("proto", .field, required: true),
                .init("sourceip", .field, required: true),
                .init("destinationip", .field, required: true),
                .init("sourceport", .field),
                .init("destinationport", .field),
                .init("icmptype", .field),
                .init("icmpcode", .field),
                .init("seed", .number, default: "0", in: .whole(0...65535)),
                .init("as", .field, default: "_community_id"),
            ],
            outputs: "_community_id",
            summary: "The Community ID of a flow, version 1."
        ),
        FunctionSignature(
            "geography:distance",
            .transformation,
            [
                .init("lat1", .field, required: true),
                .init("lon1", .field, required: true),
                .init("lat2", .field, required: true),
                .init("lon2", .field, required: true),
                .init("as", .field, default: "_distance"),
            ],
            outputs: "_distance",
            summary: "Great-circle distance of two points, in metres."
        ),
        FunctionSignature(
            "geohash",
            .transformation,
            [
                .init("lat", .field, default: "ip.lat"),
                .init("lon", .field, default: "ip.lon"),
                .init("precision", .number, default: "12", in: .whole(1...12)),
                .init("as", .field, default: "_geohash"),
            ],
            outputs: "_geohash",
            summary: "Geohash of a latitude and longitude."
        ),
        FunctionSignature(
            "ioc:lookup",
            .transformation,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("type", .choice(["ip_address", "domain", "url"]), required: true),
                .init("confidenceThreshold", .string, default: "high"),
                .init("include", .fields),
                .init("prefix", .string, default: "ioc"),
                .init("strict", .boolean, default: "false"),
            ],
            outputs: "ioc[n].*, ioc.detected",
            isFilterToo: true,
            summary: "Looks fields up among the indicators of compromise of the lookup file ioc.csv."
        ),
        FunctionSignature(
            "ipLocation",
            .transformation,
            [
                .init("field", .field, unnamed: true, default: "ip"),
                .init("as", .field),
            ],
            outputs: "<as>.country, .city, .state, .lat, .lon",
            summary: """
                Country, city, state and coordinates of an address, from a MaxMind database among the lookup files; \
                nothing for unknown ones.
                """
        ),
        FunctionSignature(
            "reverseDns",
            aliases: ["rdns"],
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_hostname"),
                .init("limit", .number),
                .init("server", .string),
            ],
            outputs: "_hostname",
            summary: """
                The host name of an address, asked from a name server; the operator says which servers queries may \
                ask. limit bounds the addresses that are asked for.
                """
        ),
        FunctionSignature(
            "subnet",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("bits", .number, required: true, in: .whole(0...128)),
                .init("as", .field, default: "_subnet"),
            ],
            outputs: "_subnet",
            summary: "The network of an address: its first bits."
        ),
    ]
}
