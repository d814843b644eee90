internal import HTTPTypes
internal import LeatCore

/// Writes down who did what: changes, queries, and whatever was refused for want of a right.
struct Audit: Sendable {
    let log: OwnLog

    /// Writes down an answered request, if it is of a kind that is.
    func record(_ call: Call, _ route: Route, user: String?, status: Int) {
        let isDenied = status == 401 || status == 403 || (status == 429 && user == nil)
        guard isDenied || route.isAudited(call.method) else { return }
        var fields: [(name: String, value: String)] = [
            ("action", route.label), ("method", call.method.rawValue), ("path", call.target.path),
            ("status", String(status)), ("client", call.client),
        ]
        if let user { fields.append(("user", user.isEmpty ? "(open)" : user)) }
        if let repository = route.repository { fields.append(("repository", repository)) }
        fields += call.notes.all
        self.log.add(.audit, isDenied ? "denied" : "done", fields)
    }
}

extension Route {
    /// Whether a request is written down although it was allowed.
    fileprivate func isAudited(_ method: HTTPRequest.Method) -> Bool {
        switch self {
        case .tokens, .token, .users, .repositories, .repository, .parsers, .files, .savedQueries:
            method != .get && method != .head
        case .compact, .graphQL: true
        case .query, .queryJobs: true
        default: false
        }
    }
}
