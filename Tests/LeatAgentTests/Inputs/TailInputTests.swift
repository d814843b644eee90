import Glibc
import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatAgent

/// What `tail` makes of real files, whatever is done to them.
@Suite struct TailInputTests {
    /// Runs `body` with a started `tail` over `*.log`.
    private func withTail(
        _ change: (inout TailOptions) -> Void = { _ in },
        _ body: (TailWorld) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start(change)
            defer { world.stop() }
            try body(world)
        }
    }

    @Test func aRenamedFileIsReadToItsEndBeforeItsSuccessor() throws {
        try self.withTail { world in
            try world.append("1\n", to: "a.log")
            world.pass()
            try world.rename("a.log", to: "a.old")
            try world.append("3\n", to: "a.log")
            try world.append("2\n", to: "a.old")
            world.pass(.seconds(3))
            try world.append("late\n", to: "a.old")
            world.pass(.seconds(3))
            #expect(world.texts == ["1", "2", "3", "late"])
        }
    }

    @Test func aCarriageReturnBeforeTheNewlineIsNoText() throws {
        try self.withTail({ $0.skipsEmptyLines = true }) { world in
            try world.append("one\r\n\r\ntwo\r\nthree\n", to: "a.log")
            world.pass()
            #expect(world.texts == ["one", "two", "three"])
        }
    }

    @Test func theEndOfAllFilesEndsUnfinishedEvents() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.append("Error: x\n\tat y\n", to: "a.log")
            try world.append("Error: z\n\tat v", to: "b.log")
            try world.start { options in
                options.exitsAtEnd = true
                options.form.multiline = BuiltInMultiline.rules("java").map { MultilineMachine($0) }
            }
            defer { world.stop() }
            // Sooner than the timeout of unfinished events.
            world.pass(.milliseconds(50))
            #expect(Set(world.texts) == ["Error: x\\n\\tat y", "Error: z\\n\\tat v"])
        }
    }

    @Test func dockersOtherMembersStay() throws {
        try self.withTail({ $0.form.readsDocker = true }) { world in
            let rest = #""stream":"stdout","attrs":{"tag": "t"},"time":"2024-02-29T12:00:00Z"}"#
            try world.append(#"{"log":"one\n","# + rest + "\n" + #"{"log":"tw","# + rest + "\n", to: "a.log")
            try world.append(#"{"log":"o\n","# + rest + "\n", to: "a.log")
            world.pass()
            #expect(world.texts == ["one", "two"])
            #expect(world.records.count == 2 && world.records.allSatisfy { $0.hasSuffix(#","attrs":{"tag":"t"}"#) })
        }
    }

    @Test func aCopiedAndTruncatedFileGoesOnAtItsBeginning() throws {
        try self.withTail { world in
            try world.append("one\ntwo\n", to: "a.log")
            world.pass()
            try world.truncate("a.log")
            try world.append("three\n", to: "a.log")
            world.pass()
            // As long as before, so that only the contents tell.
            try world.truncate("a.log")
            try world.append("fours\n", to: "a.log")
            world.pass()
            #expect(world.texts == ["one", "two", "three", "fours"])
        }
    }

    @Test func aHoleThatATruncationLeftIsNoLine() throws {
        try self.withTail { world in
            try world.append("one\n", to: "a.log")
            world.pass()
            // The writer goes on where it was.
            try world.truncate("a.log")
            let file = try PosixFileSystem().open(world.folder.path("a.log"), .readWrite)
            defer { file.close() }
            try file.write([ByteSlice(Array("two\n".utf8))], at: 600_000)
            world.pass()
            try world.append("\0three\n", to: "a.log")
            world.pass()
            #expect(world.texts == ["one", "two", "\\u0000three"])
        }
    }

    @Test func aFolderThatVanishesAndComesBackIsFollowedAgain() throws {
        try self.withTail({ $0.paths = [$0.paths[0].replacingLastComponent("sub/*.log")] }) { world in
            try world.append("1\n", to: "sub/a.log")
            world.pass()
            try world.remove("sub/a.log")
            try world.remove("sub")
            world.pass(.seconds(1))
            try world.append("2\n", to: "sub/a.log")
            world.pass()
            #expect(world.texts == ["1", "2"])
        }
    }

    @Test func aLinkThatLeadsElsewhereIsFollowedThere() throws {
        try self.withTail { world in
            try world.append("1\n", to: "first.txt")
            try world.append("2\n", to: "second.txt")
            symlink(world.folder.path("first.txt"), world.folder.path("a.log"))
            world.pass()
            try world.remove("a.log")
            symlink(world.folder.path("second.txt"), world.folder.path("a.log"))
            world.pass(.seconds(1))
            #expect(world.texts == ["1", "2"])
        }
    }

    @Test func aLinkThatWasMovedBeforeAnybodyLookedLosesNothing() throws {
        try self.withTail { world in
            for number in 0...2 {
                try world.append("\(number)\n", to: "pods/\(number).log")
                if number > 0 { try world.remove("c.log") }
                try #require(symlink("pods/\(number).log", world.folder.path("c.log")) == 0)
            }
            world.pass(.seconds(1))
            #expect(world.texts == ["0", "1", "2"])
        }
    }

    @Test func onlyRegularFilesAreRead() throws {
        try self.withTail { world in
            mkfifo(world.folder.path("pipe.log"), 0o600)
            symlink("/dev/zero", world.folder.path("device.log"))
            symlink(world.folder.path("nowhere"), world.folder.path("dangling.log"))
            try world.append("1\n", to: "a.log")
            world.pass(.seconds(2))
            #expect(world.texts == ["1"])
            #expect(world.input?.openFileCount == 1)
        }
    }

    @Test func aFileWithoutNotificationsIsPolled() throws {
        try self.withTail({ $0.polls = true }) { world in
            try world.append("1\n", to: "a.log")
            world.pass(.seconds(2))
            try world.append("2\n", to: "a.log")
            world.pass(.seconds(2))
            #expect(world.texts == ["1", "2"])
        }
    }

    @Test func namesAreLeftOut() throws {
        try self.withTail({ $0.excluded = ["*secret*"] }) { world in
            try world.append("1\n", to: "a.log")
            try world.append("2\n", to: "secret.log")
            world.pass()
            #expect(world.texts == ["1"])
        }
    }

    @Test func pathAndOffsetAreAppended() throws {
        try self.withTail({
            $0.pathKey = "file"
            $0.form.offsetKey = "at"
        }) { world in
            try world.append("one\ntwo\n", to: "a.log")
            world.pass()
            let path = world.folder.path("a.log")
            #expect(
                world.records == [
                    #""log":"one","at":0,"file":"\#(path)""#, #""log":"two","at":4,"file":"\#(path)""#,
                ]
            )
        }
    }

    @Test func tagsAreMadeOfPathsAndTheirGroups() throws {
        let pattern = try Pattern("(?<name>[a-z]+)-(?<number>[0-9]+)\\.log$", options: PatternOptions(flavour: .ruby))
        try self.withTail({
            $0.tag = "app.<name>.<number>"
            $0.tagTemplate = TagTemplate(tag: $0.tag, pattern: pattern)
        }) { world in
            try world.append("1\n", to: "web-7.log")
            world.pass()
            #expect(world.tags == ["app.web.7"])
        }
    }

    @Test func linesThatAreTooLongAreCutOrSkipped() throws {
        for skips in [false, true] {
            try self.withTail({
                $0.form.lineByteCountMax = 100
                $0.skipsLongLines = skips
            }) { world in
                try world.append(String(repeating: "x", count: 1_000) + "\nshort\n", to: "a.log")
                world.pass()
                let cut = "\"log\":\"" + String(repeating: "x", count: 100) + "\",\"_truncated\":true"
                #expect(world.records == (skips ? [] : [cut]) + ["\"log\":\"short\""])
                #expect(world.counters.longLinesCut == (skips ? 0 : 1))
                #expect(world.counters.longLinesSkipped == (skips ? 1 : 0))
            }
        }
    }

    @Test func aLineOfAMebibyteIsWhole() throws {
        try self.withTail { world in
            let line = String(repeating: "y", count: 1 << 20)
            try world.append(line + "\nnext\n", to: "a.log")
            world.pass()
            #expect(world.texts == [line, "next"])
        }
    }

    @Test func filesThatAreTooOldAreLeftOut() throws {
        try self.withTail({ $0.ignoredAgeNanoseconds = 3_600 * 1_000_000_000 }) { world in
            try world.append("1\n", to: "b.txt")
            var times = [timeval(tv_sec: 1_000, tv_usec: 0), timeval(tv_sec: 1_000, tv_usec: 0)]
            utimes(world.folder.path("b.txt"), &times)
            try world.rename("b.txt", to: "old.log")
            try world.append("2\n", to: "new.log")
            world.pass()
            #expect(world.texts == ["2"])
        }
    }

    @Test func aFileThatWasTooOldIsFollowedOnceItIsWritten() throws {
        try self.withTail({ $0.ignoredAgeNanoseconds = 3_600 * 1_000_000_000 }) { world in
            try world.append("1\n", to: "a.txt")
            var times = [timeval(tv_sec: 1_000, tv_usec: 0), timeval(tv_sec: 1_000, tv_usec: 0)]
            utimes(world.folder.path("a.txt"), &times)
            try world.rename("a.txt", to: "a.log")
            world.pass(.seconds(1))
            #expect(world.texts == [])
            try world.append("2\n", to: "a.log")
            world.pass(.seconds(2))
            #expect(world.texts == ["1", "2"])
        }
    }

    @Test func theOlderMultilineModeContinuesTheLastFieldOfTheFirstLine() throws {
        let options = try TailConfiguration.options(
            """
            [PARSER]
                Name head
                Format regex
                Regex ^(?<level>[A-Z]+) (?<message>.*)$
            [INPUT]
                Name tail
                Path x
                Multiline On
                Parser_Firstline head
                Multiline_Flush 1
            """
        )
        try self.withTail({ $0.form = options.form }) { world in
            try world.append("ERROR one\n  at a\n  at b\nINFO two\n", to: "a.log")
            world.pass(.seconds(3))
            #expect(
                world.records == [
                    #""level":"ERROR","message":"one\n  at a\n  at b""#, #""level":"INFO","message":"two""#,
                ]
            )
        }
    }

    @Test func whatTheSystemDidNotTellIsFoundAllTheSame() throws {
        try self.withTail { world in
            world.pass()
            try world.append("1\n", to: "x.txt")
            // More events than the system keeps (16,384 as it comes), before the file is written.
            for _ in 0..<5_000 {
                try world.rename("x.txt", to: "y.txt")
                try world.rename("y.txt", to: "x.txt")
            }
            try world.rename("x.txt", to: "a.log")
            world.pass(.seconds(1))
            #expect(world.texts == ["1"])
        }
    }

    @Test func filesBeyondTheLimitWaitUntilOthersAreClosed() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            world.openFileCountMax = 2
            try world.start()
            defer { world.stop() }
            for file in 1...3 { try world.append("\(file)\n", to: "\(file).log") }
            world.pass(.seconds(1))
            #expect(world.texts == ["1", "2"])
            try world.remove("1.log")
            world.pass(.seconds(10))
            #expect(world.texts == ["1", "2", "3"])
        }
    }

    @Test func nothingIsReadWhileTheBufferIsFull() throws {
        try self.withTail { world in
            world.isFull = true
            try world.append("1\n", to: "a.log")
            world.pass(.seconds(2))
            #expect(world.texts == [])
            world.isFull = false
            world.input?.resume()
            world.pass()
            #expect(world.texts == ["1"])
        }
    }

    @Test func unfinishedLinesOfManyFilesStayWithinTheirLimit() throws {
        try self.withTail({
            $0.form.readsCRI = true
            $0.heldByteCountMax = 10_000
        }) { world in
            let part = "2026-11-20T00:00:00.000000000Z stdout P " + String(repeating: "z", count: 900) + "\n"
            let last = "2026-11-20T00:00:00.000000000Z stdout F end\n"
            for file in 0..<100 { try world.append(part, to: "\(file).log") }
            world.pass(.seconds(1))
            #expect((world.input?.heldByteCount ?? .max) <= 10_000)
            for file in 0..<100 { try world.append(last, to: "\(file).log") }
            world.pass(.seconds(1))
            // Nothing is lost: what did not fit came in two pieces, the first of them marked.
            let text = world.records.joined()
            #expect(text.filter { $0 == "z" }.count == 90_000)
            #expect(world.records.filter { $0.contains("end\"") }.count == 100)
            #expect(world.records.filter { $0.contains("_truncated") }.count == world.records.count - 100)
            #expect(world.input?.heldByteCount == 0)
        }
    }
}

