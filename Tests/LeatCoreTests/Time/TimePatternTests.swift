import LeatCore
import Testing

@Suite struct TimePatternTests {
    /// The moment 2023-11-14T22:13:20Z.
    static let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

    static func parse(_ pattern: TimePattern, _ text: String, zone: TimeZoneRules = .utc, now: Timestamp = now)
        -> String?
    {
        ByteSlice(text).withUnsafeBytes { pattern.parse($0, now: now, zone: zone)?.description }
    }

    static let strptime: [(pattern: String, text: String, moment: String?)] = [
        ("%d/%b/%Y:%H:%M:%S %z", "10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36.000000000Z"),
        ("%Y-%m-%dT%H:%M:%S.%L%z", "2021-03-04T05:06:07.123456789+01:00", "2021-03-04T04:06:07.123456789Z"),
        ("%Y-%m-%dT%H:%M:%S.%LZ", "2021-03-04T05:06:07.5Z", "2021-03-04T05:06:07.500000000Z"),
        ("%Y-%m-%dT%H:%M:%S,%L", "2021-03-04T05:06:07,042", "2021-03-04T05:06:07.042000000Z"),
        ("%b %d %H:%M:%S", "Nov  4 05:06:07", "2023-11-04T05:06:07.000000000Z"),
        ("%b %e %H:%M:%S", "Nov 22 05:06:07", "2023-11-22T05:06:07.000000000Z"),
        ("%b %d %H:%M:%S", "Dec 24 05:06:07", "2022-12-24T05:06:07.000000000Z"),
        ("%a %b %d %H:%M:%S.%L %Y", "Thu Jul 01 12:00:00.250 2021", "2021-07-01T12:00:00.250000000Z"),
        ("%A, %d-%b-%y %T %Z", "Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37.000000000Z"),
        ("%m/%d/%y %I:%M:%S %p", "07/04/21 12:05:06 AM", "2021-07-04T00:05:06.000000000Z"),
        ("%m/%d/%y %I:%M:%S %p", "07/04/21 12:05:06 pm", "2021-07-04T12:05:06.000000000Z"),
        ("%D %T", "07/04/21 12:05:06", "2021-07-04T12:05:06.000000000Z"),
        ("%F %R", "2021-07-04 12:05", "2021-07-04T12:05:00.000000000Z"),
        ("%s", "1700000000", "2023-11-14T22:13:20.000000000Z"),
        ("%s.%L", "1700000000.25", "2023-11-14T22:13:20.250000000Z"),
        ("%Y %j", "2024 060", "2024-02-29T00:00:00.000000000Z"),
        ("%Y %j", "2023 366", nil),
        ("%H:%M:%S", "01:02:03", "2023-11-14T01:02:03.000000000Z"),
        ("%Y-%m-%d %H:%M:%S.%3N", "2021-07-04 12:05:06.1234", nil),
        ("%Y-%m-%d %H:%M:%S.%3N", "2021-07-04 12:05:06.123", "2021-07-04T12:05:06.123000000Z"),
        ("%Y-%m-%d %H:%M:%S.%f", "2021-07-04 12:05:06.000001", "2021-07-04T12:05:06.000001000Z"),
        ("%Y-%m-%d %H:%M:%S %Z", "2021-07-04 12:05:06 EST", "2021-07-04T17:05:06.000000000Z"),
        ("%Y-%m-%d %H:%M:%S %z", "2021-07-04 12:05:06 Z", "2021-07-04T12:05:06.000000000Z"),
        ("%Y-%m-%d %H:%M:%S", "2021-07-04 12:05", nil),
        ("%Y-%m-%d", "2021-02-30", nil),
        ("%Y%%", "2021%", "2021-01-01T00:00:00.000000000Z"),
        ("%d %B %Y", "1 march 2021", "2021-03-01T00:00:00.000000000Z"),
        ("%c", "Thu Jul  1 12:00:00 2021", "2021-07-01T12:00:00.000000000Z"),
        ("[%Y]", "[2021", nil),
    ]

    @Test(arguments: strptime)
    func strptimeReads(pattern: String, text: String, moment: String?) throws {
        #expect(Self.parse(try TimePattern(strptime: pattern), text) == moment)
    }

