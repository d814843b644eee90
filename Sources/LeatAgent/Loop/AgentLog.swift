internal import Glibc
internal import LeatCore

/// The agent's own log lines: one line each, to standard error or a file.
///
///     [2026/11/20 09:08:07] [ warn] [tail.0] /var/log/app.log: permission denied
final class AgentLog {
    /// How much a line matters.
    enum Level: Int, Comparable {
        case error, warning, info, debug, trace

        static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        fileprivate var label: String {
            switch self {
            case .error: "error"
            case .warning: " warn"
            case .info: " info"
            case .debug: "debug"
            case .trace: "trace"
            }
        }
    }

    /// The most different texts that `once` remembers.
    private static let rememberedCountMax = 1_000

    /// The last level that is written; `nil` writes nothing.
    let level: Level?

    private let descriptor: Int32
    private let time: any TimeSource
    private let name: String?
    private let shared: Shared

    /// State of a log and all logs made from it with a name.
    private final class Shared {
        var written: Set<String> = []
    }

    init(level: Level?, descriptor: Int32, time: any TimeSource) {
        self.level = level
        self.descriptor = descriptor
        self.time = time
        self.name = nil
        self.shared = Shared()
    }

    private init(_ parent: AgentLog, name: String, level: Level?) {
        self.level = level
        self.descriptor = parent.descriptor
        self.time = parent.time
        self.name = name
        self.shared = parent.shared
    }

    /// The same log for a part of the agent.
    func named(_ name: String, level: Level? = nil) -> AgentLog {
        AgentLog(self, name: name, level: level ?? self.level)
    }

    /// Writes a line.
    func write(_ level: Level, _ text: @autoclosure () -> String) {
        guard let most = self.level, level <= most else { return }
        let date = CivilTime(self.time.now())
        let day = "\(date.year)/\(Self.twoDigits(date.month))/\(Self.twoDigits(date.day))"
        let clock = [date.hour, date.minute, date.second].map(Self.twoDigits).joined(separator: ":")
        let place = self.name.map { "[\($0)] " } ?? ""
        let line = Array("[\(day) \(clock)] [\(level.label)] \(place)\(text())\n".utf8)
        // Nobody could be told that the log itself cannot be written.
        _ = Glibc.write(self.descriptor, line, line.count)
    }

    /// Writes a line unless it was written before; for what repeats with every try.
    func once(_ text: String, _ level: Level) {
        guard self.shared.written.insert(text).inserted else { return }
        if self.shared.written.count > Self.rememberedCountMax { self.shared.written.removeAll() }
        self.write(level, text)
    }

    private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

extension AgentLog {
    /// The level of a configuration's word; `nil` for none.
    static func level(_ text: String?) -> Level? {
        switch text?.lowercased() {
        case "error": .error
        case "warn", "warning": .warning
        case "info": .info
        case "debug": .debug
        case "trace": .trace
        default: nil
        }
    }
}
