internal import LeatCore

/// Reads the text of a GraphQL document.
struct GraphQLParser {
    /// An operation before its fragments are put in place.
    struct Operation {
        let kind: GraphQLDocument.Operation
        let name: String?
        let variables: [(name: String, fallback: GraphQLDocument.Value?)]
        let selections: [GraphQLItem]
    }

    private var lexer: GraphQLLexer
    private var depth = 0

    init(_ text: String) throws(GraphQLFault) { self.lexer = try GraphQLLexer(text) }

    mutating func document() throws(GraphQLFault) -> (
        operations: [Operation], fragments: [String: (type: String, items: [GraphQLItem])]
    ) {
        var operations: [Operation] = []
        var fragments: [String: (type: String, items: [GraphQLItem])] = [:]
        while !self.lexer.isAtEnd {
            if self.lexer.isAt("{") {
                operations.append(
                    Operation(kind: .query, name: nil, variables: [], selections: try self.selectionSet())
                )
                continue
            }
            let word = try self.lexer.name()
            switch word {
            case "query", "mutation":
                let name = self.lexer.isAtName ? try self.lexer.name() : nil
                let variables = try self.variables()
                _ = try self.directives()
                operations.append(
                    Operation(
                        kind: word == "query" ? .query : .mutation,
                        name: name,
                        variables: variables,
                        selections: try self.selectionSet()
                    )
                )
            case "fragment":
                let name = try self.lexer.name()
                guard try self.lexer.name() == "on" else { throw self.lexer.fault("expected 'on'") }
                let type = try self.lexer.name()
                _ = try self.directives()
                fragments[name] = (type, try self.selectionSet())
            default: throw self.lexer.fault("'\(word)' is neither query, mutation nor fragment")
            }
        }
        return (operations, fragments)
    }

    private mutating func nested<Result>(
        _ body: (inout GraphQLParser) throws(GraphQLFault) -> Result
    ) throws(GraphQLFault) -> Result {
        guard self.depth < ServerLimits.graphQLDepthMax else { throw self.lexer.fault("the document nests too deeply") }
        self.depth += 1
        let result = try body(&self)
        self.depth -= 1
        return result
    }

    private mutating func selectionSet() throws(GraphQLFault) -> [GraphQLItem] {
        try self.nested { (parser) throws(GraphQLFault) in
            try parser.lexer.expect("{")
            var items: [GraphQLItem] = []
            while !parser.lexer.take("}") { items.append(try parser.item()) }
            return items
        }
    }

    private mutating func item() throws(GraphQLFault) -> GraphQLItem {
        if self.lexer.take("...") {
            if self.lexer.isAtName {
                let word = try self.lexer.name()
                guard word == "on" else { return .fragment(name: word, directives: try self.directives()) }
                let type = try self.lexer.name()
                return .inline(type: type, directives: try self.directives(), items: try self.selectionSet())
            }
            return .inline(type: nil, directives: try self.directives(), items: try self.selectionSet())
        }
        let first = try self.lexer.name()
        let name = self.lexer.take(":") ? try self.lexer.name() : first
        let field = GraphQLDocument.Selection(
            name: name,
            key: first,
            arguments: try self.arguments(),
            directives: try self.directives(),
            type: nil,
            selections: []
        )
        return .field(field, items: self.lexer.isAt("{") ? try self.selectionSet() : [])
    }

    private mutating func arguments() throws(GraphQLFault) -> [(name: String, value: GraphQLDocument.Value)] {
        var arguments: [(name: String, value: GraphQLDocument.Value)] = []
        guard self.lexer.take("(") else { return arguments }
        while !self.lexer.take(")") {
            let name = try self.lexer.name()
            try self.lexer.expect(":")
            arguments.append((name, try self.value()))
        }
        return arguments
    }

    private mutating func directives() throws(GraphQLFault) -> [GraphQLDocument.Directive] {
        var directives: [GraphQLDocument.Directive] = []
        while self.lexer.take("@") {
            let name = try self.lexer.name()
            directives.append(GraphQLDocument.Directive(name: name, arguments: try self.arguments()))
        }
        return directives
    }

    private mutating func variables() throws(GraphQLFault) -> [(name: String, fallback: GraphQLDocument.Value?)] {
        var variables: [(name: String, fallback: GraphQLDocument.Value?)] = []
        guard self.lexer.take("(") else { return variables }
        while !self.lexer.take(")") {
            try self.lexer.expect("$")
            let name = try self.lexer.name()
            try self.lexer.expect(":")
            try self.type()
            variables.append((name, self.lexer.take("=") ? try self.value() : nil))
            _ = try self.directives()
        }
        return variables
    }

    /// Steps over a type; what a variable holds is checked where it is used.
    private mutating func type() throws(GraphQLFault) {
        if self.lexer.take("[") {
            try self.nested { (parser) throws(GraphQLFault) in try parser.type() }
            try self.lexer.expect("]")
        } else {
            _ = try self.lexer.name()
        }
        _ = self.lexer.take("!")
    }

    private mutating func value() throws(GraphQLFault) -> GraphQLDocument.Value {
        if self.lexer.take("$") { return .variable(try self.lexer.name()) }
        if self.lexer.isAt("[") || self.lexer.isAt("{") {
            return try self.nested { (parser) throws(GraphQLFault) in try parser.composite() }
        }
        return .constant(try self.lexer.scalar())
    }

    private mutating func composite() throws(GraphQLFault) -> GraphQLDocument.Value {
        if self.lexer.take("[") {
            var elements: [GraphQLDocument.Value] = []
            while !self.lexer.take("]") { elements.append(try self.value()) }
            return .list(elements)
        }
        try self.lexer.expect("{")
        var members: [(name: String, value: GraphQLDocument.Value)] = []
        while !self.lexer.take("}") {
            let name = try self.lexer.name()
            try self.lexer.expect(":")
            members.append((name, try self.value()))
        }
        return .object(members)
    }
}
