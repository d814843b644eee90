internal import LeatCore

/// `unit:convert`: a number of one unit as a number of another.
///
/// The unit that is converted from stands behind the number in the field (`514 ms`), or in `from`; without `to` the result
/// is in the plain unit (`0.514`).
struct UnitConversion: Sendable {
    private let source: MeasureUnit?
    private let target: MeasureUnit?
    private let targetText: String?
    /// What a value must end with, if that was said.
    private let ending: String?
    private let isBinary: Bool
    private let keepsUnit: Bool

    static func make(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        let conversion = try UnitConversion(call)
        return .function(
            ValueFunction([call.field("field")], as: call.outputName) { inputs in
                inputs.text(0).flatMap { conversion.text(of: $0) }.map { Array($0.utf8) }
            }
        )
    }

    private init(_ call: BoundCall) throws(CallProblem) {
        self.isBinary = call.isTrue("binary")
        self.keepsUnit = call.isTrue("keepUnit")
        self.ending = call.text("unit")
        self.targetText = call.text("to")
        self.source = call.text("from").map { [isBinary] in MeasureUnit($0, isBinary: isBinary) }
        self.target = call.text("to").map { [isBinary] in MeasureUnit($0, isBinary: isBinary) }
        if let source = self.source, let target = self.target, Self.differ(source, target) {
            throw call.problem("cannot convert '\(call.text("from") ?? "")' to '\(call.text("to") ?? "")'", of: "to")
        }
    }

    /// Whether two units measure different things; a mere prefix measures anything.
    private static func differ(_ left: MeasureUnit, _ right: MeasureUnit) -> Bool {
        left.name != right.name && !left.name.isEmpty && !right.name.isEmpty
    }

    /// The converted number; `nil` when the text is no number with a unit that fits.
    private func text(of value: String) -> String? {
        let digits = value.prefix { $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }
        // An `e` or `E` may also begin the unit.
        var number = Substring(digits)
        while !number.isEmpty, NumberText.parse(String(number)) == nil { number.removeLast() }
        guard let parsed = NumberText.parse(String(number)) else { return nil }
        let rest = String(value.dropFirst(number.count).drop { $0 == " " })
        guard let source = self.unit(behind: rest), !(self.target.map { Self.differ(source, $0) } ?? false) else {
            return nil
        }
        let result = NumberText.text(parsed * source.factor / (self.target?.factor ?? 1))
        let unit = self.targetText ?? source.name
        return self.keepsUnit && !unit.isEmpty ? "\(result) \(unit)" : result
    }

    private func unit(behind text: String) -> MeasureUnit? {
        if let ending = self.ending, !text.isEmpty {
            guard text.hasSuffix(ending) else { return nil }
            let prefix = String(text.dropLast(ending.count))
            let factor = prefix.isEmpty ? 1 : MeasureUnit.prefix(of: prefix, isBinary: self.isBinary)?.factor
            return factor.map { MeasureUnit(factor: $0, name: ending) }
        }
        if text.isEmpty { return self.source ?? MeasureUnit(factor: 1, name: self.ending ?? "") }
        return MeasureUnit(text, isBinary: self.isBinary)
    }
}
