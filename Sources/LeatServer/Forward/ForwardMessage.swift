internal import LeatCore
internal import LeatParsing

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

    /// Reads one whole message.
    ///
    /// - Parameters:
    ///   - bytes: The message and nothing else.
    ///   - byteCountMax: Bytes that compressed entries may expand to.
    /// - Throws: Why it is no message.
    init(_ bytes: UnsafeRawBufferPointer, byteCountMax: Int) throws(MessagePackReader.Failure) {
        var reader = MessagePackReader(bytes)
        guard case .array(let count) = try reader.next(), (2...4).contains(count) else {
            throw .malformed("a message is an array of 2 to 4 elements")
        }
        self.tag = try reader.text()
        let content = reader
        var entries: [Entry] = []
        var packed: UnsafeRawBufferPointer?
        var used = 2
        switch try reader.next() {
        case .array(let entryCount) where count <= 3:
            // Beside Forward's list this may be Message with Fluent Bit's time, which has a record after it.
            for _ in 0..<entryCount { entries.append(try Self.entry(&reader)) }
        case .text(let range), .binary(let range): packed = bytes.slice(range)
        default:
            reader = content
            guard count >= 3 else { throw .malformed("a message has no record") }
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

        init(_ reader: inout MessagePackReader) throws(MessagePackReader.Failure) {
            guard case .map(let count) = try reader.next() else { return }
            for _ in 0..<count {
                switch try reader.text() {
                case "chunk": self.chunk = try reader.text()
                case "compressed": self.compression = try reader.text()
                default: try reader.skip()
                }
            }
        }
    }

    private static func unpacked(
        _ bytes: UnsafeRawBufferPointer,
        _ compression: String?,
        _ byteCountMax: Int
    ) throws(MessagePackReader.Failure) -> [Entry] {
        var plain: [UInt8]?
        do {
            switch compression {
            case nil, "text": break
            case "gzip": plain = try Deflate.expand(bytes, .gzip, byteCountMax: byteCountMax)
            case "zstd": plain = try Zstandard.expand(bytes, byteCountMax: byteCountMax)
            case .some(let name): throw MessagePackReader.Failure.malformed("compression '\(name)' is not known")
            }
        } catch let failure as MessagePackReader.Failure {
            throw failure
        } catch {
            throw .malformed("entries cannot be decompressed: \(error)")
        }
        guard let plain else { return try Self.entries(of: bytes) }
        return try plain.withUnsafeBufferPointer { (plain) throws(MessagePackReader.Failure) in
            try Self.entries(of: UnsafeRawBufferPointer(plain))
        }
    }

    private static func entries(of bytes: UnsafeRawBufferPointer) throws(MessagePackReader.Failure) -> [Entry] {
        var reader = MessagePackReader(bytes)
        var entries: [Entry] = []
        while !reader.isAtEnd { entries.append(try Self.entry(&reader)) }
        return entries
    }

    /// `[time, record]`.
    private static func entry(_ reader: inout MessagePackReader) throws(MessagePackReader.Failure) -> Entry {
        guard case .array(2) = try reader.next() else { throw .malformed("an entry is an array of time and record") }
        let time = try Self.time(&reader)
        return Entry(time: time, json: try Self.record(&reader))
    }

    private static func time(
        _ reader: inout MessagePackReader,
        isInner: Bool = false
    ) throws(MessagePackReader.Failure) -> Timestamp? {
        switch try reader.next() {
        case .integer(let seconds): return Self.timestamp(seconds, 0)
        case .double(let seconds):
            guard seconds.magnitude < 9e9 else { return nil }
            return Timestamp(nanoseconds: Int64(seconds * 1e9))
        case .other(let type, let range) where type == 0 && range.count == 8:
            let bytes = reader.bytes[range]
            let seconds = bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let nanoseconds = bytes.dropFirst(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return Self.timestamp(Int64(seconds), Int64(nanoseconds))
        case .array(let count) where count > 0 && !isInner:
            let time = try Self.time(&reader, isInner: true)
            for _ in 1..<count { try reader.skip() }
            return time
        case .null: return nil
        default: throw .malformed("a time is a number or an extension of type 0")
        }
    }

    /// `nil` for times beyond what nanoseconds can tell.
    private static func timestamp(_ seconds: Int64, _ nanoseconds: Int64) -> Timestamp? {
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isBeyond) = product.addingReportingOverflow(min(nanoseconds, 999_999_999))
        return overflows || isBeyond ? nil : Timestamp(nanoseconds: sum)
    }

    private static func record(_ reader: inout MessagePackReader) throws(MessagePackReader.Failure) -> [UInt8] {
        guard case .map(let count) = try reader.next() else { throw .malformed("a record is no map") }
        var json: [UInt8] = []
        json.reserveCapacity(256)
        json.append(UInt8(ascii: "{"))
        try reader.appendMembers(count, to: &json)
        json.append(UInt8(ascii: "}"))
        return json
    }
}
