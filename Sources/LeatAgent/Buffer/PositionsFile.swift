internal import LeatCore

/// What the file `positions` says: how far each source was read, and from which chunk on frames may know more.
struct Positions: Hashable, Sendable {
    /// Numbers up to this one have been given to reads and sources.
    var sequence: UInt64 = 0
    /// Chunks below this number hold no read that is missing here.
    var firstOpenChunk: UInt64 = 1
    /// Every frame of the reads up to this number was durable.
    var wholeRead: UInt64 = 0
    /// Per source how far it was read.
    var sources: [UInt64: SourcePosition] = [:]
    /// What filters hold back of what was read.
    var held = HeldState()
}

/// The form of the file `positions`: lines of text, so that a person can read it, and a checksum at the end.
///
///     leat-positions 1 SEQUENCE CHUNK WHOLE HELD
///     SOURCE DEVICE INODE COUNT:DIGEST OFFSET COUNT:DIGEST FLAGS READ MODIFIED PENDING PATH PLACE     (divided by tabs)
///     held FILTER TAG STREAM TIME RECORD                                                              (divided by tabs)
///     end COUNT CRC32C
enum PositionsFile {
    private static let title = "leat-positions 1"

    static func encode(_ positions: Positions) -> [UInt8] {
        var text = "\(Self.title) \(positions.sequence) \(positions.firstOpenChunk)"
        text += " \(positions.wholeRead) \(positions.held.read)\n"
        for (_, position) in positions.sources.sorted(by: { $0.key < $1.key }) {
            Self.append(position, to: &text)
        }
        let held = Self.lines(of: positions.held)
        text += held.joined()
        var bytes = Array(text.utf8)
        let checksum = bytes.withUnsafeBytes { Checksum.crc32c($0) }
        bytes += Array("end \(positions.sources.count + held.count) \(String(checksum, radix: 16))\n".utf8)
        return bytes
    }

    private static func append(_ position: SourcePosition, to text: inout String) {
        let identity = position.identity
        let flags = (position.isInsideCutLine ? "c" : "") + (position.isFinished ? "f" : "")
        let pending = position.pending.map { "\(Self.escape($0.stream))@\($0.source):\($0.offset)" }
        text += "\(position.source)\t\(identity.device)\t\(identity.inode)\t"
        text += "\(identity.prefixByteCount):\(String(identity.prefixDigest, radix: 16))\t\(position.offset)\t"
        text += "\(position.marker.byteCount):\(String(position.marker.digest, radix: 16))\t"
        text += "\(flags.isEmpty ? "-" : flags)\t\(position.read)\t\(position.modifiedAtNanoseconds)\t"
        text += "\(pending.isEmpty ? "-" : pending.joined(separator: ","))\t"
        text += "\(Self.escape(position.path))\t\(Self.escape(position.place))\n"
    }

    /// A line per event, those of one stream in their order.
    private static func lines(of held: HeldState) -> [String] {
        var lines: [String] = []
        for (key, events) in held.events {
            let start = "held\t\(Self.escape(key.filter))\t\(Self.escape(key.tag))\t\(Self.escape(bytes: key.stream))\t"
            lines += events.map { "\(start)\($0.time)\t\(Self.escape(bytes: $0.members))\n" }
        }
        return lines
    }

    private static func held(_ line: Substring) -> HeldChange? {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard fields.count == 6, let time = Int64(fields[4]) else { return nil }
        let key = HeldKey(
            filter: Self.unescape(fields[1]),
            tag: Self.unescape(fields[2]),
            stream: Self.unescapedBytes(fields[3])
        )
        let event = HeldEvent(time: time, members: Self.unescapedBytes(fields[5]))
        return HeldChange(key: key, replaces: false, events: [event])
    }

