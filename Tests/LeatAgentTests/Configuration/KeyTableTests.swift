import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// A key that is said to act is read somewhere.
struct KeyTableTests {
    /// Read under a name that is put together, or as sections.
    private static let readOtherwise: Set<String> = ["int_key", "uint_key", "float_key", "str_key"]

    private static func sources(_ folder: String, _ disk: PosixFileSystem) throws -> String {
        var text = ""
        for name in try disk.list(folder) where name != "Table" {
            let path = folder + "/" + name
            if try disk.status(path)?.kind == .directory {
                text += try Self.sources(path, disk)
            } else {
                text += try disk.contents(path).text
            }
        }
        return text
    }

    @Test
    func everyKeyThatActsIsReadSomewhere() throws {
        let root = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 } + "/Sources/LeatAgent"
        let text = try Self.sources(root, PosixFileSystem())
        let keys = CommonKeys.service + CommonKeys.node + PluginTable.all.flatMap(\.keys)
        let acting = Set(keys.filter(\.isRead).map(\.name))
        let unread = acting.filter { !text.contains("\"\($0)\"") }
        #expect(unread.subtracting(Self.readOtherwise).sorted() == [])
    }
}
