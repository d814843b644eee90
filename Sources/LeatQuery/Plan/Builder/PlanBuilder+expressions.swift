internal import LeatCore

extension PlanBuilder {
    /// The program of an expression; one that was left out has no value.
    mutating func expression(_ expression: Expression?) -> ExpressionProgram {
        switch expression {
        case nil: return .null
        case .field(let name, _), .duration(let name, _), .pattern(let name, _): return .field(name)
        case .string(let text, _), .number(let text, _): return .literal(Array(text.utf8))
        case .boolean(let value, _): return .literal(Array((value ? "true" : "false").utf8))
        case .parameter: return .null
        case .call(let call): return self.expression(call)
        case .unary(let sign, let operand, _): return .unary(sign, self.expression(operand))
        case .binary(let sign, let left, let right):
            return .binary(sign, self.expression(left), self.expression(right))
        case .assignment(let assignment): return self.expression(assignment.value)
        case .subquery(let subquery): return self.condition(subquery.pipeline)
        case .regex, .savedQuery, .array, .list:
            self.report("this cannot be computed", at: expression?.range ?? .none)
            return .null
        }
    }

    /// `{ filter }` where something true or false is wanted.
    private mutating func condition(_ pipeline: Pipeline) -> ExpressionProgram {
        let nodes = pipeline.steps.map { self.node(step: $0) }
        return .filter(nodes.count == 1 ? nodes[0] : .and(nodes))
    }

    private mutating func node(step: Step) -> FilterNode {
        switch step {
        case .filter(let filter): return self.node(filter)
        case .call(let call): return self.node(call)
        default:
            self.report("only filters can stand here", at: step.range)
            return .constant(false)
        }
    }

    /// A call in an expression: its value, or whether it lets the event pass.
    private mutating func expression(_ call: FunctionCall) -> ExpressionProgram {
        guard let bound = call.bound else {
            self.report("unknown function '\(call.name)'", at: call.nameRange)
            return .null
        }
        switch bound.signature.name {
        case "if":
            return .conditional(
                self.expression(bound.expression("condition")),
                then: self.expression(bound.expression("then")),
                else: self.expression(bound.expression("else"))
            )
        case "coalesce":
            let parts = bound.elements("expressions").map { self.expression($0) }
            return .first(parts, ignoresEmpty: bound.isTrue("ignoreEmpty") || !bound.isGiven("ignoreEmpty"))
        case "getField": return .fieldNamed(self.expression(bound.expression("source")))
        case "now": return self.moment(self.options.now)
        case "start": return self.moment(self.start)
        case "end": return self.moment(self.end)
        default: break
        }
        let before = self.diagnostics.count
        switch self.rowFunction(bound) {
        case .function(let function)? where !function.outputs.isEmpty:
            return .function(function, operands: self.operands(function.inputs))
        case .function?:
            self.report("\(call.name)() has no single value", at: call.range, hint: "put it into a step of its own")
            return .null
        case .predicate(let predicate)?:
            return .filter(.predicate(predicate, operands: self.operands(predicate.inputs)))
        case nil:
            // What is wrong with the call was said already.
            if self.diagnostics.count > before { return .null }
            guard bound.signature.canFilter else {
                self.report("\(call.name)() cannot be used in an expression", at: call.range)
                return .null
            }
            return .filter(self.node(call))
        }
    }

    /// A condition: `{ filter }`, or an expression.
    mutating func conditionNode(_ expression: Expression?) -> FilterNode {
        if case .subquery(let subquery)? = expression, case .filter(let node) = self.condition(subquery.pipeline) {
            return node
        }
        return .expression(self.expression(expression))
    }

    private func moment(_ timestamp: Timestamp?) -> ExpressionProgram {
        timestamp.map { .literal(Array(String($0.milliseconds).utf8)) } ?? .null
    }

    /// What a row function reads, with expressions compiled.
    mutating func operands(_ inputs: [RowOperand]) -> [OperandProgram] {
        inputs.map { input in
            switch input {
            case .field(let name): .field(name)
            case .expression(let expression): .expression(self.expression(expression))
            case .array(let name): .array(name)
            case .allFields: .allFields
            }
        }
    }

    /// The row function of a call, `nil` when it is none or after saying what is wrong.
    mutating func rowFunction(_ call: BoundCall) -> RowFunctionKind? {
        do throws(CallProblem) {
            return try RowFunctions.make(call, context: self.functions)
        } catch {
            self.report(error.message, at: error.range, hint: error.hint)
            return nil
        }
    }

    /// A function that decides whether an event stays and is no special case.
    mutating func otherNode(_ call: BoundCall) -> FilterNode {
        switch call.signature.name {
        case "match":
            if self.tables[call.text("file") ?? ""] != nil { return .lookup(self.matchStage(call)) }
        case "join": return self.joinStage(call).map { .lookup($0) } ?? .constant(false)
        case "cidr":
            if let node = self.subnets(call) { return node }
        default: break
        }
        let before = self.diagnostics.count
        if case .predicate(let predicate)? = self.rowFunction(call) {
            return .predicate(predicate, operands: self.operands(predicate.inputs))
        }
        if self.diagnostics.count == before {
            self.report("\(call.signature.name)() is not supported here", at: call.call.range)
        }
        return .constant(false)
    }
}
