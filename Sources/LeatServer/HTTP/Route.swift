/// What a request asks for, decided from its path alone.
enum Route: Hashable, Sendable {
    /// One of the endpoints that stand for Elasticsearch, below any prefix.
    case elastic(ElasticRoute, repository: String?)
    /// Humio's and other shippers' ingest endpoints.
    case ingest(IngestProtocol, repository: String?)
    /// `POST …/repositories/NAME/query`.
    case query(repository: String)
    /// `POST …/repositories/NAME/queryjobs`.
    case queryJobs(repository: String)
    /// `GET|DELETE …/repositories/NAME/queryjobs/ID`.
    case queryJob(repository: String, id: String)
    /// `GET|POST /api/v1/repositories`.
    case repositories
    /// `GET|PUT|DELETE /api/v1/repositories/NAME`.
    case repository(name: String)
    /// `GET …/repositories/NAME/fields`.
    case fields(repository: String)
    /// `GET|POST …/repositories/NAME/files`, and one of them.
    case files(repository: String, name: String?)
    /// `GET|POST …/repositories/NAME/savedqueries`, and one of them.
    case savedQueries(repository: String, name: String?)
    /// `POST /graphql`.
    case graphQL
    /// `GET|POST …/repositories/NAME/deletions`, and one of them.
    case deletions(repository: String, id: String?)
    /// `GET|POST /api/v1/tokens`, and one of them.
    case tokens
    case token(name: String)
    /// `GET|POST /api/v1/users`, and one of them.
    case users(id: String?)
    /// `GET /api/v1/parsers`, and one of them.
    case parsers(name: String?)
    /// `GET /api/v1/health`, `/api/v1/health-json`, `/api/v1/is-node-up`, `/ready`.
    case health(HealthForm)
    case status
    case metrics
    /// `POST /api/v1/admin/compact`.
    case compact
    case unknown

    enum HealthForm: Hashable, Sendable {
        case text, json, nodeUp, ready
    }

    /// Decides; never fails, `unknown` is a 404.
    static func of(_ target: RequestTarget) -> Route {
        let path = target.components
        switch path.first {
        case "api" where path.count >= 2 && path[1] == "v1": return Self.api(Array(path.dropFirst(2)), target)
        case "api" where path == ["api", "prom", "push"]: return .ingest(.loki, repository: nil)
        case "metrics" where path.count == 1: return .metrics
        case "graphql" where path.count == 1: return .graphQL
        case "ready" where path.count == 1: return .health(.ready)
        case "health" where path.count == 1: return .health(.text)
        case "services" where path.count >= 2 && path[1] == "collector":
            return Self.splunk(Array(path.dropFirst(2)), repository: nil)
        case "loki" where Array(path.dropFirst()) == ["api", "v1", "push"]: return .ingest(.loki, repository: nil)
        case "v1" where path == ["v1", "logs"]: return .ingest(.otlp, repository: nil)
        case "upload" where path.count == 1: return .ingest(.journald, repository: nil)
        default: return Self.elastic(path, target, repository: nil)
        }
    }

    private static func api(_ path: [String], _ target: RequestTarget) -> Route {
        switch path.first {
        case "health" where path.count == 1: return .health(.text)
        case "health-json" where path.count == 1: return .health(.json)
        case "is-node-up" where path.count == 1: return .health(.nodeUp)
        case "status" where path.count == 1: return .status
        case "metrics" where path.count == 1: return .metrics
        case "tokens": return path.count == 1 ? .tokens : path.count == 2 ? .token(name: path[1]) : .unknown
        case "users" where path.count <= 2: return .users(id: path.count == 2 ? path[1] : nil)
        case "parsers" where path.count <= 2: return .parsers(name: path.count == 2 ? path[1] : nil)
        case "admin": return path == ["admin", "compact"] ? .compact : .unknown
        case "ingest": return Self.ingest(Array(path.dropFirst()), target, repository: nil)
        case "repositories", "dataspaces": return Self.repository(Array(path.dropFirst()), target)
        default: return Self.elastic(path, target, repository: nil)
        }
    }

