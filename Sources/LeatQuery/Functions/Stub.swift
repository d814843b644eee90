extension RowFunctions {
    static let arrayMakers: [String: Maker] = [:]
    static let parseMakers: [String: Maker] = [:]
    static let structureMakers: [String: Maker] = [:]
    static let digestMakers: [String: Maker] = [:]
    static let networkMakers: [String: Maker] = [:]
    static let filterMakers: [String: Maker] = [:]
    static let fieldMakers: [String: Maker] = [:]
}
