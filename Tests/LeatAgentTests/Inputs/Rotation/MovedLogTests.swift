import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Files that are moved into another folder, as logrotate's `olddir` has it.
@Suite struct MovedLogTests {
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
