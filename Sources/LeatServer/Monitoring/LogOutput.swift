internal import Glibc
internal import LeatCore
internal import Logging

/// Writes the server's log to standard error, one line an entry, as text or JSON.
struct LogOutput: LogHandler {
    let label: String
    let format: ServerConfiguration.LogFormat
    /// Where entries are kept, beside standard error.
    let ownLog: OwnLog
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(label: String, _ configuration: ServerConfiguration, _ ownLog: OwnLog) {
        self.label = label
        self.ownLog = ownLog
        self.format = configuration.logFormat
        self.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = self.metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        if event.level >= .info {
            self.ownLog.add(
                .log,
                "\(event.message)",
                [("level", event.level.rawValue)] + metadata.map { ($0.key, "\($0.value)") }
            )
        }
        let time = TimestampWriter.text(SystemTime().now())
        var line: [UInt8]
        switch self.format {
        case .text:
            var text = "\(time) \(event.level.rawValue) \(event.message)"
            for (key, value) in metadata { text += " \(key)=\(Self.quoted("\(value)"))" }
            line = Array(text.utf8)
        case .json:
            var members: [JSONValue.Member] = [
                .init("@timestamp", .string(time)), .init("level", .string(event.level.rawValue)),
                .init("message", .string("\(event.message)")),
            ]
            for (key, value) in metadata { members.append(.init(key, .string("\(value)"))) }
            line = JSONValue.object(members).bytes
        }
        line = line.map { $0 == 0x0A ? 0x20 : $0 }
        line.append(0x0A)
        Self.write(line)
    }

    /// One call, so that lines of several threads do not mix; a log that cannot be written is nobody's to tell.
    private static func write(_ line: [UInt8]) {
        _ = line.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func quoted(_ value: String) -> String {
        value.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) ? JSONValue.string(value).jsonText : value
    }
}
