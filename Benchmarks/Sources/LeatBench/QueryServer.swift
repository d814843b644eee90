import Foundation

/// A server that answers questions over one kept-alive connection: ours or VictoriaLogs.
final class QueryServer {
    let name: String
    let isOurs: Bool
    let dataFolder: String
    private let launch: () throws -> (process: MeteredProcess, port: Int)
    private(set) var process: MeteredProcess
    private var connection: HTTPConnection
    private let interval: Range<Int>

    /// A server over a data folder that is filled already.
    private init(
        name: String,
        isOurs: Bool,
        dataFolder: String,
        interval: Range<Int>,
        launch: @escaping () throws -> (process: MeteredProcess, port: Int)
    ) throws {
        self.name = name
        self.isOurs = isOurs
        self.dataFolder = dataFolder
        self.interval = interval
        self.launch = launch
        let (process, port) = try launch()
        self.process = process
        self.connection = try HTTPConnection(port: port)
    }

    /// Ours.
    static func leat(programs: String, folder: String, dataFolder: String, interval: Range<Int>) throws -> QueryServer {
        try QueryServer(name: "leat", isOurs: true, dataFolder: dataFolder, interval: interval) {
            try ServerBench.launch(programs: programs, folder: folder, dataFolder: dataFolder)
        }
    }

    /// The peer.
    static func victoriaLogs(program: String, folder: String, dataFolder: String, interval: Range<Int>) throws
        -> QueryServer
    {
        try QueryServer(name: "VictoriaLogs", isOurs: false, dataFolder: dataFolder, interval: interval) {
            try PeerServerBench.launch(program: program, folder: folder, dataFolder: dataFolder)
        }
    }

    /// Asks a question and returns the answer with its time in seconds, from sending to the last byte.
    func ask(_ question: Question, keepsBody: Bool) throws -> (body: Data, byteCount: Int, seconds: Double) {
        let (path, body) = try self.request(question)
        let headers = ["Content-Type": "application/json", "Accept": "application/x-ndjson"]
        let start = ContinuousClock.now
        let answer = try body.withUnsafeBytes {
            try self.connection.send(
                body.isEmpty ? "GET" : "POST",
                path,
                headers: headers,
                body: $0,
                keepsBody: keepsBody
            )
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        guard answer.status == 200 else {
            throw BenchFailure("\(question.id): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        return (answer.body, answer.byteCount, seconds)
    }

    private func request(_ question: Question) throws -> (path: String, body: Data) {
        guard self.isOurs else {
            var allowed = CharacterSet.alphanumerics
            allowed.insert(charactersIn: "-._~")
            let query = question.victoriaLogs.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
            return ("/select/logsql/query?query=\(query)", Data())
        }
        let interval = question.interval ?? self.interval
        let body: [String: Any] = [
            "queryString": question.ours, "start": interval.lowerBound, "end": interval.upperBound, "isLive": false,
        ]
        return ("/api/v1/repositories/default/query", try JSONSerialization.data(withJSONObject: body))
    }

    /// Stops the server, takes its files out of the page cache, and starts it again.
    func restartCold() throws {
        self.process.stop()
        try PageCache.drop(folder: self.dataFolder)
        let (process, port) = try self.launch()
        self.process = process
        self.connection = try HTTPConnection(port: port)
    }

    func stop() { self.process.stop() }
}

/// The kernel's cache of file contents.
enum PageCache {
    /// Forgets the contents of all files below a folder; needs no rights but reading them.
    static func drop(folder: String) throws {
        guard let names = FileManager.default.enumerator(atPath: folder) else {
            throw BenchFailure("cannot list \(folder)")
        }
        for case let name as String in names {
            let file = open("\(folder)/\(name)", O_RDONLY)
            guard file >= 0 else { continue }
            fdatasync(file)
            posix_fadvise(file, 0, 0, Int32(POSIX_FADV_DONTNEED))
            close(file)
        }
    }
}
