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

    /// Names of the rotated files of `a.log`, and how far each was read.
    private func orphans(_ known: [SourcePosition]) throws -> [String] {
        let claims = SourceClaims(openFileCountMax: .max)
        let now = Timestamp(nanoseconds: known.map(\.modifiedAtNanoseconds).max() ?? 0)
        let resume = TailResume(known: known, now: now, disk: self.disk, claims: claims)
        return try resume.orphans { $0 == self.folder.path("a.log") }.map { orphan in
            orphan.file.handle.close()
            return "\(orphan.file.path.lastPathComponent) from \(orphan.file.known?.offset ?? 0)"
        }
    }

    @Test func anEmptyFileIsFoundUnderARotatedName() throws {
        try self.folder.write("a.log.1", Array("line\n".utf8))
        let known = [try self.position(1, of: "a.log.1", at: "a.log", isEmpty: true)]
        #expect(try self.orphans(known) == ["a.log.1 from 0"])
    }

    @Test(arguments: ["b.log", "b.log.1"])
    func anotherLogIsNotTakenForAnEmptyFile(name: String) throws {
        try self.folder.write(name, Array("line\n".utf8))
        let known = [try self.position(1, of: name, at: "a.log", isEmpty: true)]
        #expect(try self.orphans(known) == [])
    }

    @Test func aFileThatWasReadIsNotTakenForAnEmptyOne() throws {
        try self.folder.write("a.log.1", Array("line\n".utf8))
        let known = [
            try self.position(1, of: "a.log.1", at: "a.log", isEmpty: true),
            try self.position(2, of: "a.log.1", at: "a.log", isEmpty: false),
        ]
        #expect(try self.orphans(known) == ["a.log.1 from 5"])
    }

    @Test func filesAreLookedForBesideOneThatWasEmpty() throws {
        try self.folder.write("a.log", [])
        let known = try self.position(1, of: "a.log", at: "a.log", isEmpty: true)
        try self.folder.write("a.log.1", Array("line\n".utf8))
        let file = try self.disk.open(self.folder.path("a.log"), .read)
        defer { file.close() }
        let claims = SourceClaims(openFileCountMax: .max)
        let resume = TailResume(known: [known], now: Timestamp(nanoseconds: 0), disk: self.disk, claims: claims)
        let start = try resume.start(
            path: self.folder.path("a.log"),
            handle: file,
            status: try file.status(),
            old: nil,
            looksBeside: true,
            isFirstLook: true
        )
        #expect(start.earlier.map(\.path) == [self.folder.path("a.log.1")])
        for earlier in start.earlier { earlier.handle.close() }
    }
}
