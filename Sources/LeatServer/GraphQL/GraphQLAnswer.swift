internal import LeatCore

/// A value of the schema: what a field gives, and how the fields below it are found.
indirect enum GraphQLNode: Sendable {
    case value(JSONValue)
    case list([GraphQLNode])
    case object(GraphQLObject)

    static let null = GraphQLNode.value(.null)

    static func text(_ text: String) -> GraphQLNode { .value(.string(text)) }

    static func number(_ number: Int) -> GraphQLNode { .value(JSONValue(number)) }

    static func texts(_ texts: [String]) -> GraphQLNode { .value(.array(texts.map { .string($0) })) }
}

/// An object of the schema.
struct GraphQLObject: Sendable {
    typealias Resolver = @Sendable (GraphQLArguments) async throws -> GraphQLNode

    /// The name of its type, and of the interfaces that it has.
    let types: [String]
    let fields: [String: Resolver]

    init(_ types: String..., fields: [String: Resolver]) {
        self.types = types
        self.fields = fields
    }

    /// An object of values that need no arguments.
    init(_ types: String..., values: [String: GraphQLNode]) {
        self.types = types
        self.fields = values.mapValues { value in { _ in value } }
    }
}

/// The arguments of a field.
struct GraphQLArguments: Sendable {
    let values: [String: JSONValue]

    subscript(name: String) -> JSONValue? { self.values[name].flatMap { $0.isNull ? nil : $0 } }

    /// A text that must be given.
    func text(_ name: String) throws(GraphQLFault) -> String {
        guard let text = self[name]?.string else { throw GraphQLFault("the argument '\(name)' (a string) is missing") }
        return text
    }

    func number(_ name: String) -> Int? { self[name]?.int }

    /// The members of an argument that is an object.
    func object(_ name: String) throws(GraphQLFault) -> GraphQLArguments {
        guard let members = self[name]?.object else {
            throw GraphQLFault("the argument '\(name)' (an object) is missing")
        }
        return GraphQLArguments(values: Dictionary(members.map { ($0.key, $0.value) }) { $1 })
    }
}

/// Answers a document: exactly the fields that it asks for, in its order.
struct GraphQLAnswer {
    private let variables: [String: JSONValue]
    private var errors: [JSONValue] = []

    /// The answer to a document.
    ///
    /// - Parameters:
    ///   - document: What is asked.
    ///   - given: The values of its variables.
    ///   - root: The object on whose fields the operation works.
    /// - Returns: `{"data": …}`, with `errors` if there were any; a field that failed is null.
    static func to(
        _ document: GraphQLDocument,
        variables given: [String: JSONValue],
        root: GraphQLObject
    ) async -> JSONValue {
        var variables = given
        for variable in document.variables where variables[variable.name] == nil {
            if let fallback = variable.fallback { variables[variable.name] = Self.value(fallback, [:]) }
        }
        var answer = GraphQLAnswer(variables: variables)
        let data = await answer.members(of: root, document.selections, path: [])
        var members: [JSONValue.Member] = [.init("data", data)]
        if !answer.errors.isEmpty { members.append(.init("errors", .array(answer.errors))) }
        return .object(members)
    }

    private init(variables: [String: JSONValue]) { self.variables = variables }

    private static func value(_ value: GraphQLDocument.Value, _ variables: [String: JSONValue]) -> JSONValue {
        switch value {
        case .variable(let name): variables[name] ?? .null
        case .constant(let constant): constant
        case .list(let elements): .array(elements.map { Self.value($0, variables) })
        case .object(let members): .object(members.map { .init($0.name, Self.value($0.value, variables)) })
        }
    }

    private func arguments(_ given: [(name: String, value: GraphQLDocument.Value)]) -> GraphQLArguments {
        GraphQLArguments(values: Dictionary(given.map { ($0.name, Self.value($0.value, self.variables)) }) { $1 })
    }

    private func isWanted(_ selection: GraphQLDocument.Selection, of object: GraphQLObject) -> Bool {
        if let type = selection.type, !object.types.contains(type) { return false }
        return selection.directives.allSatisfy { directive in
            let condition = self.arguments(directive.arguments)["if"]?.bool ?? true
            return directive.name == "skip" ? !condition : directive.name == "include" ? condition : true
        }
    }

    private mutating func members(
        of object: GraphQLObject,
        _ selections: [GraphQLDocument.Selection],
        path: [JSONValue]
    ) async -> JSONValue {
        var members: [JSONValue.Member] = []
        for selection in selections where self.isWanted(selection, of: object) {
            if members.contains(where: { $0.key == selection.key }) { continue }
            let own = path + [.string(selection.key)]
            members.append(.init(selection.key, await self.value(of: selection, in: object, path: own)))
        }
        return .object(members)
    }

    private mutating func value(
        of selection: GraphQLDocument.Selection,
        in object: GraphQLObject,
        path: [JSONValue]
    ) async -> JSONValue {
        if selection.name == "__typename" { return .string(object.types[0]) }
        guard let resolve = object.fields[selection.name] else {
            let nearest = NearestName.find(selection.name, among: Array(object.fields.keys))
            let hint = nearest.map { "; did you mean '\($0)'?" } ?? ""
            return self.fail("\(object.types[0]) has no field '\(selection.name)'\(hint)", path)
        }
        do {
            return await self.value(of: try await resolve(self.arguments(selection.arguments)), selection, path)
        } catch let fault as GraphQLFault {
            return self.fail(fault.message, path)
        } catch let fault as RequestFault {
            return self.fail(fault.reason, path)
        } catch {
            return self.fail("\(error)", path)
        }
    }

    private mutating func value(
        of node: GraphQLNode,
        _ selection: GraphQLDocument.Selection,
        _ path: [JSONValue]
    ) async -> JSONValue {
        switch node {
        case .value(let value): return value
        case .object(let object): return await self.members(of: object, selection.selections, path: path)
        case .list(let nodes):
            var elements: [JSONValue] = []
            for (index, node) in nodes.enumerated() {
                elements.append(await self.value(of: node, selection, path + [JSONValue(index)]))
            }
            return .array(elements)
        }
    }

    private mutating func fail(_ message: String, _ path: [JSONValue]) -> JSONValue {
        self.errors.append(["message": .string(message), "path": .array(path), "locations": [], "extensions": [:]])
        return .null
    }
}
