internal import HTTPTypes
internal import LeatCore
internal import LeatQuery

/// `GET /api/v1/parsers`, `GET|PUT|DELETE /api/v1/parsers/NAME`, `GET /api/v1/parsers/NAME?version=N`.
struct ParserEndpoints: Sendable {
    let parsers: ParserStore

    func reply(to call: Call, name: String?) async throws -> Reply {
        let parsers = self.parsers
        switch (call.method, name) {
        case (.get, nil), (.head, nil):
            let all = parsers.names.compactMap { parsers.definition($0)?.document }
            return Reply(200, json: .array(all))
        case (.get, .some(let name)), (.head, .some(let name)):
            return Reply(200, json: try self.parser(name, version: call.target["version"]).document)
        case (.put, nil), (.post, nil):
            throw RequestFault.text(400, "bad_name", "the path needs a name behind /api/v1/parsers/")
        case (.put, .some(let name)), (.post, .some(let name)): return try await self.set(call, name)
        case (.delete, .some(let name)):
            guard try await Blocking.run({ try parsers.remove(name) }) else { throw Self.unknown(name, self.parsers) }
            return Reply(204)
        default: throw RequestFault.text(405, "method_not_allowed", "use GET, PUT or DELETE")
        }
    }

    /// The current version, or the one that is asked for.
    private func parser(_ name: String, version: String?) throws(RequestFault) -> ParserDefinition {
        let versions = self.parsers.versions(of: name)
        guard let version else {
            guard let current = self.parsers.definition(name) else { throw Self.unknown(name, self.parsers) }
            return current
        }
        guard !versions.isEmpty else { throw Self.unknown(name, self.parsers) }
        guard let number = Int(version), let parser = self.parsers.definition(name, version: number) else {
            let known = versions.map(String.init).joined(separator: ", ")
            throw .text(404, "unknown_version", "parser '\(name)' has no version '\(version)'; there are \(known)")
        }
        return parser
    }

    static func unknown(_ name: String, _ parsers: ParserStore) -> RequestFault {
        let nearest = NearestName.find(name, among: parsers.names).map { "; did you mean '\($0)'?" } ?? ""
        return .text(404, "unknown_parser", "no parser '\(name)'\(nearest)")
    }

    /// Body: JSON with `script`, `tagFields` and `fieldsToBeRemovedBeforeParsing`, or LogScale's YAML.
    private func set(_ call: Call, _ name: String) async throws -> Reply {
        if self.parsers.definition(name) == nil { try GivenName.check(name, of: "parser") }
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
        let kept: ParserDefinition
        do {
            kept = try await Blocking.run { try parsers.set(definition) }
        } catch let errors as QueryErrors {
            return QueryEndpoint.reply(to: errors, asJSON: call.accepts(["application/json"]) != nil)
        }
        call.notes.add("version", String(kept.version))
        return Reply(200, json: kept.document)
    }
}
