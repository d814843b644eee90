import LeatCore
import LeatTesting
import Testing

@Suite struct TimestampTests {
    static let moments: [(text: String, nanoseconds: Int64?)] = [
        ("2023-11-14T22:13:20Z", 1_700_000_000_000_000_000),
        ("2023-11-14T22:13:20.5Z", 1_700_000_000_500_000_000),
        ("2023-11-14 22:13:20,123456789Z", 1_700_000_000_123_456_789),
        ("2023-11-14T22:13:20.1234567899999Z", 1_700_000_000_123_456_789),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000_000_000_000),
        ("2023-11-14T23:13:20+0100", 1_700_000_000_000_000_000),
        ("2023-11-14T20:13:20-02", 1_700_000_000_000_000_000),
        ("2023-11-14T22:13:20 UTC", 1_700_000_000_000_000_000),
        ("2023-11-14t22:13:20z", 1_700_000_000_000_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000_000_000_000),
        ("2023-11-14T22:13Z", 1_699_999_980_000_000_000),
        ("2023-11-14", 1_699_920_000_000_000_000),
        ("20231114T221320Z", 1_700_000_000_000_000_000),
        ("20231114T221320.25+0100", 1_699_996_400_250_000_000),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999Z", -1_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
        ("2262-04-11T23:47:16.854775807Z", .max),
        ("1677-09-21T00:12:43.145224192Z", .min),
        ("2262-04-11T23:47:16.854775808Z", nil),
        ("1677-09-21T00:12:43.145224191Z", nil),
        ("9999-12-31T00:00:00Z", nil),
        ("2023-02-29T00:00:00Z", nil),
        ("2023-13-01T00:00:00Z", nil),
        ("2023-00-01T00:00:00Z", nil),
        ("2023-11-14T24:00:00Z", nil),
        ("2023-11-14T22:60:00Z", nil),
        ("2023-11-14T22:13:20X", nil),
        ("2023-11-14T22:13:20+25:00", nil),
        ("2023-11-14T22:13:20+01:60", nil),
        ("2023-11-14T22:13:20.Z", nil),
        ("2023-11-14T", nil),
        ("2023-11-14T22", nil),
        ("2023/11/14", nil),
        ("1700000000", 1_700_000_000_000_000_000),
        ("1700000000.123456789", 1_700_000_000_123_456_789),
        ("1700000000123", 1_700_000_000_123_000_000),
        ("1700000000123.5", 1_700_000_000_123_500_000),
        ("1700000000123456", 1_700_000_000_123_456_000),
        ("1700000000123456789", 1_700_000_000_123_456_789),
        ("1.7e9", 1_700_000_000_000_000_000),
        ("1.700000000123E+12", 1_700_000_000_123_000_000),
        ("-1", -1_000_000_000),
        ("-1.5", -1_500_000_000),
        ("0", 0),
        ("99999999999", nil),
        ("100000000000", 100_000_000_000_000_000),
        ("9223372036854775807", .max),
        ("9223372036854775808", nil),
        ("1e30", nil),
        ("12a", nil),
        ("1.", nil),
        ("", nil),
        ("-", nil),
        ("now", nil),
    ]

    @Test(arguments: moments)
    func textsNameTheseMoments(text: String, nanoseconds: Int64?) {
        #expect(TimestampParser.parse(text)?.nanoseconds == nanoseconds)
    }

    @Test func whatIsWrittenIsRead() {
        var random = SeededRandom(seed: 4)
        for _ in 0..<5000 {
            let moment = Timestamp(nanoseconds: Int64.random(in: .min ... .max, using: &random))
            #expect(TimestampParser.parse(moment.description) == moment)
        }
    }

    @Test(arguments: [
        (TimePrecision.seconds, "2023-11-14T22:13:20Z"), (.milliseconds, "2023-11-14T22:13:20.012Z"),
        (.microseconds, "2023-11-14T22:13:20.012345Z"), (.nanoseconds, "2023-11-14T22:13:20.012345678Z"),
    ])
    func precisionCutsOff(precision: TimePrecision, text: String) {
        let moment = Timestamp(nanoseconds: 1_700_000_000_012_345_678)
        #expect(TimestampWriter.text(moment, precision: precision) == text)
    }

    @Test func everyDayOfFourCenturiesComesBack() {
        for day in -80_000...80_000 {
            let (year, month, date) = CivilTime.date(ofDay: day)
            #expect(CivilTime.day(year: year, month: month, day: date) == day)
        }
        #expect(CivilTime.date(ofDay: 0) == (1970, 1, 1))
        #expect(CivilTime.date(ofDay: 19_782) == (2024, 2, 29))
    }

    @Test func weeksAreThoseOfISO8601() {
        let days: [(CivilTime, weekday: Int, year: Int, week: Int, dayOfYear: Int)] = [
            (CivilTime(year: 2021, month: 1, day: 3), 7, 2020, 53, 3),
            (CivilTime(year: 2021, month: 1, day: 4), 1, 2021, 1, 4),
            (CivilTime(year: 2024, month: 12, day: 30), 1, 2025, 1, 365),
            (CivilTime(year: 1969, month: 12, day: 31), 3, 1970, 1, 365),
        ]
        for (day, weekday, year, week, dayOfYear) in days {
            #expect(day.weekday == weekday)
            #expect(day.isoWeek == (year, week))
            #expect(day.dayOfYear == dayOfYear)
        }
    }

    @Test func noBytesTrap() {
        var random = SeededRandom(seed: 8)
        let seeds = Self.moments.map { Array($0.text.utf8) }
        let pattern = try? TimePattern(strptime: "%d/%b/%Y:%H:%M:%S.%L %z")
        for _ in 0..<(isLongRun ? 1_000_000 : 6000) {
            var bytes = seeds.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[place] = UInt8.random(in: 0x20...0x7F, using: &random)
                } else {
                    bytes.removeSubrange(place...)
                }
            }
            bytes.withUnsafeBytes { area in
                if let moment = TimestampParser.parse(area) {
                    #expect(TimestampParser.parse(moment.description) == moment)
                }
                _ = pattern?.parse(area, now: Timestamp(nanoseconds: 0))
            }
        }
    }
}
