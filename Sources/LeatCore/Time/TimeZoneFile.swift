internal import Glibc

/// Reads files of the system's time zone database: TZif, RFC 8536.
///
///      header (44 bytes: "TZif", version, six counts)  data with 32-bit times  header  data with 64-bit times  \nTZ\n
enum TimeZoneFile {
    /// Zones of a name; `nil` when the database has none, or its file is damaged.
    static func read(_ name: String) -> TimeZoneRules? {
        // Names are relative paths below the database, and nothing else.
        guard !name.isEmpty, name.utf8.count < 100, !name.hasPrefix("/"), !name.contains(".."),
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        let folder = getenv("TZDIR").map { String(cString: $0) } ?? "/usr/share/zoneinfo"
        return self.read(path: "\(folder)/\(name)", name: name)
    }

    /// Zones of a file anywhere, such as a copy in `/etc/localtime`; `nil` when there is none, or it is damaged.
    static func read(path: String, name: String) -> TimeZoneRules? {
        let disk = PosixFileSystem()
        do throws(FileSystemError) {
            guard let status = try disk.status(path), status.kind == .regular, status.byteCount < 1 << 20 else {
                return nil
            }
            let bytes = try disk.contents(path)
            return bytes.withUnsafeBytes { self.parse($0, name: name) }
        } catch {
            // A zone that cannot be read is one that is not known; the caller says so with its name.
            return nil
        }
    }

    /// The rules in a file; `nil` when it is damaged.
    static func parse(_ bytes: UnsafeRawBufferPointer, name: String) -> TimeZoneRules? {
        do throws(ByteReaderError) {
            var reader = ByteReader(bytes)
            let first = try Header(&reader)
            guard first.version >= 2 else { return try self.readData(&reader, first, 4, name: name, yearly: nil) }
            try reader.skip(first.dataByteCount(timeSize: 4))
            let second = try Header(&reader)
            // The rule for later years stands behind the data.
            var ahead = reader
            try ahead.skip(second.dataByteCount(timeSize: 8))
            let footer = try ahead.take(ahead.remaining).trimmed
            return try self.readData(&reader, second, 8, name: name, yearly: YearlyRule(footer.text))
        } catch {
            return nil
        }
    }

    private struct Header {
        let version: UInt8
        let isUTCount: Int
        let isStandardCount: Int
        let leapCount: Int
        let timeCount: Int
        let typeCount: Int
        let characterCount: Int

        init(_ reader: inout ByteReader) throws(ByteReaderError) {
            guard try reader.take(4).isEqual(to: "TZif") else {
                throw ByteReaderError(offset: 0, reason: "not a time zone file")
            }
            let version = try reader.uint8()
            self.version = version == 0 ? 1 : version &- 0x30
            try reader.skip(15)
            self.isUTCount = try Self.count(&reader)
            self.isStandardCount = try Self.count(&reader)
            self.leapCount = try Self.count(&reader)
            self.timeCount = try Self.count(&reader)
            self.typeCount = try Self.count(&reader)
            self.characterCount = try Self.count(&reader)
            guard self.typeCount > 0 else { throw ByteReaderError(offset: reader.offset, reason: "no offset at all") }
        }

        private static func count(_ reader: inout ByteReader) throws(ByteReaderError) -> Int {
            let value = Int(try reader.uint32().byteSwapped)
            guard value <= 1 << 16 else { throw ByteReaderError(offset: reader.offset, reason: "a count of \(value)") }
            return value
        }

        func dataByteCount(timeSize: Int) -> Int {
            self.timeCount * (timeSize + 1) + self.typeCount * 6 + self.characterCount
                + self.leapCount * (timeSize + 4) + self.isStandardCount + self.isUTCount
        }
    }

    private static func readData(
        _ reader: inout ByteReader,
        _ header: Header,
        _ timeSize: Int,
        name: String,
        yearly: YearlyRule?
    ) throws(ByteReaderError) -> TimeZoneRules {
        var transitions: [Int64] = []
        for _ in 0..<header.timeCount {
            transitions.append(
                timeSize == 8
                    ? Int64(bitPattern: try reader.uint64().byteSwapped)
                    : Int64(Int32(bitPattern: try reader.uint32().byteSwapped))
            )
        }
        let kinds = [UInt8](try reader.take(header.timeCount))
        let types = try reader.take(header.typeCount * 6)
        let characters = try reader.take(header.characterCount)
        var known: [TimeZoneRules.Offset] = []
        for index in 0..<header.typeCount {
            let seconds = types.loadUnaligned(fromByteOffset: index * 6, as: Int32.self).bigEndian
            let start = Int(types[index * 6 + 5])
            let abbreviation = characters.dropFirst(start).prefix { $0 != 0 }
            known.append(
                TimeZoneRules.Offset(
                    seconds: Int(seconds),
                    abbreviation: String(decoding: abbreviation, as: UTF8.self),
                    isDaylightSaving: types[index * 6 + 4] != 0
                )
            )
        }
        var offsets = [known[0]]
        for kind in kinds {
            guard Int(kind) < known.count else {
                throw ByteReaderError(offset: reader.offset, reason: "offset \(kind) of \(known.count)")
            }
            offsets.append(known[Int(kind)])
        }
        guard zip(transitions, transitions.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw ByteReaderError(offset: reader.offset, reason: "moments are not in order")
        }
        return TimeZoneRules(name: name, transitions: transitions, offsets: offsets, yearly: yearly)
    }
}
