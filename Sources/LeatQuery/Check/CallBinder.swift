public import LeatCore

/// Something that is wrong with one call.
public struct CallProblem: Error, Hashable, Sendable {
    public var message: String
    public var range: SourceRange
    public var hint: String?
    /// A warning leaves the call valid.
    public var severity = Diagnostic.Severity.error

    public init(_ message: String, at range: SourceRange, hint: String? = nil) {
        self.message = message
        self.range = range
        self.hint = hint
    }
}

/// Assigns the arguments of a call to the parameters of its function, and checks their kinds.
public struct CallBinder {
    let signature: FunctionSignature
    let call: FunctionCall
    private var values: [String: Expression] = [:]
    private var others: [Argument] = []
    private var problems: [CallProblem] = []

    private init(signature: FunctionSignature, call: FunctionCall) {
        self.signature = signature
        self.call = call
    }

    /// The call with its arguments by parameter, and everything that is wrong with them.
    public static func bind(_ call: FunctionCall) -> (bound: BoundCall?, problems: [CallProblem]) {
        guard let signature = FunctionCatalogue.find(call.name) else {
            return (nil, [CallProblem("unknown function '\(call.name)'", at: call.nameRange)])
        }
        var binder = CallBinder(signature: signature, call: call)
        binder.bindNamed()
        binder.bindUnnamed()
        // A misspelt name is reported as that, not as a missing parameter too.
        if binder.problems.isEmpty { binder.checkRequired() }
        for parameter in signature.parameters {
            if let value = binder.values[parameter.name] {
                ArgumentKindCheck(signature: signature, parameter: parameter).check(value, &binder.problems)
            }
        }
        let bound = BoundCall(signature: signature, call: call, values: binder.values, others: binder.others)
        return (bound, binder.problems)
    }

    private mutating func bindNamed() {
        for argument in self.call.arguments {
            guard let name = argument.name else { continue }
            if let parameter = self.signature.parameter(name.name) {
                if self.values[parameter.name] != nil {
                    self.report("'\(parameter.name)' is given twice", at: name.range)
                }
                self.values[parameter.name] = argument.value
            } else if self.signature.takesAnyName {
                self.others.append(argument)
            } else {
                self.reportUnknown(name)
            }
        }
    }

    private mutating func reportUnknown(_ name: FieldName) {
        let names = self.signature.parameters.map(\.name)
        var hint = NearestName.find(name.name, among: names).map { "did you mean '\($0)'?" }
        // `if(a=1, …)`: a name so short is near to any other.
        let wantsExpression = [.condition, .expression].contains(self.signature.unnamedParameter?.kind)
        if wantsExpression && (hint == nil || name.name.count < 3) {
            hint = "expressions compare with '==': \(self.signature.name)(\(name.name) == …)"
        }
        if hint == nil {
            let function = self.signature.name
            hint =
                switch (function, self.signature.unnamedParameter?.kind) {
                case (_, .expression?) where self.signature.kind == .filter:
                    "expressions compare with '==': \(function)(\(name.name) == …)"
                default:
                    names.isEmpty
                        ? "\(function)() takes no parameters"
                        : "\(function)() takes \(names.joined(separator: ", "))"
                }
        }
        self.report("unknown parameter '\(name.name)' of \(self.signature.name)()", at: name.range, hint: hint)
    }

    /// Arguments without a name: the first feeds its parameter; more lengthen its array, or else feed the parameters
    /// that follow, in their order.
    private mutating func bindUnnamed() {
        let unnamed = self.call.arguments.filter { $0.name == nil }
        guard let first = unnamed.first else { return }
        if self.signature.takesAnyName {
            self.others += unnamed
            return
        }
        guard let target = self.signature.unnamedParameter ?? self.signature.parameters.first else {
            self.report("\(self.signature.name)() takes no arguments", at: first.range)
            return
        }
        var open = self.signature.parameters.filter { self.values[$0.name] == nil }
        guard self.values[target.name] == nil else {
            // `regex("…", field=x)` with `regex=` named too: the next free parameter takes it.
            self.bindInOrder(unnamed, to: open)
            return
        }
        if unnamed.count > 1 && target.kind.takesSeveral {
            let elements = unnamed.flatMap { $0.value.elements }
            self.values[target.name] = .array(elements, first.range.joined(unnamed[unnamed.count - 1].range))
            return
        }
        self.values[target.name] = first.value
        open.removeAll { $0.name == target.name }
        self.bindInOrder(Array(unnamed.dropFirst()), to: open)
    }

    private mutating func bindInOrder(_ arguments: [Argument], to parameters: [FunctionParameter]) {
        for (index, argument) in arguments.enumerated() {
            guard index < parameters.count else {
                self.report(
                    "too many arguments without a name",
                    at: argument.range,
                    hint:
                        "\(self.signature.name)() takes \(self.signature.parameters.map(\.name).joined(separator: ", "))"
                )
                return
            }
            let parameter = parameters[index]
            // `format("…", a, b)`: all that are left are elements of the array.
            let takesRest = parameter.isRequired && [.expressions, .strings].contains(parameter.kind)
            if takesRest && index + 1 < arguments.count {
                let rest = arguments[index...]
                let range = argument.range.joined(arguments[arguments.count - 1].range)
                self.values[parameter.name] = .array(rest.flatMap { $0.value.elements }, range)
                return
            }
            self.values[parameter.name] = argument.value
        }
    }

    private mutating func checkRequired() {
        for parameter in self.signature.parameters where parameter.isRequired && self.values[parameter.name] == nil {
            self.report(
                "\(self.signature.name)() needs '\(parameter.name)'",
                at: self.call.nameRange,
                hint: "write \(self.signature.name)(\(parameter.isUnnamed ? "" : parameter.name + "=")…)"
            )
        }
    }

    private mutating func report(_ message: String, at range: SourceRange, hint: String? = nil) {
        self.problems.append(CallProblem(message, at: range, hint: hint))
    }
}

extension FunctionCall {
    /// The call with its arguments by parameter; `nil` for a function that does not exist.
    public var bound: BoundCall? { CallBinder.bind(self).bound }
}

extension FunctionParameter.Kind {
    /// Whether several arguments without a name are elements of one array.
    var takesSeveral: Bool {
        switch self {
        case .fields, .strings, .expressions, .aggregate, .pipelines, .pairs, .choices: true
        default: false
        }
    }
}
