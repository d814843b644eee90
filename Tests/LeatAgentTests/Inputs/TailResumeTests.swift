import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Files that are found again, by positions of files whose numbers are used again.
@Suite struct TailResumeTests {
    private let folder: TemporaryFolder
    private let disk = PosixFileSystem()

    init() throws { self.folder = try TemporaryFolder() }

    /// A position of a file that has the number of one in the folder, and was read to its end or seen while it was empty.
    private func position(_ source: UInt64, of name: String, at path: String, isEmpty: Bool) throws -> SourcePosition {
        let file = try self.disk.open(self.folder.path(name), .read)
        defer { file.close() }
        let status = try file.status()
        let count = isEmpty ? 0 : Int(status.byteCount)
        var position = SourcePosition(
            source: source,
            path: self.folder.path(path),
            identity: try FileIdentity.of(file, status: status, prefixByteCount: count),
            offset: UInt64(count),
            marker: try ContentMarker.of(file, before: UInt64(count), byteCount: count) ?? .none
        )
        position.modifiedAtNanoseconds = status.modifiedAt.nanoseconds
        return position
    }

    /// Names of the rotated files of `a.log` that are to be read, and how far each was read.
    private func earlier(
        _ known: [SourcePosition],
        before current: OpenLog? = nil,
        hasVanished: Bool = false
    ) throws -> [String] {
        let claims = SourceClaims(openFileCountMax: .max)
        let now = Timestamp(nanoseconds: known.map(\.modifiedAtNanoseconds).max() ?? 0)
        let resume = TailResume(known: KnownSources(known), now: now, disk: self.disk, claims: claims)
        let search = try resume.search(
            path: self.folder.path("a.log"),
            current: current,
            old: nil,
            hasVanished: hasVanished,
            isFirstLook: true
        )
        var siblings = Siblings()
        var isStill = false
        while !isStill {
            let lists = FolderLists(disk: self.disk)
            isStill = try siblings.look(for: search, in: lists, on: self.disk) { $0 == current?.key }
        }
        return try resume.earlier(search, among: siblings.found, passed: []).map { earlier in
            earlier.log.handle.close()
            return "\(earlier.log.path.lastPathComponent) from \(earlier.known?.offset ?? 0)"
        }
    }

    @Test func anEmptyFileIsFoundUnderARotatedName() throws {
        try self.folder.write("a.log.1", Array("line\n".utf8))
        let known = [try self.position(1, of: "a.log.1", at: "a.log", isEmpty: true)]
        #expect(try self.earlier(known) == ["a.log.1 from 0"])
    }

    @Test(arguments: ["b.log", "b.log.1"])
    func anotherLogIsNotTakenForAnEmptyFile(name: String) throws {
        try self.folder.write(name, Array("line\n".utf8))
        let known = [try self.position(1, of: name, at: "a.log", isEmpty: true)]
        #expect(try self.earlier(known) == [])
    }

    @Test func aFileThatWasReadIsNotTakenForAnEmptyOne() throws {
        try self.folder.write("a.log.1", Array("line\n".utf8))
        let known = [
            try self.position(1, of: "a.log.1", at: "a.log", isEmpty: true),
            try self.position(2, of: "a.log.1", at: "a.log", isEmpty: false),
        ]
        #expect(try self.earlier(known) == ["a.log.1 from 5"])
    }

    @Test func filesAreLookedForBesideOneThatWasEmpty() throws {
        try self.folder.write("a.log", [])
        let known = try self.position(1, of: "a.log", at: "a.log", isEmpty: true)
        try self.folder.write("a.log.1", Array("line\n".utf8))
        let current = try #require(try OpenLog(self.folder.path("a.log"), on: self.disk))
        defer { current.handle.close() }
        #expect(try self.earlier([known], before: current) == ["a.log.1 from 0"])
    }

    /// Its number was given to a file of another log.
    @Test func aPositionWithoutBytesIsThatOfItsName() throws {
        try self.folder.write("b.log", Array("line\n".utf8))
        let known = try self.position(1, of: "b.log", at: "a.log", isEmpty: true)
        let claims = SourceClaims(openFileCountMax: .max)
        let resume = TailResume(
            known: KnownSources([known]),
            now: Timestamp(nanoseconds: 0),
            disk: self.disk,
            claims: claims
        )
        let log = try #require(try OpenLog(self.folder.path("b.log"), on: self.disk))
        defer { log.handle.close() }
        #expect(try resume.position(of: log, path: self.folder.path("b.log")) == nil)
        #expect(try resume.position(of: log, path: self.folder.path("a.log")) == known)
    }
}
