internal import LeatCore

/// Checks that an argument is what its parameter wants; what is computed later, such as parameters, passes.
struct ArgumentKindCheck {
    let signature: FunctionSignature
    let parameter: FunctionParameter

    func check(_ value: Expression, _ problems: inout [CallProblem]) {
        if case .parameter = value { return }
        self.warnIfIgnored(value, &problems)
        switch self.parameter.kind {
        case .locale:
            guard let text = value.plainText else { return problems.append(self.wrong(value)) }
            if let missing = LanguageRules(locale: text).shortcoming(of: self.signature.name) {
                let what = "'\(self.parameter.name)' of \(self.signature.name)()"
                self.warn("\(what) has no effect", missing, value, &problems)
            }
        case .field, .array, .string, .time:
            if value.plainText == nil { problems.append(self.wrong(value)) }
        case .fields, .strings, .pairs:
            self.checkTexts(value, &problems)
        case .regex:
            if value.plainText == nil { problems.append(self.wrong(value)) }
        case .number:
            self.checkNumber(value, &problems)
        case .boolean:
            guard let text = value.plainText?.lowercased(), text == "true" || text == "false" else {
                problems.append(self.wrong(value))
                return
            }
        case .duration:
            guard let text = value.plainText, text == "auto" || RelativeTime.span(text) != nil else {
                problems.append(self.wrong(value))
                return
            }
        case .choice(let words):
            self.checkChoice(value, words, &problems)
        case .choices(let words):
            for element in value.elements { self.checkChoice(element, words, &problems) }
        case .pipeline, .query:
            guard case .subquery = value else {
                problems.append(self.wrong(value))
                return
            }
        case .pipelines:
            for element in value.elements {
                guard case .subquery = element else {
                    problems.append(self.wrong(element))
                    continue
                }
            }
        case .aggregate:
            for element in value.elements { self.checkAggregate(element, &problems) }
        case .condition, .expression, .expressions: break
        }
    }

    /// Whoever writes a parameter that changes nothing is told so.
    private func warnIfIgnored(_ value: Expression, _ problems: inout [CallProblem]) {
        guard let reason = self.parameter.ignoredBecause, value.plainText?.lowercased() != self.parameter.defaultText
        else { return }
        self.warn("'\(self.parameter.name)' of \(self.signature.name)() changes nothing", reason, value, &problems)
    }

    private func warn(_ message: String, _ hint: String, _ value: Expression, _ problems: inout [CallProblem]) {
        var problem = CallProblem(message, at: value.range, hint: hint)
        problem.severity = .warning
        problems.append(problem)
    }

    private func checkNumber(_ value: Expression, _ problems: inout [CallProblem]) {
        let range = self.parameter.range
        guard let text = value.plainText else { return problems.append(self.wrong(value)) }
        if text.lowercased() == "max" && range?.isLimit == true { return }
        guard let number = NumberText.parse(text) else { return problems.append(self.wrong(value)) }
        guard let range else { return }
        if range.isWhole && number != number.rounded() {
            problems.append(self.outside(value, "wants a whole number"))
        } else if number < range.bounds.lowerBound || (number > range.bounds.upperBound && !range.isLimit) {
            problems.append(self.outside(value, "wants a number \(range.phrase)"))
        } else if number > range.bounds.upperBound {
            let most = NumberText.text(range.bounds.upperBound)
            var problem = self.outside(value, "is at most \(most)")
            problem.hint = "\(most) is used instead of \(text); write max for as many as there may be"
            problem.severity = .warning
            problems.append(problem)
        }
    }

    private func outside(_ value: Expression, _ what: String) -> CallProblem {
        CallProblem("'\(self.parameter.name)' of \(self.signature.name)() \(what)", at: value.range)
    }

    private func checkTexts(_ value: Expression, _ problems: inout [CallProblem]) {
        for element in value.elements {
            if case .parameter = element { continue }
            if self.parameter.kind == .pairs, case .array(let pair, _) = element {
                for part in pair { self.checkTexts(part, &problems) }
            } else if element.plainText == nil {
                problems.append(self.wrong(element))
            }
        }
    }

    private func checkChoice(_ value: Expression, _ words: [String], _ problems: inout [CallProblem]) {
        if case .parameter = value { return }
        guard let text = value.plainText?.lowercased() else {
            problems.append(self.wrong(value))
            return
        }
        if words.contains(where: { $0.lowercased() == text }) { return }
        // Real dashboards shorten and lengthen the order: `des`, `ascending`.
        if words.contains("asc") && (text.hasPrefix("asc") || text.hasPrefix("des")) { return }
        problems.append(
            CallProblem(
                "'\(self.parameter.name)' of \(self.signature.name)() cannot be '\(text)'",
                at: value.range,
                hint: NearestName.find(text, among: words).map { "did you mean '\($0)'?" }
                    ?? "it is one of \(words.joined(separator: ", "))"
            )
        )
    }

    private func checkAggregate(_ value: Expression, _ problems: inout [CallProblem]) {
        switch value {
        case .subquery, .savedQuery, .parameter: return
        case .array(let elements, _), .list(let elements, _):
            for element in elements { self.checkAggregate(element, &problems) }
        case .assignment(let assignment): self.checkAggregate(assignment.value, &problems)
        case .call(let call):
            guard let kind = FunctionCatalogue.find(call.name)?.kind, kind != .aggregate, kind != .sequence else {
                return
            }
            problems.append(
                CallProblem(
                    "\(call.name)() is no aggregate",
                    at: call.range,
                    hint: "'\(self.parameter.name)' wants aggregates such as count(), or { filter | count() }"
                )
            )
        default: problems.append(self.wrong(value))
        }
    }

    private func wrong(_ value: Expression) -> CallProblem {
        CallProblem(
            "'\(self.parameter.name)' of \(self.signature.name)() wants \(self.parameter.kind.phrase)",
            at: value.range,
            hint: self.hint(value)
        )
    }

    private func hint(_ value: Expression) -> String? {
        switch (value, self.parameter.kind) {
        case (.binary, .field), (.binary, .fields), (.call, .field), (.call, .fields):
            "compute it in a step before: x := …; a name with unusual characters is put in double quotes"
        case (.binary, .string), (.binary, .strings): "put the text in double quotes"
        default: nil
        }
    }
}

extension FunctionParameter.Kind {
    /// The kind in words, as after "wants".
    var phrase: String {
        switch self {
        case .field: "a field name"
        case .fields: "a field name or an array of them"
        case .array: "the name of an array"
        case .expression, .expressions: "an expression"
        case .string: "a text"
        case .locale: "a language such as da or en_US"
        case .strings: "a text or an array of them"
        case .regex: "a regular expression"
        case .number: "a number"
        case .boolean: "true or false"
        case .duration: "a length of time such as 5m"
        case .time: "a time such as 7d, now or epoch milliseconds"
        case .choice(let words), .choices(let words): "one of \(words.joined(separator: ", "))"
        case .pipeline, .query: "a subquery { … }"
        case .pipelines: "a subquery { … } or an array of them"
        case .aggregate: "an aggregate such as count(), or an array of them"
        case .condition: "a condition, or { filter }"
        case .pairs: "a field name, or pairs [[old, new], …]"
        }
    }
}
