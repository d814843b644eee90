import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Which compressed logs are copies of files that are followed.
@Suite struct CompressedLogTests {
    private static func write(_ text: String, to name: String, _ folder: TemporaryFolder) throws {
        try folder.write(name, Array(text.utf8).withUnsafeBytes { Deflate.gzip($0) })
    }

    /// Many programs begin each file with the same line.
    @Test func aLogThatBeginsLikeAnOpenOneIsRead() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start { $0.paths = [folder.path("*.log*")] }
            try world.append("header\n", to: "b.log")
            world.pass()
            try Self.write("header\nline\n", to: "a.log.1.gz", folder)
            world.pass(.seconds(2))
            #expect(world.texts == ["header", "header", "line"])
        }
    }

    /// The buffer was full between the finding of a file and its first line.
    @Test func aCopyOfAFileOfWhichNothingWasReadIsNotReadBesideIt() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start { $0.paths = [folder.path("*.log*")] }
            world.isFull = true
            try world.append("1\n2\n", to: "a.log")
            world.pass()
            try Self.write("1\n2\n", to: "a.log.gz", folder)
            try world.remove("a.log")
            world.pass(.seconds(2))
            world.isFull = false
            world.input?.resume()
            world.pass(.seconds(20))
            #expect(world.texts == ["1", "2"])
        }
    }

    /// The same, and the agent ended in between.
    @Test func aFileOfWhichNothingWasReadIsFoundCompressed() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start()
            world.isFull = true
            try world.append("1\n2\n", to: "a.log")
            world.pass()
            world.stop()
            try Self.write("1\n2\n", to: "a.log.1.gz", folder)
            try world.remove("a.log")
            try world.append("3\n", to: "a.log")
            world.isFull = false
            try world.start()
            world.pass(.seconds(1))
            #expect(world.texts == ["1", "2", "3"])
            let sources = world.positions.values.filter { $0.offset == 4 }.map(\.source)
            #expect(sources == [1], "the file that was found before")
        }
    }

    /// A compressed file that was empty, and another one that got its number and its name.
    @Test func aCompressedLogIsToldByItsContentsBeforeItsNumber() throws {
        try withTemporaryFolder { folder in
            let world = try TailWorld(folder)
            try world.start { $0.paths = [folder.path("*.log*")] }
            try Self.write("", to: "a.log.1.gz", folder)
            world.pass(.seconds(2))
            try world.append("1\n2\n", to: "a.log")
            world.pass()
            world.stop()
            // In place, so that the number stays.
            try Self.write("1\n2\n", to: "a.log.1.gz", folder)
            try world.remove("a.log")
            try world.start { $0.paths = [folder.path("*.log*")] }
            world.pass(.seconds(2))
            #expect(world.texts == ["1", "2"])
        }
    }
}
