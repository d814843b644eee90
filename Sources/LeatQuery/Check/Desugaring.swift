/// Turns short forms into calls, so that the plan sees filters, calls, assignments, `case` and `match` only.
///
/// `x := f(…)` becomes `f(…, as=x)`, `x =~ f(…)` and `x = f(…)` become `f(…, field=x)`, `[f(), g()]` becomes
/// `stats([f(), g()])`, and the function of a `match` arm gets the field.
struct Desugaring: TreeRewriter {
    mutating func rewrite(_ step: Step) -> [Step] {
        switch self.descend(step) {
        case .assignment(let assignment):
            guard !assignment.isComputed, let call = Self.named(assignment) else { return [.assignment(assignment)] }
            return [.call(call)]
        case .shorthand(let shorthand):
            let call = Self.adding(shorthand.field, to: shorthand.call)
            return [shorthand.isNegated ? .filter(.not(.call(call), shorthand.range)) : .call(call)]
        case .stats(let elements, let range):
            let argument = Argument(name: FieldName("function", range: range), value: .array(elements, range))
            return [.call(FunctionCall(name: "stats", nameRange: range, arguments: [argument], range: range))]
        case .filter(.call(let call)): return [.call(call)]
        case let other: return [other]
        }
    }

    mutating func rewrite(_ filter: Filter) -> Filter {
        // `*` as free text lets everything pass, also after an aggregate.
        if case .text(let value) = filter, value.text.allSatisfy({ $0 == "*" }) {
            return .constant(true, value.range)
        }
        // Descending once: twice at each level would take 2^depth steps.
        let descended = self.descend(filter)
        guard case .comparison(let comparison) = descended, case .call(let call) = comparison.value else {
            return descended
        }
        let filter = Filter.call(Self.adding(comparison.field, to: call))
        return comparison.comparator == .notEqual ? .not(filter, comparison.range) : filter
    }

    mutating func rewrite(_ expression: Expression) -> Expression {
        switch self.descend(expression) {
        case .assignment(let assignment): return Self.named(assignment).map { .call($0) } ?? .assignment(assignment)
        // Within an expression the value matters, not where it would be written.
        case .call(let call): return .call(Self.withTarget(call))
        case let other: return other
        }
    }

    mutating func rewrite(_ condition: MatchStatement.Guard, of field: FieldName) -> MatchStatement.Guard {
        let descended = self.descend(condition)
        guard case .call(let call) = descended else { return descended }
        return .call(Self.adding(field, to: call))
    }

    /// The call with `as`, if its function has that parameter and the call does not give it.
    private static func named(_ assignment: Assignment) -> FunctionCall? {
        guard case .call(var call) = assignment.value, let signature = FunctionCatalogue.find(call.name),
            let parameter = signature.parameters.first(where: { $0.name == "as" || $0.name == "asArray" })
        else { return nil }
        if call.arguments.contains(where: { $0.name?.name == parameter.name }) { return nil }
        if parameter.isUnnamed && call.arguments.contains(where: { $0.name == nil }) { return nil }
        let target = assignment.target
        call.arguments.append(
            Argument(
                name: FieldName(parameter.name, range: target.range),
                value: target.isQuoted ? .string(target.name, target.range) : .field(target.name, target.range)
            )
        )
        return call
    }

    /// The call with the `as` that its function demands.
    private static func withTarget(_ call: FunctionCall) -> FunctionCall {
        guard FunctionCatalogue.find(call.name)?.parameter("as")?.isRequired == true,
            !call.arguments.contains(where: { $0.name?.name.lowercased() == "as" })
        else { return call }
        var result = call
        result.arguments.append(Argument(name: FieldName("as"), value: .field("_value", .none)))
        return result
    }

    /// The call with its field argument, which is the unnamed parameter of functions that have no `field`.
    private static func adding(_ field: FieldName, to call: FunctionCall) -> FunctionCall {
        guard let signature = FunctionCatalogue.find(call.name) else { return call }
        let name = signature.parameter("field")?.name ?? signature.unnamedParameter?.name ?? "field"
        if call.arguments.contains(where: { $0.name?.name == name }) { return call }
        var result = call
        let value: Expression =
            field.isQuoted && signature.parameter(name)?.kind != .expression
            ? .string(field.name, field.range) : .field(field.name, field.range)
        result.arguments.append(Argument(name: FieldName(name, range: field.range), value: value))
        return result
    }
}
