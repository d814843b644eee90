internal import LeatParsing

/// `[INPUT] netif`: what a network interface received and sent during the interval.
struct NetworkSource: SampleSource {
    /// Names of the counts of `/proc/net/dev` in its order, and whether they are wanted without `verbose`; the last one is
    /// written as Fluent Bit writes it.
    private static let counts: [(name: String, isUsual: Bool)] = [
        ("rx.bytes", true), ("rx.packets", true), ("rx.errors", true), ("rx.drop", false), ("rx.fifo", false),
        ("rx.frame", false), ("rx.compressed", false), ("rx.multicast", false), ("tx.bytes", true),
        ("tx.packets", true), ("tx.errors", true), ("tx.drop", false), ("tx.fifo", false), ("tx.collisions", false),
        ("tx.carrier", false), ("tx.compressepd", false),
    ]

    private let files: SystemFiles
    private let interface: String
    private let isVerbose: Bool
    private let mustExist: Bool
    private var before: [UInt64]?

    /// `mustExist`: the agent does not start without the interface.
    init(_ files: SystemFiles, interface: String, isVerbose: Bool, mustExist: Bool) {
        self.files = files
        self.interface = interface
        self.isVerbose = isVerbose
        self.mustExist = mustExist
    }

    mutating func prepare(_ now: Moment) throws(InputError) {
        do throws(InputError) {
            self.before = try self.read()
        } catch {
            if self.mustExist { throw error }
        }
    }

    mutating func sample(_ now: Moment, to events: inout EventList) throws(InputError) {
        let before = self.before
        self.before = nil
        let values = try self.read()
        self.before = values
        guard let before else { return }
        for (index, count) in Self.counts.enumerated() where count.isUsual || self.isVerbose {
            // An interface that counts from 0 again is a new one.
            let old = before[index] <= values[index] ? before[index] : 0
            events.append("\(self.interface).\(count.name)", values[index] - old)
        }
        events.endEvent(time: now.wall)
    }

    private func read() throws(InputError) -> [UInt64] {
        for line in try self.files.text("net/dev").split(separator: "\n") {
            // The first count may follow the colon without a space.
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].trimmed == self.interface else { continue }
            let values = parts[1].split(separator: " ").compactMap { UInt64($0) }
            if values.count >= Self.counts.count { return values }
        }
        throw InputError(description: "\(self.files.root)/net/dev has no interface '\(self.interface)'")
    }
}
