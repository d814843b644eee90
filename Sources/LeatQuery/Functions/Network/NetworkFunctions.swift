internal import Glibc
internal import LeatCore

extension RowFunctions {
    /// Functions of addresses and places on earth.
    static let networkMakers: [String: Maker] = [
        "subnet": { call, _ in
            let bits = call.integer("bits") ?? 0
            return .function(
                ValueFunction([call.field("field")], as: call.outputName) { inputs in
                    inputs[0].flatMap { InternetAddress($0) }.map { Array($0.masked(to: bits).text.utf8) }
                }
            )
        },
        "communityId": { call, _ in CommunityID.make(call) },
        "geography:distance": { call, _ in
            let inputs = ["lat1", "lon1", "lat2", "lon2"].map { call.field($0) }
            return Self.numeric(inputs, call.outputName) { Self.distance($0[0], $0[1], $0[2], $0[3]) }
        },
        "geohash": { call, _ in
            let precision = call.integer("precision") ?? 12
            return .function(
                ValueFunction([call.field("lat"), call.field("lon")], as: call.outputName) { inputs in
                    guard let latitude = inputs.number(0), let longitude = inputs.number(1) else { return nil }
                    return Geohash.text(latitude: latitude, longitude: longitude, precision: precision)
                }
            )
        },
        "ipLocation": { call, context throws(CallProblem) in
            try GeoLookup.make(call, context, kind: .city)
        },
        "asn": { call, context throws(CallProblem) in
            try GeoLookup.make(call, context, kind: .network)
        },
        "reverseDns": { call, context throws(CallProblem) in .function(try ReverseLookup(call, context)) },
    ]

    /// Metres along a great circle of a sphere of 6,371 km (haversine formula).
    private static func distance(_ lat1: Double, _ lon1: Double, _ lat2: Double, _ lon2: Double) -> Double {
        let (first, second) = (lat1 * .pi / 180, lat2 * .pi / 180)
        let latitude = sin((second - first) / 2)
        let longitude = sin((lon2 - lon1) * .pi / 360)
        let part = latitude * latitude + cos(first) * cos(second) * longitude * longitude
        return 2 * 6_371_000 * asin(sqrt(min(1, part)))
    }
}

/// Geohashes: latitude and longitude interleaved bit by bit, in base 32.
enum Geohash {
    private static let alphabet = Array("0123456789bcdefghjkmnpqrstuvwxyz".utf8)

    /// The hash of a place; `nil` outside of the globe.
    static func text(latitude: Double, longitude: Double, precision: Int) -> [UInt8]? {
        guard latitude.magnitude <= 90, longitude.magnitude <= 180 else { return nil }
        var latitudes = (-90.0, 90.0)
        var longitudes = (-180.0, 180.0)
        var result: [UInt8] = []
        var isLongitude = true
        for _ in 0..<precision {
            var letter = 0
            for _ in 0..<5 {
                let bit =
                    isLongitude ? Self.halve(&longitudes, around: longitude) : Self.halve(&latitudes, around: latitude)
                letter = letter << 1 | bit
                isLongitude.toggle()
            }
            result.append(Self.alphabet[letter])
        }
        return result
    }

    private static func halve(_ range: inout (Double, Double), around value: Double) -> Int {
        let middle = (range.0 + range.1) / 2
        if value >= middle {
            range.0 = middle
            return 1
        }
        range.1 = middle
        return 0
    }
}

/// Community ID version 1, a hash that tools agree on for a flow of packets
/// (https://github.com/corelight/community-id-spec).
enum CommunityID {
    private static let protocols: [String: UInt8] = [
        "icmp": 1, "tcp": 6, "udp": 17, "icmp6": 58, "ipv6-icmp": 58, "sctp": 132,
    ]

    static func make(_ call: BoundCall) -> RowFunctionKind {
        let names = ["proto", "sourceip", "destinationip", "sourceport", "destinationport", "icmptype", "icmpcode"]
        let seed = UInt16(truncatingIfNeeded: call.integer("seed") ?? 0)
        let inputs = names.map { RowOperand.field(call.text($0) ?? "") }
        return .function(
            ValueFunction(inputs, as: call.outputName) { inputs in
                guard let name = inputs.text(0)?.lowercased(), let number = UInt8(name) ?? Self.protocols[name],
                    let source = inputs[1].flatMap({ InternetAddress($0) }),
                    let target = inputs[2].flatMap({ InternetAddress($0) })
                else { return nil }
                func port(_ index: Int) -> UInt16? { inputs.number(index).flatMap { UInt16(exactly: $0) } }
                let isICMP = number == 1 || number == 58
                let ports = isICMP ? Self.icmpPorts(port(5), port(6), number) : (port(3), port(4), false)
                return Self.text(seed, number, source, target, ports)
            }
        )
    }

    private static func text(
        _ seed: UInt16,
        _ number: UInt8,
        _ source: InternetAddress,
        _ target: InternetAddress,
        _ ports: (source: UInt16?, target: UInt16?, isOneWay: Bool)
    ) -> [UInt8] {
        var first = (source.bytes, ports.source)
        var second = (target.bytes, ports.target)
        let isOrdered =
            first.0 == second.0 ? (first.1 ?? 0) <= (second.1 ?? 0) : first.0.lexicographicallyPrecedes(second.0)
        if !isOrdered && !ports.isOneWay { swap(&first, &second) }
        var message: [UInt8] = [UInt8(seed >> 8), UInt8(truncatingIfNeeded: seed)]
        message += first.0 + second.0 + [number, 0]
        if let one = first.1, let other = second.1 {
            message += [
                UInt8(one >> 8), UInt8(truncatingIfNeeded: one), UInt8(other >> 8), UInt8(truncatingIfNeeded: other),
            ]
        }
        return Array("1:".utf8) + Base64.encoded(MessageDigest.sha1(message))
    }

    /// Types of ICMP that answer each other stand for ports; others make the flow one-way.
    private static func icmpPorts(_ type: UInt16?, _ code: UInt16?, _ number: UInt8) -> (UInt16?, UInt16?, Bool) {
        let pairs: [UInt16: UInt16] =
            number == 1
            ? [0: 8, 8: 0, 9: 10, 10: 9, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17]
            : [128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135, 139: 140, 140: 139]
        guard let type else { return (nil, nil, true) }
        if let answer = pairs[type] { return (type, answer, false) }
        return (type, code ?? 0, true)
    }
}
