/// Tells what was pasted in a terminal that does not mark pastes from what was typed.
///
/// Nobody types a line end and more within the time of one read of the terminal: such bytes are text, and their line ends
/// send nothing. A single line with its end could be typed that fast by a program, and is sent.
enum UnmarkedPaste {
    /// Milliseconds within which the rest of a paste comes.
    static let pauseMilliseconds = 5
    /// Bytes behind which a line end that is followed by more cannot be the work of a fast typist on a slow line.
    private static let typedByteCountMax = 16

    /// Whether bytes that came at once are, or begin, a paste.
    static func isPaste(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.firstIndex(where: Self.isLineEnd), !bytes.contains(0x1B), !bytes.contains(0x03) else {
            return false
        }
        let rest = bytes[(first + 1)...]
        // A line end of DOS is one.
        let isCRLF = bytes[first] == 0x0D && rest.first == 0x0A
        let more = isCRLF ? rest.dropFirst() : rest
        guard !more.isEmpty else { return false }
        return more.contains(where: Self.isLineEnd) || bytes.count > Self.typedByteCountMax
    }

    /// Whether more bytes may decide it: several came at once and end a line.
    static func mayGoOn(_ bytes: [UInt8]) -> Bool {
        bytes.count > 1 && bytes.last.map(Self.isLineEnd) ?? false && !bytes.contains(0x1B)
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0D || byte == 0x0A }
}
