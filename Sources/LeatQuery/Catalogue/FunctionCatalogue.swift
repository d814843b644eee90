/// All functions of the language, by name.
public enum FunctionCatalogue {
    /// Every function, in the order of their names.
    public static let all: [FunctionSignature] = Self.families.flatMap { $0 }.sorted { $0.name < $1.name }

    /// The function of that name or alias, in any case.
    public static func find(_ name: String) -> FunctionSignature? { Self.byName[name.lowercased()] }

    private static let byName: [String: FunctionSignature] = {
        var result: [String: FunctionSignature] = [:]
        for signature in Self.all {
            for name in [signature.name] + signature.aliases { result[name.lowercased()] = signature }
        }
        return result
    }()

    private static let families: [[FunctionSignature]] = [
        aggregateFunctions, arrayFunctions, digestFunctions, fieldFunctions, filterFunctions, formatFunctions,
        groupingFunctions, mathFunctions, networkFunctions, numberFunctions, parseFunctions, queryFunctions,
        rowsFunctions, textFunctions, timePartFunctions,
    ]
}
