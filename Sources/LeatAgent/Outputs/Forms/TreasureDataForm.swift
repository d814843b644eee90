internal import LeatCore
internal import LeatParsing

/// Bodies of the output `td`: MessagePack maps for a table of Treasure Data, compressed as `msgpack.gz`.
struct TreasureDataForm: RequestForm {
    let database: String
    let table: String
    let key: String

    /// Where the events go.
    var path: String { "/v3/table/import/\(self.database)/\(self.table)/msgpack.gz" }

    func append(_ chunk: LoadedChunk, _ items: [Range<Int>], to bytes: inout [UInt8]) {
        var maps: [UInt8] = []
        var members: [UInt8] = []
        chunk.forEachEvent(in: items) { event, record in
            members.removeAll(keepingCapacity: true)
            members.append(contentsOf: record)
            // The time must be a number; one that the record has itself counts.
            if !Self.hasTime(record) {
                let seconds = Timestamp(nanoseconds: event.time).seconds
                members.appendMember("time", json: String(seconds), start: 0)
                RepeatedMembers.remove(in: &members, from: 0)
            }
            members.withUnsafeBytes { MessagePackWriter.append(members: $0, to: &maps) }
        }
        bytes += maps.withUnsafeBytes { Deflate.gzip($0) }
    }

    private static func hasTime(_ record: UnsafeRawBufferPointer) -> Bool {
        guard let range = FieldPath(name: "time").find(in: record) else { return false }
        return (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(record[range.lowerBound])
    }
}

extension TreasureDataForm {
    /// The options of an `[OUTPUT] td`.
    init(_ plugin: PluginConfiguration) throws(Diagnostics) {
        self.database = try Self.required("database", plugin)
        self.table = try Self.required("table", plugin)
        self.key = try Self.required("api", plugin)
    }

    /// The host of a region's API.
    static func host(region: String?) -> String {
        region?.lowercased() == "jp" ? "api.treasuredata.co.jp" : "api.treasuredata.com"
    }

    private static func required(_ key: String, _ plugin: PluginConfiguration) throws(Diagnostics) -> String {
        if let text = plugin.settings.text(key), !text.isEmpty { return text }
        throw Diagnostics(plugin.mark.diagnostic("the output td needs \(key)"))
    }
}
