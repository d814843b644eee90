/// English names of months and days.
enum TimeNames {
    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    /// Monday first, as ISO 8601 counts.
    static let weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    /// Offsets of abbreviations that logs use, in seconds east of UTC.
    static let zoneOffsets: [String: Int] = [
        "UTC": 0, "GMT": 0, "Z": 0, "UT": 0, "EST": -18_000, "EDT": -14_400, "CST": -21_600, "CDT": -18_000,
        "MST": -25_200, "MDT": -21_600, "PST": -28_800, "PDT": -25_200, "CET": 3600, "CEST": 7200, "BST": 3600,
        "WET": 0, "WEST": 3600, "EET": 7200, "EEST": 10_800, "MSK": 10_800, "IST": 19_800, "JST": 32_400,
        "AEST": 36_000, "AEDT": 39_600, "HKT": 28_800, "SGT": 28_800, "KST": 32_400,
    ]
}