    private static func repository(_ path: [String], _ target: RequestTarget) -> Route {
        guard let name = path.first else { return .repositories }
        let rest = Array(path.dropFirst())
        switch rest.first {
        case nil: return .repository(name: name)
        case "query" where rest.count == 1: return .query(repository: name)
        case "queryjobs" where rest.count == 1: return .queryJobs(repository: name)
        case "queryjobs" where rest.count == 2: return .queryJob(repository: name, id: rest[1])
        case "fields" where rest.count == 1: return .fields(repository: name)
        case "files" where rest.count <= 2:
            return .files(repository: name, name: rest.count == 2 ? rest[1] : nil)
        case "savedqueries" where rest.count <= 2:
            return .savedQueries(repository: name, name: rest.count == 2 ? rest[1] : nil)
        case "deletions" where rest.count <= 2:
            return .deletions(repository: name, id: rest.count == 2 ? rest[1] : nil)
        case "ingest" where rest.count == 1: return .ingest(.humioStructured, repository: name)
        case "ingest-messages" where rest.count == 1: return .ingest(.humioUnstructured, repository: name)
        case "ingest": return Self.ingest(Array(rest.dropFirst()), target, repository: name)
        case "services" where rest.count >= 2 && rest[1] == "collector":
            return Self.splunk(Array(rest.dropFirst(2)), repository: name)
        case "loki" where Array(rest.dropFirst()) == ["api", "v1", "push"]:
            return .ingest(.loki, repository: name)
        case "v1" where rest == ["v1", "logs"]: return .ingest(.otlp, repository: name)
        case "upload" where rest.count == 1: return .ingest(.journald, repository: name)
        default: return Self.elastic(rest, target, repository: name)
        }
    }

    private static func ingest(_ path: [String], _ target: RequestTarget, repository: String?) -> Route {
        switch path.first {
        case "humio-structured" where path.count == 1: return .ingest(.humioStructured, repository: repository)
        case "humio-unstructured" where path.count == 1: return .ingest(.humioUnstructured, repository: repository)
        case "json" where path.count == 1: return .ingest(.json, repository: repository)
        case "raw" where path.count == 1: return .ingest(.raw, repository: repository)
        case "logplex" where path.count == 1: return .ingest(.logplex, repository: repository)
        case "journald" where path == ["journald", "upload"]: return .ingest(.journald, repository: repository)
        case "hec": return Self.splunk(Array(path.dropFirst()), repository: repository)
        case "otlp" where Array(path.dropFirst()) == ["v1", "logs"]: return .ingest(.otlp, repository: repository)
        case "elastic-bulk": return Self.elastic(Array(path.dropFirst()), target, repository: repository)
        default: return Self.elastic(path, target, repository: repository)
        }
    }

    private static func splunk(_ path: [String], repository: String?) -> Route {
        let path = path.last == "1.0" ? Array(path.dropLast()) : path
        switch path {
        case [], ["event"]: return .ingest(.splunkEvent, repository: repository)
        case ["raw"]: return .ingest(.splunkRaw, repository: repository)
        case ["health"]: return .ingest(.splunkHealth, repository: repository)
        case ["ack"]: return .ingest(.splunkAck, repository: repository)
        default: return .unknown
        }
    }

    private static func elastic(_ path: [String], _ target: RequestTarget, repository: String?) -> Route {
        .elastic(ElasticRoute.of(path, hasTrailingSlash: target.hasTrailingSlash), repository: repository)
    }
}

/// How events arrive, beside Elasticsearch's bulk API.
enum IngestProtocol: String, Hashable, Sendable {
    case humioStructured = "humio-structured"
    case humioUnstructured = "humio-unstructured"
    case json, raw, loki, otlp, logplex, journald
    case splunkEvent = "hec"
    case splunkRaw = "hec-raw"
    case splunkHealth = "hec-health"
    case splunkAck = "hec-ack"
}
