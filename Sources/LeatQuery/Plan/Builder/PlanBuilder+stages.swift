internal import LeatCore

extension PlanBuilder {
    /// The stages of a step that is no aggregate.
    mutating func stages(_ step: Step) -> [any Stage] {
        switch step {
        case .filter(let filter): return self.filterStages(filter)
        case .call(let call):
            guard let bound = call.bound else {
                self.report("unknown function '\(call.name)'", at: call.nameRange)
                return []
            }
            return self.callStages(bound)
        case .assignment(let assignment): return [self.assignmentStage(assignment)]
        case .cases(let branches, _):
            return [BranchStage(branches: branches.map { self.stages(of: $0) })]
        case .match(let statement): return [self.matchStage(statement)]
        case .shorthand, .stats, .savedQuery:
            self.report("this step was not understood", at: step.range)
            return []
        }
    }

    private mutating func assignmentStage(_ assignment: Assignment) -> any Stage {
        let value = self.expression(assignment.value)
        if assignment.isComputed { return SetFieldStage(target: .field(assignment.target.name), value: value) }
        return AssignStage(target: assignment.target.name, value: value)
    }

    /// Each arm is a branch that begins with its guard (8.5).
    private mutating func matchStage(_ statement: MatchStatement) -> any Stage {
        let field = statement.field.name
        var branches: [[any Stage]] = []
        for arm in statement.arms {
            var branch: [any Stage] = []
            switch arm.condition {
            case .always: break
            case .text(let value):
                let test: ValueTest = value.text == "**" ? .present : .equality(to: value.text)
                branch.append(FilterStage(filter: .field(field, test)))
            case .regex(let literal):
                if let regex = self.regex(literal) { branch.append(RegexStage(regex: regex, field: field)) }
            case .call(let call): branch.append(FilterStage(filter: self.node(call)))
            case .parameter: break
            }
            branches.append(branch + self.stages(of: arm.pipeline))
        }
        return BranchStage(branches: branches)
    }

    /// The stages of a call that stands alone.
    mutating func callStages(_ call: BoundCall) -> [any Stage] {
        switch call.signature.name {
        case "select": return [SelectStage(names: call.texts("fields").withoutRepetitions)]
        case "drop": return [DropStage(names: call.texts("fields"))]
        case "rename": return [RenameStage(pairs: self.renamePairs(call))]
        case "regex": return self.regexStages(call)
        case "eval": return self.evalStages(call)
        case "default": return self.defaultStages(call)
        case "if", "coalesce", "getField", "now", "start", "end":
            return [AssignStage(target: call.text("as") ?? "", value: self.expression(.call(call.call)))]
        case "setField":
            return [
                SetFieldStage(
                    target: self.expression(call.expression("target")),
                    value: self.expression(call.expression("value"))
                )
            ]
        default: break
        }
        if let stage = self.specialStage(call) ?? self.elementStage(call) { return [stage] }
        let before = self.diagnostics.count
        switch self.rowFunction(call) {
        case .function(let function)?:
            return [RowFunctionStage(function: function, operands: self.operands(function.inputs))]
        case .predicate(let predicate)?:
            return [FilterStage(filter: .predicate(predicate, operands: self.operands(predicate.inputs)))]
        case nil: break
        }
        // What is wrong with the call was said already.
        if self.diagnostics.count > before { return [] }
        if call.signature.canFilter { return [FilterStage(filter: self.node(call.call))] }
        if self.diagnostics.count == before {
            self.report("\(call.signature.name)() is not supported here", at: call.call.range)
        }
        return []
    }

    private func renamePairs(_ call: BoundCall) -> [(source: String, target: String)] {
        if let target = call.text("as"), let source = call.texts("field").first { return [(source, target)] }
        return call.elements("field").compactMap { pair in
            let names = pair.plainTexts
            return names.count == 2 ? (names[0], names[1]) : nil
        }
    }

    private mutating func regexStages(_ call: BoundCall) -> [any Stage] {
        guard let regex = self.regex(of: call, "regex", flags: call.text("flags") ?? "m") else { return [] }
        return [
            RegexStage(
                regex: regex,
                field: call.text("field") ?? "@rawstring",
                repeats: call.isTrue("repeat"),
                limit: min(call.integer("limit") ?? 100, self.options.limits.regexRepeats),
                isStrict: call.text("strict")?.lowercased() != "false"
            )
        ]
    }

    private mutating func evalStages(_ call: BoundCall) -> [any Stage] {
        call.others.compactMap { argument in
            if let name = argument.name {
                return AssignStage(target: name.name, value: self.expression(argument.value))
            }
            guard case .assignment(let assignment) = argument.value else {
                self.report("eval() takes assignments", at: argument.range, hint: "write eval(name = expression)")
                return nil
            }
            return AssignStage(target: assignment.target.name, value: self.expression(assignment.value))
        }
    }

    private mutating func defaultStages(_ call: BoundCall) -> [any Stage] {
        let given = call.expression("value")
        var value = self.expression(given)
        // A bare word is the field's value, or the text itself where there is no such field.
        if case .field(let word, _)? = given {
            value = .first([value, .literal(Array(word.utf8))], ignoresEmpty: false)
        }
        return call.texts("field").map { field in
            AssignStage(
                target: field,
                value: value,
                onlyMissing: true,
                replacesEmpty: call.isTrue("replaceEmpty")
            )
        }
    }
}
