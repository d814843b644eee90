internal import LeatParsing

/// The keys of one section, checked against the table of known keys.
///
/// Asking for a key that the table lacks is a bug here, so that the table cannot fall behind the code.
struct Settings: Sendable {
    /// The section as written, with environment variables put in.
    let section: Section
    private let keys: [String: PluginKey]

    /// Settings of a section whose entries have passed `ConfigurationBuild`.
    init(_ section: Section, keys: [PluginKey]) {
        self.section = section
        self.keys = Dictionary(keys.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether the plugin has a key of this name.
    func has(_ key: String) -> Bool { self.keys[key] != nil }

    /// Whether the key was written.
    func isSet(_ key: String) -> Bool { self.section.entry(self.known(key).name) != nil }

    /// The last value written, else the default.
    func text(_ key: String) -> String? {
        let known = self.known(key)
        return self.section.value(known.name) ?? known.defaultValue
    }

    /// All values of a repeated key, in order.
    func texts(_ key: String) -> [String] { self.section.all(self.known(key).name).map(\.value) }

    /// The entries of a repeated key, for messages about them.
    func entries(_ key: String) -> [Section.Entry] { self.section.all(self.known(key).name) }

    /// A yes or no; a key without default is no.
    func flag(_ key: String) -> Bool { self.text(key).flatMap(SettingValue.flag) ?? false }

    /// A size in bytes; `Int.max` for `false` or `off`, where that means unlimited.
    func byteCount(_ key: String) -> Int? { self.text(key).flatMap(SettingValue.byteCount) }

    /// A whole number.
    func integer(_ key: String) -> Int? { self.text(key).flatMap { Int($0) } }

    /// A number.
    func number(_ key: String) -> Double? { self.text(key).flatMap { Double($0) } }

    /// A span of time in nanoseconds.
    func nanoseconds(_ key: String) -> Int64? { self.text(key).flatMap(SettingValue.nanoseconds) }

    /// The items of a list, divided by commas, of all entries of the key.
    func list(_ key: String) -> [String] {
        let written = self.texts(key)
        let values = written.isEmpty ? [self.known(key).defaultValue].compactMap { $0 } : written
        return values.flatMap(SettingValue.list)
    }

    private func known(_ key: String) -> PluginKey {
        guard let known = self.keys[key] else {
            preconditionFailure("no key '\(key)' in the table of [\(self.section.kind)]")
        }
        return known
    }
}
