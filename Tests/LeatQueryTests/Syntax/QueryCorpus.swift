import Foundation
import LeatCore
import LeatTesting

/// The real queries of the shared data, one JSON object a line.
enum QueryCorpus {
    struct Entry: Decodable, Sendable {
        var name: String?
        var query: String
        var kind: String?
    }

    /// All entries; `nil` when the shared data is absent.
    static func load(for test: String = #function) throws -> [Entry]? {
        guard let contents = try SharedData.contents("data/queries/dev.jsonl", for: test) else { return nil }
        let decoder = JSONDecoder()
        return try contents.array.split(separator: UInt8(ascii: "\n")).map {
            try decoder.decode(Entry.self, from: Data($0))
        }
    }
}
