/// `[INPUT] disk`: bytes that were read from and written to disks during the interval.
struct DiskSource: SampleSource {
    /// The kernel's unit, whatever the disk's own sectors are.
    private static let sectorByteCount: UInt64 = 512

    private struct Counts {
        var readSectors: UInt64
        var writtenSectors: UInt64
    }

    private let files: SystemFiles
    private let deviceName: String?
    private var before: [Substring: Counts] = [:]

    /// `deviceName`: only devices with this text in their name; without it disks and their parts both count.
    init(_ files: SystemFiles, deviceName: String?) {
        self.files = files
        self.deviceName = deviceName
    }

    mutating func prepare(_ now: Moment) throws(InputError) { self.before = try self.read() }

    mutating func sample(_ now: Moment, to events: inout EventList) throws(InputError) {
        let counts = try self.read()
        var read: UInt64 = 0
        var written: UInt64 = 0
        for (name, now) in counts {
            // A device that is new, or counts from 0 again, was plugged in since.
            let old = self.before[name] ?? Counts(readSectors: 0, writtenSectors: 0)
            read &+= now.readSectors &- (old.readSectors <= now.readSectors ? old.readSectors : 0)
            written &+= now.writtenSectors &- (old.writtenSectors <= now.writtenSectors ? old.writtenSectors : 0)
        }
        self.before = counts
        events.append("read_size", read &* Self.sectorByteCount)
        events.append("write_size", written &* Self.sectorByteCount)
        events.endEvent(time: now.wall)
    }

    /// The counts of `/proc/diskstats` by device.
    private func read() throws(InputError) -> [Substring: Counts] {
        var counts: [Substring: Counts] = [:]
        for words in try self.files.words("diskstats") where words.count >= 10 {
            if let deviceName, !words[2].contains(deviceName) { continue }
            guard let read = UInt64(words[5]), let written = UInt64(words[9]) else { continue }
            counts[words[2]] = Counts(readSectors: read, writtenSectors: written)
        }
        return counts
    }
}
