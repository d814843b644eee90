internal import HTTPTypes
internal import HummingbirdCore
internal import LeatCore
internal import NIOCore

extension Call {
    /// The `Content-Length`, if the request says.
    var contentLength: Int? { self.header("content-length").flatMap { Int($0) } }

    /// The whole body, decompressed if need be.
    ///
    /// - Parameters:
    ///   - limit: Bytes of body that are accepted, before and after decompression.
    ///   - share: Where the memory is counted, if it is.
    /// - Returns: The body.
    /// - Throws: 413 beyond the limit, 400 for damaged compression, 415 for an unknown one.
    func wholeBody(limit: Int, share: IngestShare? = nil) async throws -> [UInt8] {
        if let length = self.contentLength, length > limit { throw Self.tooLarge(limit) }
        var bytes: [UInt8] = []
        for try await piece in self.body {
            guard bytes.count + piece.readableBytes <= limit else { throw Self.tooLarge(limit) }
            try share?.take(piece.readableBytes)
            bytes.append(contentsOf: piece.readableBytesView)
        }
        for coding in try self.contentCodings {
            bytes = try coding.decode(bytes, limit: limit, share: share)
        }
        return bytes
    }

    /// The body of an administrative request, a JSON object; an empty body is an empty one.
    func jsonBody() async throws -> JSONValue {
        let bytes = try await self.wholeBody(limit: ServerLimits.controlBodyByteCountMax)
        if bytes.isEmpty { return .object([]) }
        let body: JSONValue
        do throws(JSONError) {
            body = try JSONValue(bytes)
        } catch {
            throw RequestFault.text(400, "bad_request", "the body is not JSON: \(error)")
        }
        guard body.object != nil else { throw RequestFault.text(400, "bad_request", "the body must be a JSON object") }
        return body
    }

    /// The compressions of the body, the outermost first.
    var contentCodings: [ContentCoding] {
        get throws(RequestFault) {
            var codings: [ContentCoding] = []
            for name in (self.header("content-encoding") ?? "").split(separator: ",").reversed() {
                let name = name.trimming().lowercased()
                if name.isEmpty || name == "identity" { continue }
                guard let coding = ContentCoding(name: name) else {
                    throw .elastic(
                        415,
                        "content_type_header_exception",
                        "unknown Content-Encoding [\(name)]; send gzip, deflate, zstd or none"
                    )
                }
                codings.append(coding)
            }
            return codings
        }
    }

    static func tooLarge(_ limit: Int) -> RequestFault {
        .elastic(
            413,
            "content_too_long_exception",
            "entity content is too long, the limit is [\(limit)] bytes after decompression; send less at once"
        )
    }
}
