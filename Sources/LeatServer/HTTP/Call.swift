internal import HTTPTypes
internal import HummingbirdCore
internal import LeatCore

/// One request, with what the handlers want to know of it.
struct Call: Sendable {
    let method: HTTPRequest.Method
    let target: RequestTarget
    let headers: HTTPFields
    /// The `Host` header, if there is one.
    let authority: String?
    let body: RequestBody
    /// The client's address.
    let client: String
    /// Whether the client sits on this machine.
    let isFromLoopback: Bool
    /// When the request's head arrived.
    let arrivedAt: Timestamp
    /// Whether the client still waits for the answer.
    let presence: ClientPresence
    /// For the audit log.
    let notes = CallNotes()

    init(
        _ request: Request,
        client: String,
        isFromLoopback: Bool,
        arrivedAt: Timestamp,
        presence: ClientPresence
    ) {
        self.method = request.method
        self.target = RequestTarget(request.head.path ?? "/")
        self.headers = request.headers
        self.authority = request.head.authority
        self.body = request.body
        self.client = client
        self.isFromLoopback = isFromLoopback
        self.arrivedAt = arrivedAt
        self.presence = presence
    }

    /// The value of a header, names in any case.
    func header(_ name: String) -> String? {
        HTTPField.Name(name).flatMap { self.headers[$0] }
    }

    /// Whether the body is protobuf and not JSON.
    var isProtobuf: Bool { self.header("content-type")?.lowercased().contains("protobuf") ?? false }

    /// Of these media types the one that the header `Accept` likes best, of equals the first there; `nil` without any.
    func accepts(_ mediaTypes: [String]) -> String? {
        var best: (mediaType: String, quality: Double)?
        for part in (self.header("accept") ?? "").lowercased().split(separator: ",") {
            let parameters = part.split(separator: ";", omittingEmptySubsequences: false).map { $0.trimming() }
            let quality = parameters.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            guard let mediaType = parameters.first, mediaTypes.contains(mediaType), quality > best?.quality ?? 0 else {
                continue
            }
            best = (mediaType, quality)
        }
        return best?.mediaType
    }
}

extension StringProtocol {
    /// The text without spaces and tabs at its ends.
    func trimming() -> String {
        let start = self.drop { $0 == " " || $0 == "\t" }
        let end = start.lastIndex { $0 != " " && $0 != "\t" }
        return end.map { String(start[...$0]) } ?? ""
    }
}