/// What a later run makes of files that changed while nobody looked.
@Suite struct TailRestartTests {
    @Test func twoRotationsWhileNobodyLookedLoseNothing() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start()
            try world.append("1\n", to: "a.log")
            world.pass()
            world.stop()
            try world.append("2\n", to: "a.log")
            try world.rename("a.log", to: "a.log.2")
            try world.append("3\n", to: "a.log")
            try world.rename("a.log", to: "a.log.1")
            try world.append("4\n", to: "a.log")
            try world.start()
            world.pass(.seconds(1))
            #expect(world.texts == ["1", "2", "3", "4"])
        }
    }

    /// The forms of logrotate's `dateext`, and of its `olddir`.
    @Test(arguments: [
        ["a.log-20261129", "a.log-20261130"], ["a.log-1.old", "a.log.bak"], ["old/a.log.2", "old/a.log.1"],
    ])
    func rotationsUnderAnyNameWhileNobodyLookedLoseNothing(names: [String]) throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try PosixFileSystem().createDirectory(folder.path("old"))
            try world.start()
            try world.append("1\n", to: "a.log")
            world.pass()
            world.stop()
            try world.append("2\n", to: "a.log")
            try world.rename("a.log", to: names[0])
            try world.append("3\n", to: "a.log")
            try world.rename("a.log", to: names[1])
            try world.append("4\n", to: "a.log")
            // No log, though written since.
            try world.append("nothing\n", to: "a.log.pos")
            try world.start()
            world.pass(.seconds(1))
            #expect(world.texts == ["1", "2", "3", "4"])
        }
    }

    /// Kubernetes moves the link to the log of the container's next start.
    @Test func containersThatStartedAnewWhileNobodyLookedLoseNothing() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.append("1\n", to: "pods/0.log")
            try #require(symlink("pods/0.log", folder.path("c.log")) == 0)
            try world.start()
            world.pass()
            world.stop()
            try world.append("2\n", to: "pods/0.log")
            try world.append("3\n", to: "pods/1.log")
            try world.append("4\n", to: "pods/2.log")
            try world.remove("c.log")
            try #require(symlink("pods/2.log", folder.path("c.log")) == 0)
            // A pod of its own, which was rotated before anybody saw it.
            try world.append("5\n", to: "other/0.log.20261130-080000")
            try world.append("6\n", to: "other/0.log")
            try #require(symlink("other/0.log", folder.path("d.log")) == 0)
            try world.start()
            world.pass(.seconds(1))
            #expect(world.texts.sorted() == ["1", "2", "3", "4", "5", "6"])
        }
    }

    @Test func linesThatCameBeforeTheFirstOneWasReadAreNotPassedOver() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.append("old\n", to: "a.log")
            try world.start { $0.readsFromHead = false }
            world.pass()
            world.stop()
            try world.append("new\n", to: "a.log")
            try world.start { $0.readsFromHead = false }
            world.pass()
            #expect(world.texts == ["new"])
        }
    }

    /// Whether the disk keeps when a file was made.
    private static let keepsBirthTimes =
        (try? withTemporaryFolder { folder in
            try PosixFileSystem().open(folder.write("file", ""), .read).bornAt
        }) != nil

    @Test(.enabled(if: keepsBirthTimes, "the disk does not keep when a file was made"))
    func filesThatCameWhileTheAgentWasDownAreReadFromTheirHead() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            let leaveOld: (inout TailOptions) -> Void = { $0.readsFromHead = false }
            try world.append("old\n", to: "left-out.log")
            try world.start {
                leaveOld(&$0)
                $0.excluded = ["left-out.log"]
            }
            world.pass()
            // The clock that files get their times from moves in steps.
            try world.waitForFileTime()
            try world.append("1\n", to: "a.log")
            world.pass()
            world.stop()
            try world.waitForFileTime()
            try world.append("2\n", to: "b.log")
            try world.start(leaveOld)
            world.pass()
            #expect(world.texts == ["1", "2"])
        }
    }

    @Test func aCompressedSiblingIsReadFromWhereTheFileWasLeft() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start()
            try world.append("1\n", to: "a.log")
            world.pass()
            world.stop()
            try world.append("2\n", to: "a.log")
            let bytes = try PosixFileSystem().contents(folder.path("a.log"))
            try folder.write("a.log.1.gz", bytes.withUnsafeBytes { Deflate.gzip($0) })
            try world.remove("a.log")
            try world.append("3\n", to: "a.log")
            try world.start()
            world.pass(.seconds(1))
            #expect(world.texts == ["1", "2", "3"])
        }
    }

    @Test func aCompressedCopyOfAFileThatWasReadIsNotReadAgain() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start { $0.paths = [folder.path("a.log*")] }
            try world.append("1\n2\n", to: "a.log")
            world.pass()
            try world.rename("a.log", to: "a.log.1")
            try world.append("3\n", to: "a.log")
            world.pass()
            let bytes = try PosixFileSystem().contents(folder.path("a.log.1"))
            try folder.write("a.log.1.gz", bytes.withUnsafeBytes { Deflate.gzip($0) })
            world.pass()
            try world.remove("a.log.1")
            world.pass(.seconds(20))
            #expect(world.texts == ["1", "2", "3"])
            // One that nobody has read is.
            try folder.write("a.log.9.gz", Array("8\n9\n".utf8).withUnsafeBytes { Deflate.gzip($0) })
            world.pass(.seconds(1))
            #expect(world.texts == ["1", "2", "3", "8", "9"])
        }
    }

    @Test func aCopyThatIsWrittenOverTheLastOneIsNotReadAgain() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start()
            try world.append("1\n2\n", to: "a.log")
            world.pass()
            world.stop()
            // copytruncate while nobody looks: what was not read by then is in the copy.
            try world.append("3\n", to: "a.log")
            try folder.write("a.log.1", "1\n2\n3\n")
            try world.truncate("a.log")
            try world.append("4\n", to: "a.log")
            try world.start()
            world.pass(.seconds(1))
            #expect(world.texts == ["1", "2", "3", "4"])
            // The next one, over the copy that is still open.
            try world.append("5\n", to: "a.log")
            world.pass()
            try folder.write("a.log.1", "4\n5\n")
            try world.truncate("a.log")
            world.pass(.seconds(1))
            try world.append("6\n", to: "a.log")
            world.pass(.seconds(5))
            #expect(world.texts == ["1", "2", "3", "4", "5", "6"])
        }
    }

    /// A container that started anew while the agent was down: the link of the old one is gone.
    @Test(arguments: ["pods/0.log", "pods/0.log.20261130-040000"])
    func aFileWhoseLinkIsGoneIsReadToItsEnd(place: String) throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.append("1\n", to: "pods/0.log")
            try #require(symlink("pods/0.log", folder.path("old.log")) == 0)
            try world.start()
            world.pass()
            world.stop()
            try world.append("2\n", to: "pods/0.log")
            try world.append("3\n", to: "pods/1.log")
            try world.rename("pods/0.log", to: place)
            try world.remove("old.log")
            try #require(symlink("pods/1.log", folder.path("new.log")) == 0)
            try world.start()
            world.pass(.seconds(1))
            #expect(world.texts.sorted() == ["1", "2", "3"])
            #expect(world.texts.firstIndex(of: "1") == 0)
            // Not by an input that does not follow the name.
            world.stop()
            try world.append("4\n", to: place)
            try world.start { $0.paths = [folder.path("new*.log")] }
            world.pass(.seconds(1))
            #expect(world.texts.count == 3)
        }
    }

    @Test func theUnfinishedLineOfADeletedFileIsDelivered() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start { $0.form.readsCRI = true }
            try world.append("2026-11-20T00:00:00.000000000Z stdout P only half\n", to: "a.log")
            world.pass()
            #expect(world.records.isEmpty)
            try world.remove("a.log")
            world.pass(.seconds(20))
            #expect(world.records.count == 1)
            #expect(world.records.first?.contains("only half") == true)
        }
    }

    @Test func anUnfinishedLineIsJoinedAcrossARestart() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start { $0.form.readsCRI = true }
            try world.append("2026-11-20T00:00:00.000000000Z stdout P one-\n", to: "a.log")
            try world.append("2026-11-20T00:00:00.000000001Z stderr F other\n", to: "a.log")
            world.pass()
            world.stop()
            try world.append("2026-11-20T00:00:00.000000002Z stdout F two\n", to: "a.log")
            try world.start { $0.form.readsCRI = true }
            world.pass()
            #expect(world.records.count == 2)
            #expect(world.records.last?.contains("\"log\":\"one-two\"") == true)
        }
    }
}

/// The options of a `[INPUT] tail` as a user writes them.
enum TailConfiguration {
    static func options(_ text: String) throws -> TailOptions {
        let format = ClassicFormat(text: text, source: "test")
        var build = ConfigurationBuild(environment: EnvironmentText([:]))
        build.add(format.items.compactMap { if case .section(let section) = $0 { section } else { nil } })
        let plugin = try #require(build.configuration.inputs.first, "\(format.diagnostics + build.diagnostics)")
        return try TailOptions(plugin, build.configuration)
    }
}

extension String {
    /// The path with another last component.
    fileprivate func replacingLastComponent(_ component: String) -> String {
        String(self[...(self.lastIndex(of: "/") ?? self.startIndex)]) + component
    }
}
