import LeatCore
import LeatTesting
import Testing

@testable import LeatParsing

/// The zone of `Time_System_Timezone On`.
struct SystemTimeZoneTests {
    static let found: [(variable: String?, seconds: Int)] = [
        ("America/New_York", -18_000), (":America/New_York", -18_000), ("", 0), (":", 0),
        (":/usr/share/zoneinfo/Europe/Copenhagen", 3600), ("UTC", 0),
    ]

    @Test(arguments: found)
    func theVariableNamesAZone(variable: String?, seconds: Int) throws {
        guard case .rules(let zone) = SystemTimeZone.find(variable: variable) else {
            Issue.record("no zone for \(variable ?? "none")")
            return
        }
        // A winter's day of 2024.
        #expect(zone.offset(at: 1_705_000_000).seconds == seconds)
    }

    @Test
    func withoutTheVariableTheLinkCounts() throws {
        guard case .rules(let zone) = SystemTimeZone.find(variable: nil, link: "/no/such/file") else {
            Issue.record("no zone")
            return
        }
        #expect(zone == .utc)
    }

    @Test
    func aCopyOfAZonesFileCountsAsWell() throws {
        let folder = try TemporaryFolder()
        let bytes = try PosixFileSystem().contents("/usr/share/zoneinfo/America/New_York").array
        let copy = try folder.write("localtime", bytes)
        guard case .rules(let zone) = SystemTimeZone.find(variable: nil, link: copy) else {
            Issue.record("no zone of a copy")
            return
        }
        #expect(zone.offset(at: 1_705_000_000).seconds == -18_000)
    }

    @Test(arguments: ["Mars/Olympus", ":/etc/passwd"])
    func anUnknownZoneIsSaid(variable: String) {
        guard case .unknown(let text) = SystemTimeZone.find(variable: variable) else {
            Issue.record("a zone of \(variable)")
            return
        }
        #expect(variable.hasSuffix(text))
    }
}
