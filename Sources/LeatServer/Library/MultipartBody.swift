internal import LeatCore

/// The parts of a `multipart/form-data` body, RFC 7578.
struct MultipartBody: Sendable {
    struct Part: Sendable {
        let name: String
        let fileName: String?
        let bytes: ArraySlice<UInt8>
    }

    private(set) var parts: [Part] = []

    /// Reads a body; `nil` when the media type names no boundary, or the body does not keep to it.
    init?(_ body: [UInt8], mediaType: String) {
        guard let boundary = Self.parameter("boundary", of: mediaType), !boundary.isEmpty else { return nil }
        let delimiter = Array("--\(boundary)".utf8)
        var at = 0
        var start: Int?
        while let found = Self.find(delimiter, in: body[...], from: at) {
            if let start, let part = Self.part(body[start..<max(start, found - 2)]) { self.parts.append(part) }
            at = found + delimiter.count
            if body[at...].starts(with: "--".utf8) { return }
            guard body[at...].starts(with: "\r\n".utf8) else { return nil }
            at += 2
            start = at
        }
        return nil
    }

    private static func part(_ bytes: ArraySlice<UInt8>) -> Part? {
        guard let end = Self.find(Array("\r\n\r\n".utf8), in: bytes, from: bytes.startIndex) else { return nil }
        let head = String(decoding: bytes[bytes.startIndex..<end], as: UTF8.self)
        for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix("content-disposition:") {
            guard let name = Self.parameter("name", of: String(line)) else { continue }
            return Part(name: name, fileName: Self.parameter("filename", of: String(line)), bytes: bytes[(end + 4)...])
        }
        return nil
    }

    /// The value of `; name=value` or `; name="value"`.
    private static func parameter(_ name: String, of text: String) -> String? {
        for piece in text.split(separator: ";").dropFirst() {
            let halves = piece.split(separator: "=", maxSplits: 1)
            guard halves.count == 2, halves[0].trimming().lowercased() == name else { continue }
            let value = halves[1].trimming()
            guard value.hasPrefix("\""), value.hasSuffix("\""), value.count >= 2 else { return value }
            return String(value.dropFirst().dropLast())
        }
        return nil
    }

    private static func find(_ needle: [UInt8], in bytes: ArraySlice<UInt8>, from start: Int) -> Int? {
        bytes.withUnsafeBytes { buffer in
            let offset = start - bytes.startIndex
            guard offset <= buffer.count else { return nil }
            let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
            return needle.withUnsafeBytes { ByteSearch.find($0, in: rest) }.map { $0 + start }
        }
    }
}
