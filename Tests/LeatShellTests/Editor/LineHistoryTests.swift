import Glibc
import LeatTesting
import Testing

@testable import LeatShell

@Suite struct LineHistoryTests {
    @Test func linesSurviveInAFileThatOnlyTheUserReads() throws {
        try withTemporaryFolder { folder in
            let path = folder.path("state/leat/history")
            var history = LineHistory(path: path)
            #expect(history.add("one \\ two\nthree") == nil)
            #expect(history.add("one \\ two\nthree") == nil)
            #expect(history.add(" not this") == nil)
            #expect(history.add("\\login secret") == nil)
            #expect(history.add("last") == nil)
            var again = LineHistory(path: path)
            try again.load()
            #expect(again.lines == ["one \\ two\nthree", "last"])
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func unwritableFileIsToldNotFatal() {
        var history = LineHistory(path: "/proc/nowhere/history")
        #expect(history.add("line") != nil)
        #expect(history.lines == ["line"])
    }
}
