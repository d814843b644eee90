internal import LeatCore
internal import LeatStorage

/// One setting: its name in the file, from which follows its name in the environment, and what it sets.
///
/// This table is the only place that names the settings.
struct ConfigurationKey: Sendable {
    /// The name with its section, such as `query.seconds`.
    let name: String
    /// What may stand there, for messages.
    let expects: String
    /// Takes a value; answers whether it is one.
    let set: @Sendable (inout ServerConfiguration, String) -> Bool

    /// The environment variable that overrides the file: `LEAT_QUERY_SECONDS`.
    var environmentName: String {
        "LEAT_" + self.name.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }

    static let all: [ConfigurationKey] = [
        ConfigurationKey(name: "listen", expects: "HOST:PORT") { $0.setListen($1) },
        ConfigurationKey(name: "data", expects: "a folder") {
            $0.dataPath = $1; return !$1.isEmpty
        },
        Self.flag("unsafe_open", \.isUnsafelyOpen),
        ConfigurationKey(name: "log.level", expects: Self.names(of: ServerConfiguration.LogLevel.self)) {
            guard let level = ServerConfiguration.LogLevel(rawValue: $1) else { return false }
            $0.logLevel = level
            return true
        },
        ConfigurationKey(name: "log.format", expects: Self.names(of: ServerConfiguration.LogFormat.self)) {
            guard let format = ServerConfiguration.LogFormat(rawValue: $1) else { return false }
            $0.logFormat = format
            return true
        },
        Self.number("http.connections", \.connectionCountMax, 1...1_000_000),
        Self.seconds("http.idle", \.idleSeconds),
        Self.seconds("http.slow", \.slowSeconds),
        Self.text("tls.certificate", \.tls.certificatePath, expects: "the path of a PEM file"),
        Self.text("tls.key", \.tls.keyPath, expects: "the path of a PEM file"),
        Self.byteCount("ingest.body", \.limits.bodyByteCountMax),
        Self.byteCount("ingest.memory", \.ingestMemoryByteCount),
        Self.number("ingest.requests", \.ingestRequestCountMax, 4...1_000_000),
        Self.byteCount("ingest.event", \.limits.eventByteCountMax),
        Self.number("ingest.fields", \.limits.fieldCountMax, 1...60_000),
        Self.number("ingest.name", \.limits.fieldNameByteCountMax, 16...65_536),
        Self.number("ingest.depth", \.limits.depthMax, 1...1_024),
        ConfigurationKey(name: "elastic.version", expects: "a version such as 8.17.0") {
            let parts = $1.split(separator: ".", omittingEmptySubsequences: false)
            $0.elasticVersion = $1
            return parts.count == 3 && parts.allSatisfy { UInt16($0) != nil }
        },
        Self.seconds("query.time", \.querySeconds),
        Self.number("query.count", \.queryCountMax, 1...10_000),
        Self.number("query.user", \.userQueryCountMax, 1...10_000),
        ConfigurationKey(name: "query.dns", expects: "addresses of name servers, with commas between them") {
            $0.nameServers = $1.split(separator: ",").map { $0.trimming() }
            return $0.nameServers.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0.isHexDigit || ".:[]".contains($0) } }
        },
        Self.number("query.threads", \.queryThreadCount, 0...1_024),
        Self.address("syslog.tcp", \.syslog.tcp),
        Self.address("syslog.udp", \.syslog.udp),
        Self.address("syslog.tls", \.syslog.tls),
        Self.repository("syslog.repository", \.syslog.repository),
        Self.text("syslog.parser", \.syslog.parser, expects: "the name of a parser"),
        ConfigurationKey(name: "syslog.zone", expects: "a time zone such as Europe/Berlin or +01:00") {
            guard let zone = TimeZoneRules.named($1) else { return false }
            $0.syslog.zone = zone
            return true
        },
        Self.number("syslog.connections", \.syslog.connectionCountMax, 1...1_000_000),
        Self.flag("syslog.unsafe_open", \.syslog.isUnsafelyOpen),
        Self.address("forward.tcp", \.forward.tcp),
        Self.address("forward.tls", \.forward.tls),
        Self.text("forward.shared_key_file", \.forward.keyPath, expects: "the path of a file"),
        Self.repository("forward.repository", \.forward.repository),
        Self.text("forward.parser", \.forward.parser, expects: "the name of a parser"),
        Self.number("forward.connections", \.forward.connectionCountMax, 1...1_000_000),
    ]

    private static func text(
        _ name: String,
        _ path: any WritableKeyPath<ServerConfiguration, String> & Sendable,
        expects: String
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, expects: expects) {
            $0[keyPath: path] = $1
            return !$1.isEmpty
        }
    }

    private static func address(
        _ name: String,
        _ path: any WritableKeyPath<ServerConfiguration, ListenAddress?> & Sendable
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, expects: "HOST:PORT") {
            $0[keyPath: path] = ListenAddress($1)
            return $0[keyPath: path] != nil
        }
    }

    private static func repository(
        _ name: String,
        _ path: any WritableKeyPath<ServerConfiguration, String> & Sendable
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, expects: "1 to 64 letters, digits, dots, dashes or underscores") {
            $0[keyPath: path] = $1
            return Repository.isValid(name: $1)
        }
    }

    private static func names<Names: CaseIterable & RawRepresentable<String>>(of type: Names.Type) -> String {
        "one of " + type.allCases.map(\.rawValue).joined(separator: ", ")
    }

    private static func number(
        _ name: String,
        _ path: any WritableKeyPath<ServerConfiguration, Int> & Sendable,
        _ range: ClosedRange<Int>
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, expects: "a number from \(range.lowerBound) to \(range.upperBound)") {
            guard let number = Int($1), range.contains(number) else { return false }
            $0[keyPath: path] = number
            return true
        }
    }

    private static func byteCount(
        _ name: String,
        _ path: any WritableKeyPath<ServerConfiguration, Int> & Sendable
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, expects: "a size such as 64MiB") {
            guard let count = ByteCountText.parse($1), (1_024...(1 << 31)).contains(count) else { return false }
            $0[keyPath: path] = count
            return true
        }
    }

    private static func seconds(
        _ name: String,
        _ path: any WritableKeyPath<ServerConfiguration, Int> & Sendable
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, expects: "a time of at least a second, such as 30s or 5m") {
            guard let nanoseconds = DurationText.nanoseconds($1), nanoseconds >= 1_000_000_000 else { return false }
            $0[keyPath: path] = Int(nanoseconds / 1_000_000_000)
            return true
        }
    }

    private static func flag(
        _ name: String,
        _ path: any WritableKeyPath<ServerConfiguration, Bool> & Sendable
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, expects: "true or false") {
            guard let value = Bool($1) else { return false }
            $0[keyPath: path] = value
            return true
        }
    }
}
