import Foundation

/// Something wrong with the command line.
struct UsageError: Error, CustomStringConvertible {
    let description: String
}

/// A step that did not go as it must for its figures to mean anything.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// What to run, and on how much data.
struct BenchOptions {
    static let usage = """
        leat-bench: whole-process figures of leat-server, leat-agent and leat, beside peers on the PATH

          Benchmarks/run                          everything; 5 M events, 1 M of them for agent and shell
          Benchmarks/run --events 1000000         less
          Benchmarks/run --only ingest,query      some parts: ingest, query, agent, shell, load (ingest with 1, 2, 4 connections
                                                  and gzip), growth (each further GiB, up to the largest of --gib),
                                                  segments (10,000 of them), sizes (bytes on disk of 300,000
                                                  events of each kind of data, also compressed with zstd)
          Benchmarks/run --smoke                  a few seconds, checks answers, no figures worth quoting

          --data vlgen|loggen|corpus
                                which events for ingest and query (default vlgen); corpus: the lines of real logs
          --seed N              of vlgen (default 42)
          --connections N       bulk connections (default 2)
          --gib 1,5,20          sizes at which growth asks questions (default 1,5,20); nothing but the server's data is kept on disk
          --questions q01,q14   some of the 27 questions
          --no-cold             do not restart servers for figures with cold caches
          --no-peers            only leat
          --no-clickhouse       leave out chdb, which is installed from PyPI into an environment of its own otherwise
          --json FILE           also write the figures there (default Benchmarks/results/<time>.json)
          --keep FOLDER         keep generated data there and use it again; with --only query also what the servers hold
        """

    var events = 5_000_000
    /// The agent's figures need no more.
    var agentEvents: Int { min(self.events, 1_000_000) }
    var parts: Set<String> = ["ingest", "query", "agent", "shell"]
    var data = "vlgen"
    var seed = 42
    var connections = 2
    var gibibytes = [1, 5, 20]
    /// Beginnings of questions' ids; empty: all.
    var questions: [String] = []
    var asksCold = true
    var asksPeers = true
    var asksClickHouse = true
    var isSmoke = false
    var jsonPath: String?
    var keepFolder: String?

    init(arguments: [String]) throws {
        var rest = arguments[...]
        func value(_ flag: String) throws -> String {
            guard let value = rest.popFirst() else { throw UsageError(description: "\(flag) needs a value") }
            return value
        }
        while let flag = rest.popFirst() {
            switch flag {
            case "--smoke":
                self.isSmoke = true
                self.events = 20_000
            case "--events": self.events = try Self.number(try value(flag), flag)
            case "--seed": self.seed = try Self.number(try value(flag), flag)
            case "--questions": self.questions = try value(flag).split(separator: ",").map(String.init)
            case "--no-cold": self.asksCold = false
            case "--no-peers": self.asksPeers = false
            case "--no-clickhouse": self.asksClickHouse = false
            case "--connections": self.connections = try Self.number(try value(flag), flag)
            case "--gib":
                self.gibibytes = try value(flag).split(separator: ",").map { try Self.number(String($0), flag) }
            case "--only": self.parts = Set(try value(flag).split(separator: ",").map(String.init))
            case "--data": self.data = try value(flag)
            case "--json": self.jsonPath = try value(flag)
            case "--keep": self.keepFolder = try value(flag)
            case "--help", "-h":
                print(Self.usage)
                exit(0)
            default: throw UsageError(description: "unknown option '\(flag)'; --help lists them")
            }
        }
        let known = ["ingest", "query", "agent", "shell", "load", "growth", "segments", "sizes"]
        if let part = self.parts.subtracting(known).first {
            throw UsageError(description: "unknown part '\(part)' (\(known.joined(separator: ", ")))")
        }
        guard DataSet.kinds.contains(self.data) else {
            throw UsageError(description: "unknown data '\(self.data)' (\(DataSet.kinds.joined(separator: ", ")))")
        }
    }

    /// The same with no more events than that.
    func limited(to events: Int) -> BenchOptions {
        var options = self
        options.events = min(self.events, events)
        return options
    }

    private static func number(_ text: String, _ flag: String) throws -> Int {
        guard let number = Int(text), number > 0 else {
            throw UsageError(description: "\(flag) needs a positive number, not '\(text)'")
        }
        return number
    }
}
