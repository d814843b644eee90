internal import HTTPTypes
internal import LeatCore
internal import LeatQuery

/// `GET /api/v1/parsers`, `GET|PUT|DELETE /api/v1/parsers/NAME`.
struct ParserEndpoints: Sendable {
    let parsers: ParserStore

    func reply(to call: Call, name: String?) async throws -> Reply {
        let parsers = self.parsers
        switch (call.method, name) {
        case (.get, nil), (.head, nil):
            let all = parsers.names.compactMap { parsers.definition($0)?.document }
            return Reply(200, json: .array(all))
        case (.get, .some(let name)), (.head, .some(let name)):
            guard let parser = parsers.definition(name) else { throw self.unknown(name) }
            return Reply(200, json: parser.document)
        case (.put, .some(let name)), (.post, .some(let name)): return try await self.set(call, name)
        case (.delete, .some(let name)):
            guard try await Blocking.run({ try parsers.remove(name) }) else { throw self.unknown(name) }
            return Reply(204)
        default: throw RequestFault.text(405, "method_not_allowed", "use GET, PUT or DELETE")
        }
    }

    private func unknown(_ name: String) -> RequestFault {
        let nearest = NearestName.find(name, among: self.parsers.names).map { "; did you mean '\($0)'?" } ?? ""
        return .text(404, "unknown_parser", "no parser '\(name)'\(nearest)")
    }

    /// Body: JSON with `script`, `tagFields` and `fieldsToBeRemovedBeforeParsing`, or LogScale's YAML.
    private func set(_ call: Call, _ name: String) async throws -> Reply {
        let bytes = try await call.wholeBody(limit: ServerLimits.controlBodyByteCountMax)
        let isJSON = bytes.first { $0 > 0x20 } == UInt8(ascii: "{")
        let definition: ParserDefinition?
        do {
            definition =
                isJSON
                ? ParserDefinition(name: name, document: try JSONValue(bytes))
                : ParserDefinition(
                    name: name,
                    yaml: try YAMLDocument(String(decoding: bytes, as: UTF8.self), source: "parser")
                )
        } catch {
            throw RequestFault.text(400, "bad_request", "\(error)")
        }
        guard let definition else { throw RequestFault.text(400, "bad_request", "the member script is missing") }
        let parsers = self.parsers
        do {
            try await Blocking.run { try parsers.set(definition) }
        } catch let errors as QueryErrors {
            return QueryEndpoint.reply(to: errors, asJSON: call.accepts(["application/json"]) != nil)
        }
        return Reply(200, json: definition.document)
    }
}
