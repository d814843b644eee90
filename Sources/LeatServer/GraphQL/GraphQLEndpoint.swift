internal import HTTPTypes
internal import LeatCore
internal import LeatQuery
internal import LeatStorage

/// `POST /graphql`: the part of Humio's schema that its clients use for repositories, files and saved queries.
///
/// Answers have status 200 and `{"data": …}`, with `errors` for what could not be had, as GraphQL wants it.
struct GraphQLEndpoint: Sendable {
    let library: LibraryEndpoints
    let parsers: ParserStore

    var store: Store { self.library.store }
    var files: LookupFiles { self.library.files }
    var queries: SavedQueries { self.library.queries }

    func reply(to call: Call, credential: Credential) async throws -> Reply {
        guard call.method == .post else { throw RequestFault.text(405, "method_not_allowed", "use POST") }
        let bytes = try await call.wholeBody(limit: ServerLimits.lookupFileByteCountMax)
        let request: JSONValue
        do {
            request = try JSONValue(bytes)
        } catch {
            throw RequestFault.text(400, "bad_request", "the body is not JSON: \(error)")
        }
        guard let text = request["query"]?.string else {
            throw RequestFault.text(400, "bad_request", "the member query (a string) is missing")
        }
        let variables = Dictionary((request["variables"]?.object ?? []).map { ($0.key, $0.value) }) { $1 }
        do throws(GraphQLFault) {
            let document = try GraphQLDocument(text, operation: request["operationName"]?.string)
            let schema = HumioSchema(self, credential)
            let root = document.operation == .query ? schema.query : schema.mutation
            return Reply(200, json: await GraphQLAnswer.to(document, variables: variables, root: root))
        } catch {
            let locations = error.place.map { place -> JSONValue in
                [["line": JSONValue(place.line), "column": JSONValue(place.column)]]
            }
            let fault: JSONValue = ["message": .string(error.message), "path": .null, "locations": locations ?? []]
            return Reply(200, json: ["data": .null, "errors": [fault]])
        }
    }
}
