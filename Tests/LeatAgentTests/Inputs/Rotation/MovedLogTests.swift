import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Files that are moved into another folder, as logrotate's `olddir` has it.
@Suite struct MovedLogTests {
    /// Made between the look at its name and the one at its folder, it is found as one that had the name before.
    @Test func aFileThatGetsANameAtAnyMomentIsFollowed() throws {
        for step in 0..<40 {
            try withTemporaryFolder { folder in
                let disk = MeddledDisk()
                let world = try TailWorld(folder)
                world.disk = disk
                try world.start()
                try world.append("1\n", to: "a.log")
                world.pass()
                try world.rename("a.log", to: "a.log.1")
                var left = step
                disk.meddle = {
                    if left == 0 { #expect(throws: Never.self) { try world.append("2\n", to: "a.log") } }
                    left -= 1
                }
                world.pass()
                disk.meddle = {}
                if left >= 0 { try world.append("2\n", to: "a.log") }
                world.pass()
                try world.append("3\n4", to: "a.log")
                world.pass(.seconds(5))
                #expect(world.texts == ["1", "2", "3"], "made before call \(step)")
                try world.append(" and 5\n", to: "a.log")
                world.pass()
                #expect(world.texts == ["1", "2", "3", "4 and 5"], "made before call \(step)")
            }
        }
    }

    /// Where the logs lie, and where they go: below, beside, and above them.
    static let folders = ["logs/old", "archive", "."]

    private static func start(_ world: TailWorld, polls: Bool = false) throws {
        try world.start { options in
            options.paths = [world.folder.path("logs/*.log")]
            options.polls = polls
        }
    }

    /// One that was created, written and moved between two looks, so that it was never open.
    @Test(arguments: folders, [false, true])
    func aFileThatFollowsAnotherOneUnseenIsRead(folder target: String, polls: Bool) throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try PosixFileSystem().createDirectory(folder.path("logs"))
            try PosixFileSystem().createDirectory(folder.path(target))
            try Self.start(world, polls: polls)
            try world.append("1\n", to: "logs/a.log")
            world.pass(.seconds(2))
            try world.append("2\n", to: "logs/a.log")
            try world.rename("logs/a.log", to: "\(target)/a.log.2")
            try world.append("3\n", to: "logs/a.log")
            try world.rename("logs/a.log", to: "\(target)/a.log.1")
            try world.append("4\n", to: "logs/a.log")
            // Of another log.
            try world.append("nothing\n", to: "\(target)/b.log.1")
            world.pass(.seconds(2))
            #expect(world.texts == ["1", "2", "3", "4"])
        }
    }

    /// Its new name is followed too, so that somebody might append to it, were it its first one.
    @Test func aLastLineWithoutNewlineOfAFileThatWasRenamedWhileNobodyLookedIsDelivered() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            func start() throws { try world.start { $0.paths = [folder.path("*.log*")] } }
            try start()
            try world.append("1\n", to: "a.log")
            world.pass()
            world.stop()
            try world.append("2\n3", to: "a.log")
            try world.rename("a.log", to: "a.log.1")
            try world.append("4\n5", to: "a.log")
            for _ in 0..<2 {
                try start()
                // Too short for the line to count as finished.
                world.pass(.seconds(1))
                world.stop()
            }
            try start()
            world.pass(.seconds(5))
            #expect(world.texts.sorted() == ["1", "2", "3", "4"])
            try world.append("!\n", to: "a.log")
            world.pass()
            #expect(world.texts.sorted() == ["1", "2", "3", "4", "5!"])
        }
    }

    /// The new name may be the only one that is followed, as when a folder is seen through another mount.
    @Test func aFileWhoseFollowedNameChangedIsNotRenamed() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start { $0.paths = [folder.path("a/*.log")] }
            try PosixFileSystem().createDirectory(folder.path("a"))
            try world.append("1\n", to: "a/a.log")
            world.pass()
            world.stop()
            try world.rename("a", to: "b")
            try world.start { $0.paths = [folder.path("b/*.log")] }
            try world.append("2\n3", to: "b/a.log")
            world.pass(.seconds(5))
            try world.append("!\n", to: "b/a.log")
            world.pass()
            #expect(world.texts == ["1", "2", "3!"])
        }
    }

    /// Once a file was moved there, a later run looks there too, wherever it is.
    @Test(arguments: folders)
    func filesThatAreMovedWhileNobodyLooksAreRead(folder target: String) throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try PosixFileSystem().createDirectory(folder.path("logs"))
            try PosixFileSystem().createDirectory(folder.path(target))
            try Self.start(world)
            try world.append("1\n", to: "logs/a.log")
            world.pass()
            try world.rename("logs/a.log", to: "\(target)/a.log.1")
            try world.append("2\n", to: "logs/a.log")
            world.pass(.seconds(65))
            world.stop()
            try world.append("3\n", to: "logs/a.log")
            try world.rename("logs/a.log", to: "\(target)/a.log.2")
            try world.append("4\n", to: "logs/a.log")
            try world.rename("logs/a.log", to: "\(target)/a.log.3")
            try world.append("5\n", to: "logs/a.log")
            try Self.start(world)
            world.pass(.seconds(1))
            #expect(world.texts == ["1", "2", "3", "4", "5"])
        }
    }
}