    static let java: [(pattern: String, text: String, moment: String?)] = [
        ("yyyy-MM-dd'T'HH:mm:ss[.SSSSSSSSS]XXXXX", "2021-03-04T05:06:07Z", "2021-03-04T05:06:07.000000000Z"),
        ("yyyy-MM-dd'T'HH:mm:ss[.SSSSSSSSS]XXXXX", "2021-03-04T05:06:07.123+02:00", "2021-03-04T03:06:07.123000000Z"),
        ("dd/MMM/yyyy:HH:mm:ss Z", "10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36.000000000Z"),
        ("MMM [ ]d HH:mm:ss", "Nov  4 05:06:07", "2023-11-04T05:06:07.000000000Z"),
        ("MMM [ ]d HH:mm:ss", "Nov 14 05:06:07", "2023-11-14T05:06:07.000000000Z"),
        ("yyyy-MM-dd HH:mm:ss,SSS", "2021-03-04 05:06:07,089", "2021-03-04T05:06:07.089000000Z"),
        ("yyyyMMddHHmmss", "20210304050607", "2021-03-04T05:06:07.000000000Z"),
        ("hh:mm a, d.M.yy", "03:04 PM, 5.6.21", "2021-06-05T15:04:00.000000000Z"),
        ("EEE, d MMM yyyy HH:mm:ss z", "Thu, 1 Jul 2021 12:00:00 CET", "2021-07-01T10:00:00.000000000Z"),
        ("yyyy-MM-dd HH:mm:ss VV", "2021-07-01 12:00:00 America/New_York", "2021-07-01T16:00:00.000000000Z"),
        ("yyyy 'o''clock' HH", "2021 o'clock 07", "2021-01-01T07:00:00.000000000Z"),
        ("millis", "1690480444589", "2023-07-27T17:54:04.589000000Z"),
        ("unixtime", "1690480444.589", "2023-07-27T17:54:04.589000000Z"),
        ("unixTimeSeconds", "1690480444", "2023-07-27T17:54:04.000000000Z"),
        ("nanos", "1690480444589000001", "2023-07-27T17:54:04.589000001Z"),
        ("yyyy-MM-dd", "2021-3-4", nil),
    ]

    @Test(arguments: java)
    func javaReads(pattern: String, text: String, moment: String?) throws {
        #expect(Self.parse(try TimePattern(java: pattern), text) == moment)
    }

    @Test func theZoneOfTheTextWins() throws {
        let zone = try #require(TimeZoneRules.named("Europe/Copenhagen"))
        let pattern = try TimePattern(java: "yyyy-MM-dd HH:mm[ X]")
        #expect(Self.parse(pattern, "2021-07-01 12:00", zone: zone) == "2021-07-01T10:00:00.000000000Z")
        #expect(Self.parse(pattern, "2021-07-01 12:00 Z", zone: zone) == "2021-07-01T12:00:00.000000000Z")
        #expect(pattern.readsZone)
    }

    @Test func februaryOfALeapYearIsReadInTheYearAfter() throws {
        // On 2 January 2025, "Feb 29" was last year's; a year without that day has none.
        let pattern = try TimePattern(strptime: "%b %d %H:%M:%S")
        let now = try #require(TimestampParser.parse("2025-01-02T00:00:00Z"))
        #expect(Self.parse(pattern, "Dec 31 23:59:59", now: now) == "2024-12-31T23:59:59.000000000Z")
        #expect(Self.parse(pattern, "Feb 29 00:00:00", now: now) == "2024-02-29T00:00:00.000000000Z")
    }

    @Test(arguments: ["%", "%Y-%", "%i", "%Eq"])
    func unknownConversionsAreErrors(pattern: String) {
        #expect(throws: TimePatternError.self) { try TimePattern(strptime: pattern) }
    }

    @Test(arguments: ["yyyy[", "yyyy]", "'abc", "yyyy b"])
    func brokenJavaPatternsAreErrors(pattern: String) {
        #expect(throws: TimePatternError.self) { try TimePattern(java: pattern) }
    }

    static let formats: [(format: String, text: String)] = [
        ("%Y-%m-%dT%H:%M:%S.%L%z", "2021-07-04T15:05:06.123+0000"),
        ("%d/%b/%Y %I:%M %p", "04/Jul/2021 03:05 PM"),
        ("%A %B %e|%k|%l|%j|%u|%w|%y|%C", "Sunday July  4|15| 3|185|7|0|21|20"),
        ("%F %T %Z", "2021-07-04 15:05:06 UTC"),
        ("%s %Q %N %3N %f", "1625411106 1625411106123 123456789 123 123456"),
        ("%D %R %r %c", "07/04/21 15:05 03:05:06 PM Sun Jul  4 15:05:06 2021"),
        ("%G-W%V-%u 100%%", "2021-W26-7 100%"),
    ]

    @Test(arguments: formats)
    func formatsWrite(format: String, text: String) throws {
        let moment = try #require(TimestampParser.parse("2021-07-04T15:05:06.123456789Z"))
        #expect(try TimeFormat(format).string(moment) == text)
    }

    @Test func formatsKnowZones() throws {
        let moment = try #require(TimestampParser.parse("2021-07-04T15:05:06Z"))
        let zone = try #require(TimeZoneRules.named("America/St_Johns"))
        #expect(try TimeFormat("%H:%M %z %Z").string(moment, zone: zone) == "12:35 -0230 NDT")
        #expect(throws: TimePatternError.self) { try TimeFormat("%K") }
        #expect(throws: TimePatternError.self) { try TimeFormat("%") }
    }
}
