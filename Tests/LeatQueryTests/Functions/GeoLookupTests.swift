import LeatCore
import Testing

@testable import LeatQuery

/// `ipLocation`, `asn` and `worldMap` with databases that are made here.
struct GeoLookupTests {
    /// Writes a database in MaxMind's format with records of 24 bits.
    private struct Writer {
        /// Per node the records of its two sides: a node, a value, or nothing.
        private enum Record { case nothing, node(Int), value(Int) }
        private var nodes: [[Record]] = [[.nothing, .nothing]]
        private var values: [UInt8] = []

        /// Gives all addresses that begin with the first `bitCount` bits of `address` a value.
        mutating func add(_ address: [UInt8], bitCount: Int, _ value: [UInt8]) {
            var node = 0
            for index in 0..<bitCount {
                let side = Int(address[index / 8] >> UInt8(7 - index % 8) & 1)
                if index == bitCount - 1 {
                    self.nodes[node][side] = .value(self.values.count)
                } else if case .node(let next) = self.nodes[node][side] {
                    node = next
                } else {
                    self.nodes.append([.nothing, .nothing])
                    self.nodes[node][side] = .node(self.nodes.count - 1)
                    node = self.nodes.count - 1
                }
            }
            self.values += value
        }

        func file(version: UInt8) -> [UInt8] {
            var bytes: [UInt8] = []
            for record in self.nodes.joined() {
                let number =
                    switch record {
                    case .nothing: self.nodes.count
                    case .node(let node): node
                    case .value(let offset): self.nodes.count + 16 + offset
                    }
                bytes += [UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255)]
            }
            bytes += [UInt8](repeating: 0, count: 16) + self.values
            bytes += [0xAB, 0xCD, 0xEF] + Array("MaxMind.com".utf8)
            return bytes
                + Self.map([
                    ("node_count", [0xC2, UInt8(self.nodes.count >> 8), UInt8(self.nodes.count & 255)]),
                    ("record_size", [0xA1, 24]), ("ip_version", [0xA1, version]),
                ])
        }

        /// A text of at most 284 bytes.
        static func text(_ text: String) -> [UInt8] {
            let count = text.utf8.count
            return (count < 29 ? [0x40 | UInt8(count)] : [0x40 | 29, UInt8(count - 29)]) + Array(text.utf8)
        }

        static func double(_ value: Double) -> [UInt8] {
            [0x68] + (0..<8).map { UInt8(value.bitPattern >> UInt64(56 - 8 * $0) & 255) }
        }

        static func map(_ members: [(String, [UInt8])]) -> [UInt8] {
            [0xE0 | UInt8(members.count)] + members.flatMap { Self.text($0) + $1 }
        }

        static func array(_ elements: [[UInt8]]) -> [UInt8] { [UInt8(elements.count), 4] + elements.joined() }
    }

    private static let cities: [UInt8] = {
        var writer = Writer()
        let place = Writer.map([
            ("country", Writer.map([("iso_code", Writer.text("DK"))])),
            ("city", Writer.map([("names", Writer.map([("en", Writer.text("Aarhus"))]))])),
            ("subdivisions", Writer.array([Writer.map([("iso_code", Writer.text("82"))])])),
            ("location", Writer.map([("latitude", Writer.double(56.15)), ("longitude", Writer.double(10.2))])),
        ])
        writer.add([192, 0, 2, 0], bitCount: 24, place)
        writer.add(
            [198, 51, 100, 0],
            bitCount: 24,
            Writer.map([("country", Writer.map([("iso_code", Writer.text("SE"))]))])
        )
        return writer.file(version: 4)
    }()

    private static let networks: [UInt8] = {
        var writer = Writer()
        let network = Writer.map([
            ("autonomous_system_number", [0xC2, 0xFD, 0xE8]),
            ("autonomous_system_organization", Writer.text("Example")),
        ])
        writer.add([0x20, 0x01, 0x0D, 0xB8], bitCount: 32, network)
        writer.add([UInt8](repeating: 0, count: 12) + [192, 0, 2, 0], bitCount: 120, network)
        return writer.file(version: 6)
    }()

    private struct Files: LookupFileProvider {
        let files: [String: [UInt8]]
        func lookupFile(_ name: String) -> ByteSlice? { self.files[name].map { ByteSlice($0) } }
    }

    private static func answer(_ query: String, cities: [UInt8] = Self.cities) throws -> [String] {
        var options = QueryOptions(now: Timestamp(milliseconds: 0))
        options.lookupFiles = Files(files: ["GeoLite2-City.mmdb": cities, "GeoLite2-ASN.mmdb": Self.networks])
        let events = [
            "192.0.2.7", "198.51.100.1", "2001:db8::1", "203.0.113.1", "localhost", "",
        ].enumerated().map { "{\"@timestamp\":\($0.offset),\"ip\":\"\($0.element)\"}" }
        let batch = try EventLoading.batch(events + ["{\"@timestamp\":9,\"z\":1}"])
        let answer = QueryScript.answer(query, options, over: [batch])
        return answer.split(separator: "\n").map(String.init)
    }

    /// A known address, one with a part of the fields, those of another version, unknown, no address, empty, none.
    @Test func placesAreFound() throws {
        #expect(
            try Self.answer(
                "ipLocation(ip) | drop(@timestamp) | select([ip, ip.country, ip.city, ip.state, ip.lat, ip.lon])"
            )
                == [
                    "{}", #"{"ip":""}"#, #"{"ip":"localhost"}"#, #"{"ip":"203.0.113.1"}"#, #"{"ip":"2001:db8::1"}"#,
                    #"{"ip":"198.51.100.1","ip.country":"SE"}"#,
                    #"{"ip":"192.0.2.7","ip.country":"DK","ip.city":"Aarhus","ip.state":"82","ip.lat":"56.15","ip.lon":"10.2"}"#,
                ]
        )
    }

    @Test func networksAreFound() throws {
        let rows = try Self.answer("asn(ip, as=n) | select([ip, n.asn, n.org])")
        #expect(
            rows == [
                "{}", #"{"ip":""}"#, #"{"ip":"localhost"}"#, #"{"ip":"203.0.113.1"}"#,
                #"{"ip":"2001:db8::1","n.asn":"65000","n.org":"Example"}"#, #"{"ip":"198.51.100.1"}"#,
                #"{"ip":"192.0.2.7","n.asn":"65000","n.org":"Example"}"#,
            ]
        )
    }

    @Test func addressesAreGroupedByPlace() throws {
        let rows = try Self.answer("worldMap(ip=ip, precision=2)")
        #expect(rows == [#"{"_geohash":"u1","lat":"56.15","lon":"10.2","_count":"1"}"#])
    }

    /// A database that is cut short or damaged gives no answer, or another one, and no crash.
    @Test func damagedDatabasesAreHarmless() throws {
        for count in stride(from: 0, to: Self.cities.count, by: 7) {
            _ = try Self.answer("ipLocation(ip)", cities: Array(Self.cities.prefix(count)))
            var damaged = Self.cities
            damaged[count] ^= 0xFF
            _ = try Self.answer("ipLocation(ip)", cities: damaged)
        }
    }
}
