import Foundation
import LeatCore
import LeatTesting
import Testing

/// The parsers that come with the server, tested as a user tests parsers.
@Suite struct ParserFileTests {
    @Test(.enabled(if: Programs.areBuilt, Programs.missing))
    func everyCaseOfTheParsersHolds() throws {
        try withTemporaryFolder { folder in
            let parsers = Programs.package + "/parsers/server"
            let files = try FileManager.default.contentsOfDirectory(atPath: parsers).filter { $0.hasSuffix(".yaml") }
            #expect(files.count >= 10)
            let run = try Shell.run(["parser", "test"] + files.map { "\(parsers)/\($0)" }, folder: folder)
            #expect(run.ending == .exited(0), "\(run.output)\(run.errors)")
            #expect(run.output.contains(" passed, 0 failed"))
        }
    }

    @Test(.enabled(if: Programs.areBuilt, Programs.missing))
    func theServerReadsItsFileOfSettings() throws {
        try withTemporaryFolder { folder in
            let path = try folder.write("server.yaml", "listen: 127.0.0.1:0\nlog:\n  level: debug\n")
            let program = try RunningProgram(Programs.server, ["--config", path, "--check-config"], folder: folder)
            #expect(try program.wait() == .exited(0), "\(program.errors)")
        }
    }
}
