internal import LeatCore

/// What OpenTelemetry's clients get back, in the encoding in which they sent.
///
/// Sources: opentelemetry-proto, `collector/logs/v1/logs_service.proto`; `google/rpc/status.proto`; the specification of
/// OTLP/HTTP, "Failures".
enum OTLPAnswer {
    /// `ExportLogsServiceResponse{partial_success=1{rejected_log_records=1, error_message=2}}`; nothing when all is well.
    ///
    /// - Parameters:
    ///   - refused: Why records were refused, one text for each.
    ///   - isProtobuf: Whether the client sent protobuf.
    /// - Returns: The answer.
    static func success(refused: [String], isProtobuf: Bool) -> Reply {
        let message = refused.first ?? ""
        guard isProtobuf else {
            let partial: JSONValue = [
                "rejectedLogRecords": .string("\(refused.count)"), "errorMessage": .string(message),
            ]
            return Reply(200, json: refused.isEmpty ? .object([]) : ["partialSuccess": partial])
        }
        var partial = ProtobufWriter()
        partial.number(1, UInt64(refused.count))
        partial.content(2, Array(message.utf8))
        var response = ProtobufWriter()
        response.content(1, partial.bytes)
        return Reply(200, response.bytes, mediaType: Self.protobuf)
    }

    /// `google.rpc.Status{code=1, message=2}`.
    static func failure(_ fault: RequestFault, isProtobuf: Bool) -> Reply {
        let code = Self.code(fault.status)
        var reply: Reply
        if isProtobuf {
            var status = ProtobufWriter()
            status.number(1, UInt64(code))
            status.content(2, Array(fault.reason.utf8))
            reply = Reply(fault.status, status.bytes, mediaType: Self.protobuf)
        } else {
            reply = Reply(fault.status, json: ["code": JSONValue(code), "message": .string(fault.reason)])
        }
        reply.headers = fault.headers
        // Its exporter is the only one that heeds it.
        if fault.status == 429 || fault.status == 503, !fault.headers.contains(where: { $0.name == "Retry-After" }) {
            reply = reply.with("Retry-After", "1")
        }
        return reply
    }

    private static let protobuf = "application/x-protobuf"

    /// gRPC's number for a status of HTTP.
    private static func code(_ status: Int) -> Int {
        switch status {
        case 401: 16
        case 403: 7
        case 404: 5
        case 413, 429: 8
        case 500: 13
        case 503: 14
        default: 3
        }
    }
}
