internal import LeatCore
internal import LeatParsing

/// `grep`: keeps events whose field matches (`Regex`), drops those whose field matches (`Exclude`).
///
/// Without `Logical_Op` the rules are asked in order and the first that decides counts, as in Fluent Bit: a `Regex` that
/// matches keeps, one that does not drops.
final class GrepFilter: EventFilter {
    private struct Rule {
        let excludes: Bool
        let path: FieldPath
        var matcher: ValueMatcher
    }

    private enum Combination {
        case legacy, all, any
    }

    private var rules: [Rule] = []
    private var tooExpensiveCount = 0
    private let combination: Combination

    init(_ configuration: PluginConfiguration) throws(Diagnostics) {
        let settings = configuration.settings
        switch settings.text("logical_op")?.lowercased() {
        case "and": self.combination = .all
        case "or": self.combination = .any
        default: self.combination = .legacy
        }
        for entry in settings.section.entries {
            switch entry.key {
            case "regex": self.rules.append(try Self.rule(entry, excludes: false))
            case "exclude": self.rules.append(try Self.rule(entry, excludes: true))
            default: break
            }
        }
        if self.combination != .legacy, Set(self.rules.map(\.excludes)).count > 1 {
            throw Diagnostics(
                configuration.mark.diagnostic(
                    "with Logical_Op this filter has both Regex and Exclude",
                    hint: "use one kind"
                )
            )
        }
    }

    private static func rule(_ entry: Section.Entry, excludes: Bool) throws(Diagnostics) -> Rule {
        let words = SettingValue.words(entry.value, limit: 2)
        guard words.count == 2, let path = FieldPath(words[0]) else {
            throw Diagnostics(entry.valueMark.diagnostic("'\(entry.value)' is no field and pattern"))
        }
        do throws(PatternError) {
            return Rule(excludes: excludes, path: path, matcher: ValueMatcher(try PatternText.compile(words[1])))
        } catch {
            throw Diagnostics(entry.valueMark.diagnostic("the pattern '\(words[1])' is not valid: \(error)"))
        }
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        events.filter { _, members in self.keeps(members) }
        let count = self.rules.reduce(0) { $0 + $1.matcher.tooExpensiveCount }
        if count > self.tooExpensiveCount {
            context.warnings.append("a pattern takes too many steps for some values; they count as no match")
            self.tooExpensiveCount = count
        }
    }

    private func keeps(_ members: UnsafeRawBufferPointer) -> Bool {
        for index in self.rules.indices {
            let matches = self.matches(index, members)
            let excludes = self.rules[index].excludes
            switch self.combination {
            case .legacy:
                if matches { return !excludes }
                if !excludes { return false }
            case .any:
                if matches { return !excludes }
            case .all:
                if !matches { return excludes }
            }
        }
        switch self.combination {
        case .legacy: return true
        case .any: return self.rules.first?.excludes ?? true
        case .all: return self.rules.first.map { !$0.excludes } ?? true
        }
    }

    private func matches(_ index: Int, _ members: UnsafeRawBufferPointer) -> Bool {
        guard let range = self.rules[index].path.find(in: members) else { return false }
        return self.rules[index].matcher.matches(members.slice(range))
    }
}
