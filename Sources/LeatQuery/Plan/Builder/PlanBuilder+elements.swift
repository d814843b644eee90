internal import LeatCore

extension PlanBuilder {
    /// The stage of a function that looks into arrays or lookup files; `nil` when the call is none.
    mutating func elementStage(_ call: BoundCall) -> (any Stage)? {
        switch call.signature.name {
        case "split":
            let array = call.arrayName("field") ?? "_events"
            return SplitStage(array: array, strips: call.isTrue("strip"))
        case "match", "matchAsArray":
            if let stage = self.missingFile(call) { return stage }
            do throws(CallProblem) {
                let lookup = try LookupCall(call, self.functions)
                let isArray = call.signature.name == "matchAsArray"
                return LookupStage(lookup: lookup, array: isArray ? call.arrayName("asArray") ?? "_match" : nil)
            } catch {
                self.report(error.message, at: error.range, hint: error.hint)
                return FilterStage(filter: .constant(false))
            }
        case "ioc:lookup": return self.indicatorStage(call)
        default: return self.elementPipeline(call)
        }
    }

    private mutating func indicatorStage(_ call: BoundCall) -> any Stage {
        let lookup: IndicatorLookup?
        do throws(CallProblem) {
            lookup = try IndicatorLookup(call, self.functions)
        } catch {
            self.report(error.message, at: error.range, hint: error.hint)
            lookup = nil
        }
        guard let lookup else { return FilterStage(filter: .constant(true)) }
        let function = lookup.function
        var stages: [any Stage] = [RowFunctionStage(function: function, operands: self.operands(function.inputs))]
        if call.isTrue("strict") { stages.append(FilterStage(filter: .field(lookup.detectedField, .present))) }
        return BranchStage(branches: [stages])
    }

    /// In a parser a missing file marks the events instead of refusing the script, which would lose them.
    private func missingFile(_ call: BoundCall) -> (any Stage)? {
        let name = call.text("file") ?? ""
        guard self.functions.isParser, !self.functions.isCheckOnly,
            self.functions.lookupFiles?.lookupFile(name) == nil
        else { return nil }
        let function = FieldsFunction([]) { _, outputs in
            RowFunctions.writeError("there is no lookup file '\(name)'", &outputs)
        }
        return RowFunctionStage(function: function, operands: [])
    }

    /// A function that runs a pipeline for each element.
    mutating func elementPipeline(_ call: BoundCall) -> ElementStage? {
        guard let array = call.arrayName("array") else { return nil }
        let variable = call.arrayName("var") ?? array
        switch call.signature.name {
        case "array:exists", "objectArray:exists":
            let stages = self.stages(ofCondition: call.expression("condition"))
            return ElementStage(array: array, variable: variable, stages: stages, purpose: .exists)
        case "array:filter":
            let target = call.arrayName("asArray") ?? array
            let stages = self.stages(ofCondition: call.expression("function"))
            return ElementStage(
                array: array,
                variable: variable,
                stages: stages,
                purpose: .collect(field: variable, array: target, members: false)
            )
        case "array:eval", "objectArray:eval":
            let target = call.arrayName("asArray") ?? array
            let stages = self.stages(ofCondition: call.expression("function"))
            let field = target == array ? variable : target
            return ElementStage(
                array: array,
                variable: variable,
                stages: stages,
                purpose: .collect(
                    field: field,
                    array: target,
                    members: call.signature.name == "objectArray:eval"
                )
            )
        default: return nil
        }
    }

    /// `{ pipeline }`, or an expression that must be true.
    private mutating func stages(ofCondition expression: Expression?) -> [any Stage] {
        if case .subquery(let subquery)? = expression { return self.stages(of: subquery.pipeline) }
        return [FilterStage(filter: .expression(self.expression(expression)))]
    }

    /// `array:reduceAll`.
    mutating func reduceElements(_ call: BoundCall) -> (any AggregatePlan)? {
        guard let function = self.function(call, "function") else { return nil }
        let array = call.arrayName("array") ?? ""
        return ReduceElementsPlan(array: array, variable: call.arrayName("var") ?? array, function: function)
    }
}
