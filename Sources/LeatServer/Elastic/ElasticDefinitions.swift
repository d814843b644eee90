internal import HTTPTypes
internal import LeatCore
internal import Synchronization

/// Templates, policies, pipelines, data streams and indexes that shippers define: acknowledged and known by name, since
/// shippers send them (up to 400 KB) again and again to a server that does not know them.
final class ElasticDefinitions: Sendable {
    private struct State {
        var names: Set<[String]> = []
        var order: [[String]] = []
    }

    private let state = Mutex(State())

    /// Remembers a definition; answers whether it is new.
    @discardableResult
    func add(_ kind: String, _ name: String) -> Bool {
        self.state.withLock { state in
            guard state.names.insert([kind, name]).inserted else { return false }
            state.order.append([kind, name])
            if state.order.count > ServerLimits.definitionCountMax { state.names.remove(state.order.removeFirst()) }
            return true
        }
    }

    /// Forgets a definition; answers whether it was known.
    func remove(_ kind: String, _ name: String) -> Bool {
        self.state.withLock { state in
            state.order.removeAll { $0 == [kind, name] }
            return state.names.remove([kind, name]) != nil
        }
    }

    func contains(_ kind: String, _ name: String) -> Bool {
        self.state.withLock { $0.names.contains([kind, name]) }
    }

    /// The names of a kind, oldest first.
    func names(_ kind: String) -> [String] {
        self.state.withLock { state in state.order.filter { $0[0] == kind }.map { $0[1] } }
    }
}

extension ElasticDefinitions {
    /// `GET|HEAD|PUT|POST|DELETE /KIND/NAME`.
    func reply(to call: Call, _ kind: String, _ name: String?) throws -> Reply {
        switch call.method {
        case .put, .post:
            self.add(kind, name ?? "")
            return ElasticEndpoints.json(call, ["acknowledged": true])
        case .delete:
            guard self.remove(kind, name ?? "") else { throw Self.missing(kind, name) }
            return ElasticEndpoints.json(call, ["acknowledged": true])
        case .get, .head:
            guard let name else { return ElasticEndpoints.json(call, Self.list(kind, self.names(kind))) }
            if name.contains("*") {
                let names = self.names(kind).filter { IndexPattern.fits($0, name) }
                return ElasticEndpoints.json(call, Self.list(kind, names))
            }
            guard self.contains(kind, name) else { throw Self.missing(kind, name) }
            return ElasticEndpoints.json(call, Self.list(kind, [name]))
        default: throw ElasticEndpoints.methodNotAllowed(call, allowed: ["GET", "HEAD", "PUT", "POST", "DELETE"])
        }
    }

    private static func missing(_ kind: String, _ name: String?) -> RequestFault {
        .elastic(404, "resource_not_found_exception", "\(kind.drop { $0 == "_" }) matching [\(name ?? "")] not found")
    }

    private static func list(_ kind: String, _ names: [String]) -> JSONValue {
        switch kind {
        case "_data_stream":
            return [
                "data_streams": .array(
                    names.map { ["name": .string($0), "timestamp_field": ["name": "@timestamp"], "status": "GREEN"] }
                )
            ]
        case "_index_template":
            return ["index_templates": .array(names.map { ["name": .string($0), "index_template": .object([])] })]
        case "_component_template":
            return [
                "component_templates": .array(names.map { ["name": .string($0), "component_template": .object([])] })
            ]
        default:
            return .object(names.map { .init($0, .object([])) })
        }
    }
}
