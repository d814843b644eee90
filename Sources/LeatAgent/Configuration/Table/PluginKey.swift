/// A key that a section may have: the one place that says its name, form, default and whether it does anything.
///
/// The table feeds the check of configurations, `--dry-run`, help and `docs/configuration-agent.md`.
struct PluginKey: Hashable, Sendable {
    /// Lower case, as in Fluent Bit.
    let name: String
    let form: SettingForm
    /// The value that counts when the key is absent.
    let defaultValue: String?
    let effect: Effect
    /// What it is for, in a few words.
    let summary: String
    /// Whether each of several values counts, though the form does not say so.
    private var isRepeatable = false

    /// Whether a key changes anything here.
    enum Effect: String, Hashable, Sendable {
        /// It does what Fluent Bit's documentation says, or what design section 2.6 says.
        case acts
        /// It is accepted so that configurations run unmodified, and does nothing.
        case accepted
        /// It exists only here.
        case ours
        /// Fluent Bit has it; turned on it is an error here, since nothing would be as the user wants.
        case unsupported
    }

    /// Whether each of several values counts, not only the last one.
    var mayRepeat: Bool {
        switch self.form {
        case .list, .words, .numbered: true
        default: self.isRepeatable
        }
    }

    /// The same key, of which each of several values counts.
    var repeatable: PluginKey {
        var key = self
        key.isRepeatable = true
        return key
    }

    private init(name: String, form: SettingForm, defaultValue: String?, effect: Effect, summary: String) {
        self.name = name
        self.form = form
        self.defaultValue = defaultValue
        self.effect = effect
        self.summary = summary
    }

    /// Whether something reads it.
    var isRead: Bool { self.effect == .acts || self.effect == .ours }

    /// A key that acts.
    static func acts(_ name: String, _ form: SettingForm, _ value: String? = nil, _ summary: String) -> PluginKey {
        PluginKey(name: name, form: form, defaultValue: value, effect: .acts, summary: summary)
    }

    /// A key without effect.
    static func accepted(_ name: String, _ form: SettingForm, _ summary: String) -> PluginKey {
        PluginKey(name: name, form: form, defaultValue: nil, effect: .accepted, summary: summary)
    }

    /// A switch that must stay off; `summary` says what to do instead.
    static func unsupported(_ name: String, _ summary: String) -> PluginKey {
        PluginKey(name: name, form: .flag, defaultValue: nil, effect: .unsupported, summary: summary)
    }

    /// A key that Fluent Bit does not have.
    static func ours(_ name: String, _ form: SettingForm, _ value: String? = nil, _ summary: String) -> PluginKey {
        PluginKey(name: name, form: form, defaultValue: value, effect: .ours, summary: summary)
    }
}

/// The form of a key's value.
enum SettingForm: Hashable, Sendable {
    case text
    /// Items divided by commas.
    case list
    case flag
    /// Bytes, `false` or `off` for no limit.
    case size
    /// A span of time.
    case time
    case integer
    case number
    /// At least so many words, the last taking the rest.
    case words(Int)
    /// One of these, in any case.
    case choice([String])
    /// A number of tries, or a word for none or any.
    case retryLimit
    /// Like `text`, for every key that begins with the name.
    case numbered

    /// What a user should write.
    var expectation: String {
        switch self {
        case .text, .numbered: "a text"
        case .list: "items divided by commas"
        case .flag: "on or off"
        case .size: "a size such as 512k, 5M or 1G"
        case .time: "a time such as 5, 5s, 2m or 1h"
        case .integer: "a whole number"
        case .number: "a number"
        case .words(let count): "\(count) words"
        case .retryLimit: "a number of tries, no_retries or no_limits"
        case .choice(let choices):
            choices.count == 1
                ? choices[0] : choices.dropLast().joined(separator: ", ") + " or " + choices[choices.count - 1]
        }
    }

    /// Whether a value has this form.
    func accepts(_ value: String) -> Bool {
        switch self {
        case .text, .list, .numbered: true
        case .flag: SettingValue.flag(value) != nil
        case .size: SettingValue.byteCount(value) != nil
        case .time: SettingValue.nanoseconds(value) != nil
        case .integer: Int(value) != nil
        case .number: Double(value) != nil
        case .words(let count): SettingValue.words(value, limit: count).count >= count
        case .choice(let choices): choices.contains(value.lowercased())
        case .retryLimit: RetryLimit(value) != nil
        }
    }
}

/// A plugin that the agent has.
struct PluginDescription: Sendable {
    let kind: PluginKind
    /// Lower case.
    let name: String
    let summary: String
    /// Its own keys, then those that all plugins of its kind have.
    let keys: [PluginKey]

    init(_ kind: PluginKind, _ name: String, _ summary: String, _ keys: [PluginKey]) {
        self.kind = kind
        self.name = name
        self.summary = summary
        let own = Set(keys.map(\.name))
        self.keys = keys + CommonKeys.of(kind).filter { !own.contains($0.name) }
    }

    /// The key of this name, in any of the spellings that configurations use.
    func key(_ written: String) -> PluginKey? { PluginTable.key(written, in: self.keys) }
}

/// All plugins and sections that the agent knows.
enum PluginTable {
    static let all: [PluginDescription] = InputTable.all + FilterTable.all + OutputTable.all

    /// The plugin of a name, in any case.
    static func find(_ kind: PluginKind, _ name: String) -> PluginDescription? {
        let name = Self.aliases[name.lowercased()] ?? name.lowercased()
        return Self.all.first { $0.kind == kind && $0.name == name }
    }

    /// The names of all plugins of a kind.
    static func names(_ kind: PluginKind) -> [String] { Self.all.filter { $0.kind == kind }.map(\.name) }

    /// Other names under which a plugin is known.
    private static let aliases = ["elasticsearch": "es"]

    /// A key by its name without case; `camelCase` and `-` for `_` are understood as well, as YAML files use them.
    static func key(_ written: String, in keys: [PluginKey]) -> PluginKey? {
        let lower = written.lowercased()
        if let key = keys.first(where: { $0.form == .numbered ? lower.hasPrefix($0.name) : $0.name == lower }) {
            return key
        }
        var snake = ""
        for character in written {
            if character.isUppercase, let last = snake.last, last != "_", last != "." { snake += "_" }
            snake += character == "-" ? "_" : character.lowercased()
        }
        // Nodes of upstream_servers are seen with `tls_verify` and the like.
        return keys.first { $0.name == snake || $0.name.hasPrefix("tls.") && $0.name.dottedAsSnake == snake }
    }
}

extension String {
    /// `tls_verify` of `tls.verify`.
    fileprivate var dottedAsSnake: String { String(self.map { $0 == "." ? "_" : $0 }) }
}
