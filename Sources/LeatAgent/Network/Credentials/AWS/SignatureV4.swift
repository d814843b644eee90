internal import LeatCore

/// Signs requests with AWS Signature Version 4: "Create a signed AWS API request" in the IAM user guide.
///
/// Host, content type and the headers of AWS are signed, which is what AWS asks for. What proxies may change is not, nor
/// `Content-Length`, with which OpenSearch Serverless (`aoss`) would refuse the request. `X-Amz-Content-Sha256` is always
/// sent: `aoss` and `s3` want it, the other services do not mind.
struct SignatureV4 {
    private static let algorithm = "AWS4-HMAC-SHA256"
    private static let signedNames: Set<String> = ["host", "content-type", "content-md5"]

    let credentials: AWSCredentials
    let region: String
    let service: String

    /// The headers with which a request is signed as it leaves; `host`: its `Host` header, `body`: the bytes on the wire.
    func headers(
        for request: HTTPRequest,
        host: String,
        body: [UInt8],
        now: Timestamp
    ) -> [(name: String, value: String)] {
        // 2015-08-30T12:36:00Z, as 20150830T123600Z.
        let date = TimestampWriter.text(now, precision: .seconds).filter { $0 != "-" && $0 != ":" }
        let digest = SHA256.hexadecimal(body)
        var added = [(name: "X-Amz-Date", value: date), (name: "X-Amz-Content-Sha256", value: digest)]
        if let token = self.credentials.sessionToken { added.append((name: "X-Amz-Security-Token", value: token)) }
        let signed = ([(name: "Host", value: host)] + request.headers + added).filter { Self.isSigned($0.name) }
        let proof = self.authorization(
            method: request.method,
            path: request.path,
            headers: signed,
            digest: digest,
            date: date
        )
        return added + [(name: "Authorization", value: proof)]
    }

    private static func isSigned(_ name: String) -> Bool {
        let name = name.lowercased()
        return Self.signedNames.contains(name) || name.hasPrefix("x-amz-")
    }

    /// The value of `Authorization`.
    ///
    /// - Parameters:
    ///   - method: of the request.
    ///   - path: with the query, as in the request line.
    ///   - headers: all that are to be signed, `Host` and `X-Amz-Date` among them.
    ///   - digest: SHA-256 of the body, in hexadecimal.
    ///   - date: the value of `X-Amz-Date`.
    /// - Returns: the algorithm, whose key it is and for what, what is signed, and the signature.
    func authorization(
        method: String,
        path: String,
        headers: [(name: String, value: String)],
        digest: String,
        date: String
    ) -> String {
        let canonical = Self.canonicalHeaders(headers)
        let names = canonical.map(\.name).joined(separator: ";")
        let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let request = [
            method, self.canonicalPath(parts[0]), Self.canonicalQuery(parts.count > 1 ? parts[1] : ""),
            canonical.map { "\($0.name):\($0.value)\n" }.joined(), names, digest,
        ].joined(separator: "\n")
        let day = String(date.prefix(8))
        let scope = "\(day)/\(self.region)/\(self.service)/aws4_request"
        let text = [Self.algorithm, date, scope, SHA256.hexadecimal(Array(request.utf8))].joined(separator: "\n")
        var key = Array("AWS4\(self.credentials.secretAccessKey)".utf8)
        for part in [day, self.region, self.service, "aws4_request"] { key = SHA256.hmac(part, key: key) }
        let signature = SHA256.digits(SHA256.hmac(text, key: key))
        return "\(Self.algorithm) Credential=\(self.credentials.accessKeyID)/\(scope), SignedHeaders=\(names), "
            + "Signature=\(signature)"
    }

    /// Without `.`, `..` and empty segments, and escaped once more than in the request; for `s3` as in the request.
    private func canonicalPath(_ path: Substring) -> String {
        let slash = UInt8(ascii: "/")
        if self.service == "s3" { return PercentEncoding.encoded(PercentEncoding.decoded(path), keeping: slash) }
        var segments: [Substring] = []
        for segment in path.split(separator: "/") where segment != "." {
            if segment != ".." { segments.append(segment) } else if !segments.isEmpty { segments.removeLast() }
        }
        let end = path.hasSuffix("/") && !segments.isEmpty ? "/" : ""
        return PercentEncoding.encoded("/\(segments.joined(separator: "/"))\(end)".utf8, keeping: slash)
    }

    /// A path whose query is as it is signed, so that nobody's idea of what is to be escaped makes it another.
    static func escapingQuery(of path: String) -> String {
        guard let mark = path.firstIndex(of: "?") else { return path }
        return path[...mark] + Self.canonicalQuery(path[path.index(after: mark)...])
    }

    /// Sorted by name and value, everything but unreserved characters escaped.
    private static func canonicalQuery(_ query: Substring) -> String {
        let pairs = query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { PercentEncoding.encoded(PercentEncoding.decoded($0)) }
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
        return pairs.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// Names in lower case and ascending, each once; values without white space around them and with single spaces.
    private static func canonicalHeaders(
        _ headers: [(name: String, value: String)]
    ) -> [(name: String, value: String)] {
        var values: [String: [String]] = [:]
        for (name, value) in headers {
            let words = value.split { $0 == " " || $0 == "\t" }
            values[name.lowercased(), default: []].append(words.joined(separator: " "))
        }
        return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value.joined(separator: ",")) }
    }
}
