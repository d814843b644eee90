internal import LeatCore

/// A GraphQL request: the operation that is asked for, with its fragments put in place.
///
/// The grammar is that of the GraphQL specification (October 2021), without subscriptions and type definitions.
struct GraphQLDocument: Sendable {
    enum Operation: Hashable, Sendable {
        case query, mutation
    }

    /// A field that is asked for.
    struct Selection: Sendable {
        let name: String
        /// The name under which the answer has it.
        let key: String
        let arguments: [(name: String, value: Value)]
        let directives: [Directive]
        /// The type on which the field is asked for (`... on View { … }`); `nil`: any.
        let type: String?
        let selections: [Selection]
    }

    /// `@include(if: …)` and `@skip(if: …)`.
    struct Directive: Sendable {
        let name: String
        let arguments: [(name: String, value: Value)]
    }

    /// A value as written.
    indirect enum Value: Sendable {
        case variable(String)
        case constant(JSONValue)
        case list([Value])
        case object([(name: String, value: Value)])
    }

    let operation: Operation
    let selections: [Selection]
    /// The declared variables with their defaults.
    let variables: [(name: String, fallback: Value?)]

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - text: The document.
    ///   - name: The operation that is wanted, if it has several.
    /// - Throws: `GraphQLFault` with the place that is wrong.
    init(_ text: String, operation name: String?) throws(GraphQLFault) {
        var parser = try GraphQLParser(text)
        let (operations, fragments) = try parser.document()
        let wanted = name.map { name in operations.filter { $0.name == name } } ?? operations
        guard let operation = wanted.first, wanted.count == 1 else {
            throw GraphQLFault(operations.isEmpty ? "the document has no operation" : "name one of the operations")
        }
        var expansion = FragmentExpansion(fragments: fragments)
        self.operation = operation.kind
        self.variables = operation.variables
        self.selections = try expansion.expand(operation.selections, on: nil, depth: 0)
    }
}

/// Why a GraphQL request cannot be answered.
struct GraphQLFault: Error, Sendable {
    let message: String
    /// Line and column, from 1.
    var place: (line: Int, column: Int)?

    init(_ message: String, at place: (line: Int, column: Int)? = nil) {
        self.message = message
        self.place = place
    }
}

/// What stands between braces, before fragments are put in place.
indirect enum GraphQLItem: Sendable {
    case field(GraphQLDocument.Selection, items: [GraphQLItem])
    case fragment(name: String, directives: [GraphQLDocument.Directive])
    case inline(type: String?, directives: [GraphQLDocument.Directive], items: [GraphQLItem])
}

/// Puts fragments in the place of their uses.
private struct FragmentExpansion {
    let fragments: [String: (type: String, items: [GraphQLItem])]
    private var count = 0

    init(fragments: [String: (type: String, items: [GraphQLItem])]) { self.fragments = fragments }

    mutating func expand(
        _ items: [GraphQLItem],
        on type: String?,
        _ directives: [GraphQLDocument.Directive] = [],
        depth: Int
    ) throws(GraphQLFault) -> [GraphQLDocument.Selection] {
        guard depth <= ServerLimits.graphQLDepthMax else { throw GraphQLFault("the document nests too deeply") }
        var result: [GraphQLDocument.Selection] = []
        for item in items {
            self.count += 1
            guard self.count <= ServerLimits.graphQLSelectionCountMax else {
                throw GraphQLFault("the document asks for too much at once")
            }
            switch item {
            case .field(let field, let items):
                result.append(
                    GraphQLDocument.Selection(
                        name: field.name,
                        key: field.key,
                        arguments: field.arguments,
                        directives: directives + field.directives,
                        type: type,
                        selections: try self.expand(items, on: nil, depth: depth + 1)
                    )
                )
            case .fragment(let name, let own):
                guard let fragment = self.fragments[name] else { throw GraphQLFault("unknown fragment '\(name)'") }
                result += try self.expand(fragment.items, on: fragment.type, directives + own, depth: depth + 1)
            case .inline(let inner, let own, let items):
                result += try self.expand(items, on: inner ?? type, directives + own, depth: depth + 1)
            }
        }
        return result
    }
}
