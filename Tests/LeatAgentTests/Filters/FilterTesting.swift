import LeatCore
import LeatParsing
import Testing

@testable import LeatAgent

/// Runs one filter, configured as a user would, over records written as JSON objects.
struct FilterRun {
    var filter: any EventFilter
    let configuration: PluginConfiguration
    var time = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
    var rerouted: [(tag: String, record: String)] = []
    var warnings: [String] = []

    /// A filter with the lines of a `[FILTER]` section.
    init(
        _ lines: String,
        parsers: String = "",
        files: any FileSystem = PosixFileSystem(),
        directory: (any PodDirectory)? = nil
    ) throws {
        let text =
            parsers + "[FILTER]\n" + lines.split(separator: "\n").map { "    \($0)\n" }.joined() + "    Match *\n"
        let format = ClassicFormat(text: text, source: "test")
        var build = ConfigurationBuild(environment: EnvironmentText([:]))
        build.add(format.items.compactMap { if case .section(let section) = $0 { section } else { nil } })
        var diagnostics = format.diagnostics + build.diagnostics
        let configuration = try #require(build.configuration.filters.first, "\(diagnostics)")
        let environment = FilterEnvironment(
            files: files,
            parsers: ParserRegistry(build.configuration),
            directory: directory
        )
        guard diagnostics.isEmpty,
            let filter = FilterFactory.make(configuration, environment, diagnostics: &diagnostics)
        else { throw Diagnostics(diagnostics) }
        self.filter = filter
        self.configuration = configuration
    }

    /// The records after the filter, as members without braces.
    mutating func apply(_ records: [String], tag: String = "test.tag") -> [String] {
        var events = EventList()
        for record in records {
            events.bytes += record.utf8.dropFirst().dropLast()
            events.endEvent(time: self.time.nanoseconds)
        }
        var context = FilterContext(now: self.time, monotonicNanoseconds: UInt64(self.time.nanoseconds))
        self.filter.apply(to: &events, tag: RouteTag(tag), context: &context)
        self.take(context)
        return Self.records(events)
    }

    /// The records that the filter gives back.
    mutating func release(all: Bool) -> [String] {
        var context = FilterContext(now: self.time, monotonicNanoseconds: UInt64(self.time.nanoseconds))
        self.filter.release(all: all, context: &context)
        self.take(context)
        return context.released.flatMap { Self.records($0.events) }
    }

    /// Gives the filter events that it held before a restart, of the usual tag; the records that it does not hold any more.
    mutating func restore(_ events: [HeldEvent], tag: String = "test.tag", stream: [UInt8] = []) -> [String] {
        var context = FilterContext(now: self.time, monotonicNanoseconds: UInt64(self.time.nanoseconds))
        let key = HeldKey(filter: "multiline.0", tag: tag, stream: stream)
        self.filter.restore(events, of: key, tag: RouteTag(tag), context: &context)
        self.take(context)
        return context.released.flatMap { Self.records($0.events) }
    }

    private mutating func take(_ context: FilterContext) {
        self.warnings += context.warnings
        for (tag, events) in context.rerouted {
            self.rerouted += Self.records(events).map { (tag, $0) }
        }
    }

    static func records(_ events: EventList) -> [String] {
        (0..<events.count).map { index in
            events.withMembers(of: index) { "{\(String(decoding: $0, as: UTF8.self))}" }
        }
    }
}
