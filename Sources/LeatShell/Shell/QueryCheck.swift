internal import LeatCore
internal import LeatQuery

/// Tells what is wrong with a query before it is sent.
enum QueryCheck {
    /// Throws the diagnostics of a query that cannot run; what only a server knows is no error.
    static func check(_ text: String) throws(CommandError) {
        do throws(QueryErrors) {
            try CheckCommand.check(text)
        } catch {
            throw CommandError(.badData, error.description)
        }
    }

    /// The first thing that is wrong with a query; `nil` when it can run as far as is known here.
    static func problem(_ text: String) -> Diagnostic? {
        do throws(QueryErrors) {
            try CheckCommand.check(text)
            return nil
        } catch {
            return error.diagnostics.first
        }
    }

    /// Whether the query's answer is rows of an aggregate.
    static func isAggregate(_ text: String) -> Bool { Self.plan(text)?.isAggregate ?? false }

    /// The columns of the query's answer; `nil` when rows are events with the fields that they have.
    static func columns(_ text: String) -> [String]? { Self.plan(text)?.columns }

    private static func plan(_ text: String) -> QueryPlan? {
        var options = QueryOptions(now: SystemTime().now())
        options.isCheckOnly = true
        do throws(QueryErrors) {
            return try QueryPlan(try QueryParser.parse(text), options: options)
        } catch {
            // The check tells what is wrong.
            return nil
        }
    }
}
