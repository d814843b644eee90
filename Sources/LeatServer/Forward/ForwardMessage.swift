internal import LeatCore

/// A message of the forward protocol, read from MessagePack.
///
///     [tag, time, record, option?]                     Message
///     [tag, [[time, record], …], option?]              Forward
///     [tag, bin([time, record] …), option?]            PackedForward, also compressed
///
/// A time is whole seconds or an extension of 8 bytes (seconds, nanoseconds); Fluent Bit puts it into an array with
/// metadata, `[[time, metadata], record]`.
struct ForwardMessage: Sendable {
    /// An entry: its time and its record as a JSON object.
    struct Entry: Sendable {
        /// `nil`: none, or a record that only marks a group.
        let time: Timestamp?
        let json: [UInt8]
    }

    let tag: String
    let entries: [Entry]
    /// What the sender wants to have back once the entries are durable.
    let chunk: String?

    /// Arrays and maps inside each other that any message may have.
    static let depthMax = 64

    /// Reads one whole message.
    ///
    /// - Parameters:
    ///   - bytes: The message and nothing else.
    ///   - byteCountMax: Bytes that compressed entries may expand to.
    /// - Throws: Why it is no message.
    init(_ bytes: UnsafeRawBufferPointer, byteCountMax: Int) throws(MessagePackReader.Fault) {
        var reader = MessagePackReader(bytes)
        guard case .array(let count) = try reader.head(), (2...4).contains(count) else {
            throw .damaged("a message is an array of 2 to 4 elements")
        }
        self.tag = try reader.text()
        let content = reader
        var entries: [Entry] = []
        var packed: UnsafeRawBufferPointer?
        var used = 2
        switch try reader.head() {
        case .array(let entryCount) where count <= 3:
            // Beside Forward's list this may be Message with Fluent Bit's time, which has a record after it.
            for _ in 0..<entryCount { entries.append(try Self.entry(&reader)) }
        case .bytes(let byteCount): packed = try reader.take(byteCount)
        default:
            reader = content
            guard count >= 3 else { throw .damaged("a message has no record") }
            entries = [Entry(time: try Self.time(&reader), json: try Self.record(&reader))]
            used = 3
        }
        let option = count > used ? try Option(&reader) : Option()
        self.chunk = option.chunk
        if let packed { entries = try Self.unpacked(packed, option.compression, byteCountMax) }
        self.entries = entries
    }

    private struct Option {
        var chunk: String?
        var compression: String?

        init() {}

        init(_ reader: inout MessagePackReader) throws(MessagePackReader.Fault) {
            guard case .map(let count) = try reader.head() else { return }
            for _ in 0..<count {
                switch try reader.text() {
                case "chunk": self.chunk = try reader.text()
                case "compressed": self.compression = try reader.text()
                default: try reader.skip(depth: ForwardMessage.depthMax)
                }
            }
        }
    }

    private static func unpacked(
        _ bytes: UnsafeRawBufferPointer,
        _ compression: String?,
        _ byteCountMax: Int
    ) throws(MessagePackReader.Fault) -> [Entry] {
        var plain: [UInt8]?
        do {
            switch compression {
            case nil, "text": break
            case "gzip": plain = try Deflate.expand(bytes, .gzip, byteCountMax: byteCountMax)
            case "zstd": plain = try Zstandard.expand(bytes, byteCountMax: byteCountMax)
            case .some(let name): throw MessagePackReader.Fault.damaged("compression '\(name)' is not known")
            }
        } catch let fault as MessagePackReader.Fault {
            throw fault
        } catch {
            throw .damaged("entries cannot be decompressed: \(error)")
        }
        guard let plain else { return try Self.entries(of: bytes) }
        return try plain.withUnsafeBufferPointer { (plain) throws(MessagePackReader.Fault) in
            try Self.entries(of: UnsafeRawBufferPointer(plain))
        }
    }

    private static func entries(of bytes: UnsafeRawBufferPointer) throws(MessagePackReader.Fault) -> [Entry] {
        var reader = MessagePackReader(bytes)
        var entries: [Entry] = []
        while !reader.isAtEnd { entries.append(try Self.entry(&reader)) }
        return entries
    }

    /// `[time, record]`.
    private static func entry(_ reader: inout MessagePackReader) throws(MessagePackReader.Fault) -> Entry {
        guard case .array(2) = try reader.head() else { throw .damaged("an entry is an array of time and record") }
        let time = try Self.time(&reader)
        return Entry(time: time, json: try Self.record(&reader))
    }

    private static func time(
        _ reader: inout MessagePackReader,
        isInner: Bool = false
    ) throws(MessagePackReader.Fault) -> Timestamp? {
        switch try reader.head() {
        case .integer(let seconds): return Self.timestamp(seconds, 0)
        case .double(let seconds):
            guard seconds.magnitude < 9e9 else { return nil }
            return Timestamp(nanoseconds: Int64(seconds * 1e9))
        case .ext(0, 8):
            let bytes = try reader.take(8)
            let seconds = bytes[..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let nanoseconds = bytes[4...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return Self.timestamp(Int64(seconds), Int64(nanoseconds))
        case .array(let count) where count > 0 && !isInner:
            let time = try Self.time(&reader, isInner: true)
            for _ in 1..<count { try reader.skip(depth: Self.depthMax) }
            return time
        case .null: return nil
        default: throw .damaged("a time is a number or an extension of type 0")
        }
    }

    /// `nil` for times beyond what nanoseconds can tell.
    private static func timestamp(_ seconds: Int64, _ nanoseconds: Int64) -> Timestamp? {
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isBeyond) = product.addingReportingOverflow(min(nanoseconds, 999_999_999))
        return overflows || isBeyond ? nil : Timestamp(nanoseconds: sum)
    }

    private static func record(_ reader: inout MessagePackReader) throws(MessagePackReader.Fault) -> [UInt8] {
        var writer = JSONWriter(capacity: 256)
        let start = reader.at
        guard reader.at < reader.bytes.count else { throw .cutShort }
        try reader.writeJSON(to: &writer, depth: Self.depthMax)
        guard writer.bytes.first == UInt8(ascii: "{") else {
            throw .damaged("the record at byte \(start) is no map")
        }
        return writer.bytes
    }
}
