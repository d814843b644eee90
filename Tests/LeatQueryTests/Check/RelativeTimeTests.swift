import LeatCore
import Testing

@testable import LeatQuery

struct RelativeTimeTests {
    /// 2024-05-15T10:37:12.345Z, a Wednesday; in Copenhagen it is 12:37.
    private static let now = Timestamp(milliseconds: 1_715_769_432_345)
    private static let zone = TimeZoneRules.named("Europe/Copenhagen") ?? .utc

    static let moments: [(text: String, zone: Bool, expected: String)] = [
        ("now", false, "2024-05-15T10:37:12.345"), ("5m", false, "2024-05-15T10:32:12.345"),
        ("1 hour", false, "2024-05-15T09:37:12.345"), ("1mon", false, "2024-04-15T10:37:12.345"),
        ("calendar:1month", false, "2024-04-15T10:37:12.345"), ("calendar:2months", true, "2024-03-15T11:37:12.345"),
        ("calendar:3months", false, "2024-02-15T10:37:12.345"), ("calendar:1y", false, "2023-05-15T10:37:12.345"),
        ("now@d", false, "2024-05-15T00:00:00.000"), ("now@d", true, "2024-05-14T22:00:00.000"),
        ("1d@d+12h", false, "2024-05-14T12:00:00.000"), ("now@w", false, "2024-05-13T00:00:00.000"),
        ("now@month", true, "2024-04-30T22:00:00.000"), ("now@q", false, "2024-04-01T00:00:00.000"),
        ("now@y", true, "2023-12-31T23:00:00.000"), ("6h@h+30min", false, "2024-05-15T04:30:00.000"),
        ("1715769432345", false, "2024-05-15T10:37:12.345"),
    ]

    @Test(arguments: moments)
    func textNamesAMoment(text: String, zone: Bool, expected: String) throws {
        let moment = try #require(RelativeTime.moment(text, now: Self.now, zone: zone ? Self.zone : .utc))
        let template = try #require(TimeTemplate("%FT%T.%L"))
        #expect(template.text(Moment(moment), zone: .utc) == expected)
    }

    @Test(arguments: ["", "x", "5 parsecs", "1d@", "1d@x", "now@d+", "5m5", "-1d"])
    func otherTextsAreNone(text: String) {
        #expect(text.isEmpty || RelativeTime.moment(text, now: Self.now) == nil)
    }

    /// The last day of a month that the other lacks is its last.
    @Test func aMonthBeforeTheEndOfMarchIsTheEndOfFebruary() throws {
        let march = Timestamp(milliseconds: 1_711_843_200_000)
        let moment = try #require(RelativeTime.moment("calendar:1month", now: march))
        #expect(moment.milliseconds == 1_709_164_800_000)
    }
}
