/// All names in a data folder.
enum StorageFileNames {
    static let lock = "lock"
    static let catalog = "catalog.sqlite"
    static let journal = "journal"
    static let segments = "segments"
    static let journalSuffix = ".journal"
    /// Appended to the name of a journal that cost rows; it is kept until somebody removes it.
    static let damagedSuffix = ".damaged"
    static let segmentSuffix = ".segment"
    static let ids = "ids"
    static let idsSuffix = ".ids"
    /// The catalog of a backup that is not complete yet.
    static let incompleteCatalog = "catalog.sqlite.incomplete"
    /// Files under construction; whatever still has this name at start is removed.
    static let temporarySuffix = ".tmp"

    static func journal(_ number: UInt64) -> String { "\(self.padded(String(number)))\(self.journalSuffix)" }

    static func ids(_ number: Int64) -> String { "\(self.padded(String(number)))\(self.idsSuffix)" }

    static func segment(repositoryID: Int64, number: Int64) -> String {
        "\(repositoryID)/\(self.padded(String(number)))\(self.segmentSuffix)"
    }

    /// The number of a segment's key or a journal file's name; `nil` when it is neither.
    static func number(in name: String) -> Int64? {
        let last = name.split(separator: "/").last ?? ""
        for suffix in [self.journalSuffix, self.segmentSuffix, self.idsSuffix] where last.hasSuffix(suffix) {
            return Int64(last.dropLast(suffix.count))
        }
        return nil
    }

    /// Twenty digits, so that names sort as their numbers.
    private static func padded(_ digits: String) -> String {
        String(repeating: "0", count: max(0, 20 - digits.count)) + digits
    }
}
