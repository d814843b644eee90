/// What a locale such as `tr_TR` changes in the functions that take one.
///
/// Letters have the same cases in nearly all languages; names of months and days are English in all.
struct LanguageRules: Hashable, Sendable {
    /// The language in lower case: ISO 639, what stands before the country.
    private let language: String

    init(locale: String) {
        self.language = locale.lowercased().split { $0 == "_" || $0 == "-" }.first.map(String.init) ?? ""
    }

    /// Whether `i` and `ı` are two letters, as in Turkish and Azerbaijani.
    var hasDotlessI: Bool { ["tr", "az"].contains(self.language) }

    /// What a function does not do for the language; `nil` when nothing is missing.
    func shortcoming(of function: String) -> String? {
        guard function == "formatTime" else {
            return self.language == "lt" ? "what Lithuanian does with dots above i and j is not done" : nil
        }
        // The language's own documentation writes the country alone too.
        let isEnglish = ["en", "us", "gb", "uk", ""].contains(self.language)
        return isEnglish ? nil : "the names of months and days are English in every locale"
    }
}
