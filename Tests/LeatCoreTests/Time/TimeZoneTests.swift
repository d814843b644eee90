import LeatCore
import Testing

@Suite struct TimeZoneTests {
    static let offsets: [(zone: String, moment: String, hours: Double, name: String)] = [
        ("Europe/Copenhagen", "2021-01-01T00:00:00Z", 1, "CET"),
        ("Europe/Copenhagen", "2021-03-28T00:59:59Z", 1, "CET"),
        ("Europe/Copenhagen", "2021-03-28T01:00:00Z", 2, "CEST"),
        ("Europe/Copenhagen", "2021-10-31T00:59:59Z", 2, "CEST"),
        ("Europe/Copenhagen", "2021-10-31T01:00:00Z", 1, "CET"),
        ("Europe/Copenhagen", "2100-07-01T00:00:00Z", 2, "CEST"),
        ("America/New_York", "2200-12-01T00:00:00Z", -5, "EST"),
        ("Australia/Sydney", "2100-01-01T00:00:00Z", 11, "AEDT"),
        ("Australia/Sydney", "2100-07-01T00:00:00Z", 10, "AEST"),
        ("Asia/Kolkata", "2021-01-01T00:00:00Z", 5.5, "IST"),
        ("UTC", "2021-01-01T00:00:00Z", 0, "UTC"),
        ("+02:30", "2021-01-01T00:00:00Z", 2.5, "+02:30"),
        ("-0800", "2021-01-01T00:00:00Z", -8, "-08:00"),
        ("UTC+3", "", 0, ""),
        ("Mars/Olympus", "", 0, ""),
        ("../etc/passwd", "", 0, ""),
        ("/etc/passwd", "", 0, ""),
        ("", "", 0, ""),
    ]

    @Test(arguments: offsets)
    func zonesHaveTheseOffsets(zone: String, moment: String, hours: Double, name: String) throws {
        let rules = TimeZoneRules.named(zone)
        guard !moment.isEmpty else {
            #expect(rules == nil)
            return
        }
        let offset = try #require(rules).offset(at: try #require(TimestampParser.parse(moment)))
        #expect(offset.seconds == Int(hours * 3600))
        #expect(offset.abbreviation == name)
    }

    @Test func wallTimesThatAreSkippedOrRepeated() throws {
        let zone = try #require(TimeZoneRules.named("Europe/Copenhagen"))
        let cases: [(CivilTime, String)] = [
            (CivilTime(year: 2021, month: 3, day: 28, hour: 1, minute: 59), "2021-03-28T00:59:00.000000000Z"),
            // Skipped: an hour later on the new clock.
            (CivilTime(year: 2021, month: 3, day: 28, hour: 2, minute: 30), "2021-03-28T01:30:00.000000000Z"),
            (CivilTime(year: 2021, month: 3, day: 28, hour: 3), "2021-03-28T01:00:00.000000000Z"),
            // Repeated: the first.
            (CivilTime(year: 2021, month: 10, day: 31, hour: 2, minute: 30), "2021-10-31T00:30:00.000000000Z"),
            (CivilTime(year: 2021, month: 10, day: 31, hour: 3), "2021-10-31T02:00:00.000000000Z"),
        ]
        for (civil, moment) in cases { #expect(zone.timestamp(of: civil)?.description == moment) }
    }

    @Test func everyMomentOfAZoneComesBackFromItsWall() throws {
        var random = SeededRandom(seed: 12)
        for name in [
            "Europe/Copenhagen", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca",
        ] {
            let zone = try #require(TimeZoneRules.named(name))
            for _ in 0..<500 {
                let seconds = Int64.random(in: 0..<4_000_000_000, using: &random)
                let moment = Timestamp(nanoseconds: seconds * 1_000_000_000)
                let civil = zone.civilTime(at: moment)
                let back = try #require(zone.timestamp(of: civil))
                // A repeated hour gives the first of two moments that show the same.
                #expect(zone.civilTime(at: back) == civil, "\(name) \(moment)")
                #expect(back <= moment, "\(name) \(moment)")
            }
        }
    }
}
