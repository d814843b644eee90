internal import LeatCore

/// Decides which filters and outputs a route tag goes through.
struct Router {
    /// What `Match` or `Match_Regex` says.
    enum Matcher {
        case pattern(TagPattern)
        case regex(Pattern)

        func matches(_ tag: RouteTag) -> Bool {
            switch self {
            case .pattern(let pattern): return pattern.matches(tag.bytes)
            case .regex(let pattern):
                // A pattern that gives up has not matched.
                return tag.bytes.withUnsafeBytes { PatternMatcher(pattern).matches($0) ?? false }
            }
        }
    }

    private let filters: [Matcher]
    private let outputs: [Matcher]

    init(filters: [Matcher], outputs: [Matcher]) {
        self.filters = filters
        self.outputs = outputs
    }

    /// The route of a tag, found once per tag.
    func route(of tag: RouteTag) -> Route {
        if let known = tag.route { return known }
        var outputs = OutputSet()
        for (index, matcher) in self.outputs.enumerated() where matcher.matches(tag) { outputs.insert(index) }
        let filters = self.filters.indices.filter { self.filters[$0].matches(tag) }
        let route = Route(filters: Array(filters), outputs: outputs)
        tag.route = route
        return route
    }
}
