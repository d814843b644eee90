import Foundation
import LeatCore
import LeatTesting
import Testing

/// `make demo`, as a user without a terminal runs it.
@Suite(.enabled(if: Programs.areBuilt, Programs.missing)) struct DemoTests {
    @Test(.timeLimit(.minutes(5))) func theDemoFindsWhatItWrote() throws {
        try withTemporaryFolder { folder in
            let demo = try RunningProgram(
                "\(Programs.package)/config/demo/run",
                [],
                environment: ["LEAT_BIN": Programs.folder, "DEMO_ROUNDS": "40"],
                folder: folder
            )
            #expect(try demo.wait(within: .seconds(240)) == .exited(0), "\(demo.output)\(demo.errors)")
            let last = demo.output.split(separator: "\n").last ?? ""
            let counts = try #require(last.wholeMatch(of: /demo: written (\d+), stored (\d+), missing 0, doubled 0/))
            #expect(counts.output.1 == counts.output.2)
        }
    }
}
