import LeatCore
import Testing

@testable import LeatAgent

struct SettingValueTests {
    static let sizes: [(String, Int?)] = [
        ("0", 0), ("512", 512), ("32k", 32_000), ("5M", 5_000_000), ("5MB", 5_000_000), ("1.5g", 1_500_000_000),
        ("False", .max), ("off", .max), ("", nil), ("M", nil), ("-1", nil), ("5X", nil), ("1e99", nil),
    ]

    @Test(arguments: sizes)
    func sizesHaveUnits(text: String, expected: Int?) { #expect(SettingValue.byteCount(text) == expected) }

    static let times: [(String, Int64?)] = [
        ("5", 5_000_000_000), ("5s", 5_000_000_000), ("0.2", 200_000_000), ("2m", 120_000_000_000),
        ("1h", 3_600_000_000_000), ("1d", 86_400_000_000_000), ("200ms", 200_000_000), ("-1", -1_000_000_000),
        ("", nil), ("s", nil), ("5x", nil),
    ]

    @Test(arguments: times)
    func timesHaveUnits(text: String, expected: Int64?) { #expect(SettingValue.nanoseconds(text) == expected) }

    static let words: [(String, Int, [String])] = [
        ("a b  c", .max, ["a", "b", "c"]), ("a b  c ", 2, ["a", "b  c"]), ("\"a b\" c", .max, ["a b", "c"]),
        ("k \"a b\"", 2, ["k", "a b"]), ("", 2, []), ("k \"a\" or \"b\"", 2, ["k", "\"a\" or \"b\""]),
    ]

    @Test(arguments: words)
    func wordsMayBeQuoted(text: String, limit: Int, expected: [String]) {
        #expect(SettingValue.words(text, limit: limit) == expected)
    }

    static let patterns: [(String, String, Bool)] = [
        ("a.conf", "*.conf", true), ("a.conf", "*", true), ("", "*", true), ("abc", "a?c", true),
        ("abc", "a[a-c]c", true),
        ("abc", "a[!b]c", false), ("abc", "*b", false), ("aXbXc", "a*b*c", true), ("a[c", "a[c", true),
        ("", "?", false),
    ]

    @Test(arguments: patterns)
    func pathPatternsMatchLikeAShell(name: String, pattern: String, expected: Bool) {
        #expect(PathPattern.matches(Array(name.utf8)[...], Array(pattern.utf8)[...]) == expected)
    }

    @Test
    func everyPluginHasDistinctKeys() {
        for plugin in PluginTable.all {
            #expect(Set(plugin.keys.map(\.name)).count == plugin.keys.count, "\(plugin.name)")
            for key in plugin.keys {
                if let value = key.defaultValue { #expect(key.form.accepts(value), "\(plugin.name) \(key.name)") }
            }
        }
    }
}
