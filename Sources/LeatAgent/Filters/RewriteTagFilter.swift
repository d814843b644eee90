internal import LeatCore
internal import LeatParsing

/// `rewrite_tag`: sends events that match a rule through the pipeline again under another route tag.
final class RewriteTagFilter: EventFilter {
    private struct Rule {
        let path: FieldPath
        var matcher: ValueMatcher
        let tag: RecordTemplate
        /// Whether the event also goes on under its own tag.
        let keeps: Bool
    }

    private var rules: [Rule] = []
    private var kept = EventList()

    init(_ configuration: PluginConfiguration) throws(Diagnostics) {
        for entry in configuration.settings.entries("rule") {
            let words = SettingValue.words(entry.value)
            guard words.count == 4, let keeps = SettingValue.flag(words[3]) else {
                throw Diagnostics(
                    entry.valueMark.diagnostic(
                        "'\(entry.value)' is no rule",
                        hint: "field, pattern, new tag, and true or false for keeping the event"
                    )
                )
            }
            guard let tag = RecordTemplate(words[2]) else {
                throw Diagnostics(entry.valueMark.diagnostic("'\(words[2])' is no tag"))
            }
            let pattern = try FilterText.pattern(words[1], entry)
            let path = try FilterText.path(words[0], entry)
            self.rules.append(Rule(path: path, matcher: ValueMatcher(pattern), tag: tag, keeps: keeps))
        }
        if self.rules.isEmpty { throw Diagnostics(configuration.mark.diagnostic("this filter has no Rule")) }
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        var rewritten: [[UInt8]: EventList] = [:]
        var order: [[UInt8]] = []
        self.kept.removeAll()
        for index in 0..<events.count {
            events.withMembers(of: index) { members in
                guard let (newTag, keeps) = self.newTag(members, tag) else {
                    return self.kept.append(time: events.times[index], members: members)
                }
                if newTag == tag.bytes {
                    context.warnings.append("a rule gives events the tag '\(tag.text)' that they have; they stay")
                    return self.kept.append(time: events.times[index], members: members)
                }
                if rewritten[newTag] == nil { order.append(newTag) }
                rewritten[newTag, default: EventList()].append(time: events.times[index], members: members)
                if keeps { self.kept.append(time: events.times[index], members: members) }
            }
        }
        if order.isEmpty { return }
        for newTag in order {
            guard let list = rewritten[newTag] else { continue }
            context.rerouted.append((tag: String(decoding: newTag, as: UTF8.self), events: list))
        }
        swap(&events, &self.kept)
    }

    /// The tag of the first rule that matches.
    private func newTag(_ members: UnsafeRawBufferPointer, _ tag: RouteTag) -> (tag: [UInt8], keeps: Bool)? {
        for index in self.rules.indices {
            guard let found = self.rules[index].path.find(in: members) else { continue }
            let captures = self.rules[index].matcher.withMatch(members.slice(found)) { text, matcher in
                (0...min(9, matcher.pattern.groupCount)).map { number in
                    matcher.range(ofGroup: number).map { Array(text.slice($0)) } ?? []
                }
            }
            guard let captures else { continue }
            var newTag: [UInt8] = []
            self.rules[index].tag.append(to: &newTag, tag: tag.bytes, members: members, captures: captures)
            if newTag.isEmpty { continue }
            return (newTag, self.rules[index].keeps)
        }
        return nil
    }
}
