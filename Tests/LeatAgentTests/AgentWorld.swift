import Glibc
import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatAgent

/// Agents in this process, each with a configuration and a state folder, on one loop that the test turns.
final class AgentWorld {
    let folder: TemporaryFolder
    let loop: EventLoop
    private(set) var agents: [Agent] = []
    private let logDescriptor: Int32

    init(_ folder: TemporaryFolder) throws {
        self.folder = folder
        self.loop = try EventLoop(time: SystemTime())
        self.logDescriptor = open(folder.path("agent.log"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
    }

    deinit { close(self.logDescriptor) }

    /// Starts an agent with the text of a configuration, classic or, when it begins with a lower-case key, YAML.
    ///
    /// `state` is a folder below the test's, or an absolute path of `disk`.
    @discardableResult
    func start(
        _ text: String,
        name: String = "agent",
        state: String? = nil,
        environment: [String: String] = [:],
        disk: any FileSystem = PosixFileSystem()
    ) throws -> Agent {
        let isYAML = text.first?.isLowercase == true
        let path = try self.folder.write("\(name).\(isYAML ? "yaml" : "conf")", text)
        let configuration = try ConfigurationReader(files: disk, environment: environment).read(path: path)
        let log = AgentLog(level: .warning, descriptor: self.logDescriptor, time: self.loop.time)
        var factory = AgentFactory(configuration: configuration, loop: self.loop, disk: disk, log: log)
        factory.environment = environment
        var check = ConfigurationCheck(configuration, disk: disk)
        guard let checked = check.run() else { throw Diagnostics(check.diagnostics) }
        let state = state ?? "state-\(name)"
        let names = BufferFileNames(folder: state.hasPrefix("/") ? state : self.folder.path(state))
        let agent = try factory.make(checked, names: names)
        try agent.start()
        self.agents.append(agent)
        return agent
    }

    /// Starts an agent that reads JSON records, route tag `t.x`, and sends them through an output.
    ///
    /// `parser` are further keys of the parser, and `output` those of the output, a line each.
    @discardableResult
    func send(
        _ records: [String],
        through output: String,
        parser: String = "",
        name: String = "agent"
    ) throws -> Agent {
        func indented(_ keys: String) -> String {
            keys.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        }
        try self.folder.write("\(name)-in/x.log", records.map { $0 + "\n" }.joined())
        return try self.start(
            """
            [SERVICE]
                Flush 0.01
            [PARSER]
                Name json
                Format json
            \(indented(parser))
            [INPUT]
                Name tail
                Tag t.x
                Path \(self.folder.path)/\(name)-in/*.log
                Read_from_Head On
                Parser json
            [OUTPUT]
                Match *
            \(indented(output))
            """,
            name: name
        )
    }

    /// What is wrong with a configuration.
    func problems(of text: String) throws -> String {
        do {
            _ = try self.start(text, name: "wrong")
            return ""
        } catch let error as Diagnostics {
            return error.description
        }
    }

    /// Turns the loop until a condition holds.
    func turn(_ what: String = "the condition", until condition: () throws -> Bool) throws {
        try eventually(what) {
            self.loop.turn(waitsAtMost: .milliseconds(5))
            return try condition()
        }
    }

    /// The lines of a file of the folder; none while it does not exist.
    func lines(_ name: String) -> [String] {
        guard let bytes = try? self.folder.read(name) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Waits for so many lines in a file.
    func lines(_ name: String, count: Int) throws -> [String] {
        try self.turn("\(count) lines in \(name)") { self.lines(name).count >= count }
        return self.lines(name)
    }
}

/// A socket of the test, which never blocks.
final class TestSocket {
    let descriptor: Int32

    /// A connection to a port of this machine.
    init(port: Int, isDatagram: Bool = false) throws {
        self.descriptor = socket(AF_INET, Int32((isDatagram ? SOCK_DGRAM : SOCK_STREAM).rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
    }

    /// A connection to a socket of the file system.
    init(path: String, isDatagram: Bool) throws {
        self.descriptor = socket(AF_UNIX, Int32((isDatagram ? SOCK_DGRAM : SOCK_STREAM).rawValue), 0)
        let address = try #require(SocketAddress(path: path))
        try #require(address.withPointer { connect(self.descriptor, $0, $1) } == 0)
    }

    deinit { Glibc.close(self.descriptor) }

    func send(_ text: String) { self.send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) { _ = Glibc.send(self.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// Says that nothing more will be sent.
    func finish() { shutdown(self.descriptor, Int32(SHUT_WR)) }

    /// What has arrived; `nil` when the other side has closed.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(self.descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count == 0 { return nil }
        return Array(buffer[..<max(0, count)])
    }
}
