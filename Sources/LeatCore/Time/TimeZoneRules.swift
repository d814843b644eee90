internal import Synchronization

/// The offsets from UTC that clocks of a place had and will have.
///
/// Named zones come from the system's database (TZif files, RFC 8536); offsets such as `+02:00` need none.
public struct TimeZoneRules: Hashable, Sendable {
    /// An offset and what it is called.
    public struct Offset: Hashable, Sendable {
        /// Seconds east of UTC.
        public let seconds: Int
        /// Such as `CEST`, or `+03`.
        public let abbreviation: String
        public let isDaylightSaving: Bool

        public init(seconds: Int, abbreviation: String, isDaylightSaving: Bool = false) {
            self.seconds = seconds
            self.abbreviation = abbreviation
            self.isDaylightSaving = isDaylightSaving
        }
    }

    /// The name under which it was asked for.
    public let name: String
    /// Moments (seconds since 1970) from which another offset applies, ascending.
    let transitions: [Int64]
    /// The offset before the first transition, then the one from each transition on.
    let offsets: [Offset]
    /// What applies after the last transition, when that goes on changing every year.
    let yearly: YearlyRule?

    init(name: String, transitions: [Int64], offsets: [Offset], yearly: YearlyRule? = nil) {
        precondition(offsets.count == transitions.count + 1, "an offset for each stretch of time")
        self.name = name
        self.transitions = transitions
        self.offsets = offsets
        self.yearly = yearly
    }

    /// UTC.
    public static let utc = TimeZoneRules(
        name: "UTC",
        transitions: [],
        offsets: [Offset(seconds: 0, abbreviation: "UTC")]
    )

    /// A fixed offset, in seconds east of UTC.
    public static func fixed(_ seconds: Int) -> TimeZoneRules {
        let magnitude = abs(seconds)
        let name = "\(seconds < 0 ? "-" : "+")\(twoDigits(magnitude / 3600)):\(twoDigits(magnitude / 60 % 60))"
        return TimeZoneRules(name: name, transitions: [], offsets: [Offset(seconds: seconds, abbreviation: name)])
    }

    /// The offset at a moment, given in seconds since 1970.
    public func offset(at seconds: Int64) -> Offset {
        if let last = self.transitions.last, seconds >= last, let yearly = self.yearly {
            return yearly.offset(at: seconds)
        }
        return self.offsets[self.transitionsUpTo(seconds)]
    }

    /// The offset at a moment.
    public func offset(at timestamp: Timestamp) -> Offset { self.offset(at: timestamp.seconds) }

    /// What clocks of the place show at a moment.
    public func civilTime(at timestamp: Timestamp) -> CivilTime {
        CivilTime(timestamp, offset: self.offset(at: timestamp).seconds)
    }

    /// The moment when clocks of the place show `civil`: the first of two when they are set back, and an hour later when
    /// they are set forward over it; `nil` outside of the range of `Timestamp`.
    public func timestamp(of civil: CivilTime) -> Timestamp? {
        Timestamp(seconds: self.seconds(of: civil), nanoseconds: Int64(civil.nanosecond))
    }

    /// The same in seconds since 1970, for any year.
    public func seconds(of civil: CivilTime) -> Int64 {
        let local = civil.secondsSince1970
        if self.transitions.isEmpty && self.yearly == nil { return local - Int64(self.offsets[0].seconds) }
        // The offset is among those that apply a day before and after.
        let before = self.offset(at: local - 86_400).seconds
        let after = self.offset(at: local + 86_400).seconds
        if self.offset(at: local - Int64(before)).seconds == before { return local - Int64(before) }
        if self.offset(at: local - Int64(after)).seconds == after { return local - Int64(after) }
        return local - Int64(before)
    }

    private func transitionsUpTo(_ seconds: Int64) -> Int {
        var low = 0
        var high = self.transitions.count
        while low < high {
            let middle = (low + high) / 2
            if self.transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension TimeZoneRules {
    private static let known = Mutex<[String: TimeZoneRules?]>([:])

    /// Distinct names that are remembered; further ones are read from the disk each time.
    private static var knownCountMax: Int { 1024 }

    /// The zone of a name such as `Europe/Copenhagen` or `EST`, or of an offset such as `+02:00`, `Z` or `UTC`; `nil` when
    /// nobody knows it.
    ///
    /// Names are looked up in the system's database once, and remembered.
    public static func named(_ name: String) -> TimeZoneRules? {
        if let fixed = self.offset(named: name) { return fixed }
        if let known = self.known.withLock({ $0[name] }) { return known }
        let read = TimeZoneFile.read(name)
        self.known.withLock { known in
            if known.count < self.knownCountMax { known[name] = .some(read) }
        }
        return read
    }

    /// The zone of a file of the system's form (TZif) at a path of its own, such as a copy in `/etc/localtime`; `nil` when
    /// there is no such file.
    public static func file(at path: String) -> TimeZoneRules? { TimeZoneFile.read(path: path, name: path) }

    private static func offset(named name: String) -> TimeZoneRules? {
        var name = name
        return name.withUTF8 { buffer in
            let bytes = UnsafeRawBufferPointer(buffer)
            var at = 0
            guard let seconds = self.readOffset(bytes, &at), at == bytes.count else { return nil }
            return seconds == 0 ? .utc : .fixed(seconds)
        }
    }

    /// Reads `Z`, `UTC`, `GMT`, `UT`, `+hh:mm[:ss]`, `+hhmm` or `+hh`, the last three also after `UTC` or `GMT`; seconds
    /// east of UTC.
    static func readOffset(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Int? {
        guard at < bytes.count else { return nil }
        if bytes[at] | 0x20 == UInt8(ascii: "z") {
            at += 1
            return 0
        }
        for word in ["UTC", "GMT", "UT"] as [StaticString] where at + word.utf8CodeUnitCount <= bytes.count {
            guard bytes.slice(at..<at + word.utf8CodeUnitCount).isEqual(to: word) else { continue }
            at += word.utf8CodeUnitCount
            let hasSign = at < bytes.count && (bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-"))
            return hasSign ? self.readSigned(bytes, &at) : 0
        }
        return self.readSigned(bytes, &at)
    }

    private static func readSigned(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Int? {
        let sign: Int
        switch bytes[at] {
        case UInt8(ascii: "+"): sign = 1
        case UInt8(ascii: "-"): sign = -1
        default: return nil
        }
        guard let hours = digits(bytes, at + 1, 2), hours <= 23 else { return nil }
        at += 3
        let colon = at < bytes.count && bytes[at] == UInt8(ascii: ":") ? 1 : 0
        guard let minutes = digits(bytes, at + colon, 2), minutes <= 59 else {
            return colon == 0 ? sign * hours * 3600 : nil
        }
        at += 2 + colon
        guard colon == 1, at < bytes.count, bytes[at] == UInt8(ascii: ":"), let seconds = digits(bytes, at + 1, 2),
            seconds <= 59
        else { return sign * (hours * 3600 + minutes * 60) }
        at += 3
        return sign * (hours * 3600 + minutes * 60 + seconds)
    }
}

func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
