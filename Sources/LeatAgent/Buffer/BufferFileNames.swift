/// The names of everything in the state folder.
struct BufferFileNames: Sendable {
    /// The state folder.
    let folder: String
    /// `storage.rejected.path`, below the state folder.
    var deadLetterFolder = "dead-letter"

    /// Held by the agent that uses the folder.
    var lock: String { self.folder + "/lock" }
    /// How far each source has been read.
    var positions: String { self.folder + "/positions" }
    /// Databases of Fluent Bit whose positions were taken over.
    var imported: String { self.folder + "/imported" }
    /// Chunks, each named for its number.
    var chunks: String { self.folder + "/chunks" }
    /// One log per output: which batches were begun and ended.
    var cursors: String { self.folder + "/cursors" }
    /// One file per output: events that the server refused for good, with its reason.
    var deadLetters: String { self.folder + "/" + self.deadLetterFolder }
    /// Damaged bytes, kept for whoever wants to look.
    var quarantine: String { self.folder + "/quarantine" }

    static let chunkSuffix = ".chunk"
    static let temporarySuffix = ".tmp"

    func chunk(_ number: UInt64) -> String {
        let digits = String(number)
        return self.chunks + "/" + String(repeating: "0", count: max(0, 20 - digits.count)) + digits + Self.chunkSuffix
    }

    /// The number of a chunk from its file name; `nil` for other files.
    static func chunkNumber(_ name: String) -> UInt64? {
        guard name.hasSuffix(Self.chunkSuffix) else { return nil }
        return UInt64(name.dropLast(Self.chunkSuffix.count))
    }

    func cursor(_ output: String) -> String { self.cursors + "/" + Self.escaped(output) + ".cursor" }

    func deadLetter(_ output: String) -> String { self.deadLetters + "/" + Self.escaped(output) + ".ndjson" }

    /// Where a dead-letter file goes when it has reached half of its limit.
    static func older(_ path: String) -> String { path + ".older" }

    /// An output's name with everything that has a meaning in paths replaced by `%` and two hexadecimal digits.
    static func escaped(_ name: String) -> String {
        var result = ""
        for byte in name.utf8 {
            let isPlain =
                (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5A) || (byte >= 0x61 && byte <= 0x7A)
                || byte == 0x2D || byte == 0x5F || (byte == 0x2E && !result.isEmpty)
            if isPlain {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return result
    }
}