    /// The positions; `nil` when the bytes are not a whole, undamaged file.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> Positions? {
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
        guard lines.count >= 2, let last = lines.last, text.hasSuffix("\n"), last.hasPrefix("end ") else { return nil }
        let end = last.split(separator: " ")
        let covered = bytes.count - last.utf8.count - 1
        let checksum = Checksum.crc32c(UnsafeRawBufferPointer(rebasing: bytes[..<covered]))
        guard end.count == 3, UInt32(end[2], radix: 16) == checksum, Int(end[1]) == lines.count - 2 else { return nil }
        let first = lines[0].split(separator: " ")
        guard first.count == 6, lines[0].hasPrefix(Self.title), let sequence = UInt64(first[2]),
            let chunk = UInt64(first[3]), let wholeRead = UInt64(first[4]), let heldRead = UInt64(first[5])
        else { return nil }
        var positions = Positions(sequence: sequence, firstOpenChunk: chunk, wholeRead: wholeRead)
        positions.held.read = heldRead
        for line in lines.dropFirst().dropLast() {
            if line.hasPrefix("held\t") {
                guard let change = Self.held(line) else { return nil }
                positions.held.apply(change)
                continue
            }
            guard let position = Self.position(line) else { return nil }
            positions.sources[position.source] = position
        }
        return positions
    }

    private static func position(_ line: Substring) -> SourcePosition? {
        let fields = line.split(separator: "\t", maxSplits: 11, omittingEmptySubsequences: false)
        guard fields.count == 12, let source = UInt64(fields[0]), let device = UInt64(fields[1]),
            let inode = UInt64(fields[2]), let prefix = Self.counted(fields[3]), let offset = UInt64(fields[4]),
            let marker = Self.counted(fields[5]), let read = UInt64(fields[7]), let modifiedAt = Int64(fields[8])
        else { return nil }
        var position = SourcePosition(
            source: source,
            path: Self.unescape(fields[10]),
            identity: FileIdentity(
                device: device,
                inode: inode,
                prefixByteCount: prefix.count,
                prefixDigest: prefix.digest
            ),
            offset: offset,
            marker: ContentMarker(byteCount: marker.count, digest: marker.digest)
        )
        position.place = Self.unescape(fields[11])
        position.isInsideCutLine = fields[6].contains("c")
        position.isFinished = fields[6].contains("f")
        position.read = read
        position.modifiedAtNanoseconds = modifiedAt
        for part in fields[9] == "-" ? [] : fields[9].split(separator: ",") {
            guard let at = part.lastIndex(of: "@"), let colon = part.lastIndex(of: ":"), at < colon,
                let source = UInt64(part[part.index(after: at)..<colon]),
                let offset = UInt64(part[part.index(after: colon)...])
            else { return nil }
            let stream = Self.unescape(part[..<at])
            position.pending.append(PendingStart(stream: stream, source: source, offset: offset))
        }
        return position
    }

    private static func counted(_ field: Substring) -> (count: Int, digest: UInt64)? {
        let parts = field.split(separator: ":")
        guard parts.count == 2, let count = Int(parts[0]), let digest = UInt64(parts[1], radix: 16) else { return nil }
        return (count, digest)
    }

    /// Replaces what divides fields, lines and pending events by `%` and two hexadecimal digits.
    private static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x25 || $0 == 0x2C || $0 == 0x7F }) else { return text }
        return Self.escape(bytes: Array(text.utf8))
    }

    /// The same for bytes that need be no UTF-8; then all beyond ASCII are replaced.
    private static func escape(bytes: [UInt8]) -> String {
        let isText = String(validating: bytes, as: UTF8.self) != nil
        var escaped: [UInt8] = []
        for byte in bytes {
            if byte < 0x20 || byte == 0x25 || byte == 0x2C || byte == 0x7F || (byte >= 0x80 && !isText) {
                escaped += Array(("%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)).utf8)
            } else {
                escaped.append(byte)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    private static func unescape(_ text: Substring) -> String {
        guard text.utf8.contains(0x25) else { return String(text) }
        return String(decoding: Self.unescapedBytes(text), as: UTF8.self)
    }

    private static func unescapedBytes(_ text: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            if byte == 0x25, let value = UInt8(String(Substring(rest.prefix(2))), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}

extension FileSystem {
    /// Replaces a file's contents so that a crash leaves the old or the new ones: temporary file, sync, rename.
    func replace(_ path: String, with bytes: [UInt8]) throws(FileSystemError) {
        let temporary = path + BufferFileNames.temporarySuffix
        if try self.status(temporary) != nil { try self.remove(temporary) }
        let file = try self.open(temporary, .createNew)
        defer { file.close() }
        try file.write([ByteSlice(bytes)], at: 0)
        try file.sync()
        try self.rename(temporary, to: path)
        try self.syncDirectory(path.parentFolder)
    }
}

extension String {
    /// The folder that a path lies in.
    var parentFolder: String {
        guard let slash = self.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == self.startIndex ? "/" : String(self[..<slash])
    }

    /// The last component of a path.
    var lastPathComponent: String {
        guard let slash = self.utf8.lastIndex(of: UInt8(ascii: "/")) else { return self }
        return String(self[self.index(after: slash)...])
    }
}
