internal import HTTPTypes
internal import LeatCore
internal import Synchronization

/// Templates, policies, pipelines, data streams and indexes that shippers define: acknowledged and known by name, since
/// shippers send them (up to 400 KB) again and again to a server that does not know them.
///
/// None changes what is stored, and each is known in its repository only, so that the token of one repository can neither
/// make nor remove what shippers of another one ask for.
final class ElasticDefinitions: Sendable {
    /// A definition as it is remembered.
    struct Name: Hashable, Sendable {
        let repository: String
        /// `index`, or the first parts of the path such as `_ilm/policy`.
        let kind: String
        let name: String

        init(_ repository: String, _ kind: String, _ name: String) {
            self.repository = repository
            self.kind = kind
            self.name = name
        }

        fileprivate var byteCount: Int { self.repository.utf8.count + self.kind.utf8.count + self.name.utf8.count }
    }

    private struct State {
        var names: Set<Name> = []
        /// The same, oldest first.
        var order: [Name] = []
        var counts: [String: Int] = [:]
        var byteCount = 0

        mutating func forget(at index: Int) {
            let name = self.order.remove(at: index)
            self.names.remove(name)
            self.byteCount -= name.byteCount
            self.counts[name.repository] = self.counts[name.repository].flatMap { $0 > 1 ? $0 - 1 : nil }
        }
    }

    private let state = Mutex(State())

    /// Remembers a definition; answers whether it is new.
    @discardableResult
    func add(_ name: Name) -> Bool {
        self.state.withLock { state in
            guard state.names.insert(name).inserted else { return false }
            state.order.append(name)
            state.counts[name.repository, default: 0] += 1
            state.byteCount += name.byteCount
            if state.counts[name.repository, default: 0] > ServerLimits.definitionCountMax,
                let oldest = state.order.firstIndex(where: { $0.repository == name.repository })
            {
                state.forget(at: oldest)
            }
            while state.byteCount > ServerLimits.definitionByteCountMax { state.forget(at: 0) }
            return true
        }
    }

    /// Forgets a definition; answers whether it was known.
    func remove(_ name: Name) -> Bool {
        self.state.withLock { state in
            guard let index = state.order.firstIndex(of: name) else { return false }
            state.forget(at: index)
            return true
        }
    }

    func contains(_ name: Name) -> Bool { self.state.withLock { $0.names.contains(name) } }

    /// The names of a kind in a repository, oldest first.
    func names(_ kind: String, in repository: String) -> [String] {
        self.state.withLock { state in
            state.order.filter { $0.kind == kind && $0.repository == repository }.map(\.name)
        }
    }
}

extension ElasticDefinitions {
    /// `GET|HEAD|PUT|POST|DELETE /KIND/NAME`.
    func reply(to call: Call, _ kind: String, _ name: String?, _ asker: IndexAsker) throws -> Reply {
        let definition = Name(asker.repository, kind, name ?? "")
        switch call.method {
        case .put, .post:
            self.add(definition)
            return ElasticEndpoints.json(call, ["acknowledged": true])
        case .delete:
            guard self.remove(definition) else { throw Self.missing(kind, name) }
            return ElasticEndpoints.json(call, ["acknowledged": true])
        case .get, .head:
            let known = self.names(kind, in: asker.repository)
            guard let name else { return ElasticEndpoints.json(call, Self.list(kind, known)) }
            if name.contains("*") {
                return ElasticEndpoints.json(call, Self.list(kind, known.filter { IndexPattern.fits($0, name) }))
            }
            guard self.contains(definition) else { throw Self.missing(kind, name) }
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
