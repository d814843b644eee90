import Foundation
import LeatCore
import LeatTesting
import Testing

/// The switch from a running Fluent Bit, by its own configuration and its `DB`.
@Suite(.serialized, .enabled(if: Programs.areBuilt, Programs.missing)) struct SwitchTests {
    /// The real Fluent Bit, when it is on the PATH.
    private static let fluentBit: String? = (environment("PATH") ?? "").split(separator: ":").map { "\($0)/fluent-bit" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(
        .enabled(if: fluentBit != nil, "fluent-bit is not on the PATH"),
        .timeLimit(.minutes(3)),
        arguments: Layout.allCases,
        UInt64(1)...(isLongRun ? 20 : 3)
    )
    func aSwitchFromFluentBitRepeatsAndLosesNothing(layout: Layout, seed: UInt64) throws {
        let peer = try #require(Self.fluentBit)
        try withTemporaryFolder { folder in
            let configuration = try folder.write("both.conf", Self.configuration(folder))
            var writer = try RotatingWriter(folder: folder.path, layout: layout, seed: seed)
            let before = try RunningProgram(peer, ["-c", configuration], folder: folder)
            // Fluent Bit itself may lose lines of files that rotate faster than it reads, so that it gets the time.
            for _ in 0..<3 {
                try writer.append(1_000)
                try Self.waitForLines(writer.count, in: folder, of: before, within: .seconds(30))
                try writer.rotateAll()
            }
            // In the middle of its work: what it has not read by then is ours, with all rotations that follow.
            for _ in 0..<10 { try writer.append(200) }
            #expect(try before.stop() == .exited(0), "\(before.errors)")
            let atSwitch = Self.lineCount(folder)
            for _ in 0..<2 {
                try writer.append(700)
                try writer.rotateAll()
            }
            let after = try RunningProgram(Programs.agent, ["-c", configuration], folder: folder)
            // Files that come and go within a moment while the agent starts.
            for _ in 0..<5 {
                try writer.append(300)
                try writer.rotateAll()
            }
            try Self.waitForLines(writer.count, in: folder, of: after, within: .seconds(60))
            #expect(try after.stop() == .exited(0), "\(after.errors)")
            let numbers = Self.numbers(folder)
            var counts: [Int: Int] = [:]
            for number in numbers { counts[number, default: 0] += 1 }
            #expect((0..<writer.count).filter { counts[$0] == nil } == [], "lost; seed \(seed), \(after.errors)")
            #expect(counts.filter { $0.value > 1 } == [:], "repeated; seed \(seed), \(atSwitch) lines at the switch")
            #expect(atSwitch >= 3_000 && atSwitch < writer.count)
        }
    }

    private static func waitForLines(
        _ count: Int,
        in folder: TemporaryFolder,
        of program: RunningProgram,
        within time: Duration
    ) throws {
        try eventually(within: time, "all \(count) lines: \(program.errors)") {
            usleep(50_000)
            return Self.lineCount(folder) >= count
        }
    }

    private static func configuration(_ folder: TemporaryFolder) -> String {
        """
        [SERVICE]
            Flush 1
            Grace 10
        [INPUT]
            Name tail
            Path \(folder.path("logs"))/*.log
            DB \(folder.path("tail.db"))
            Tag app.*
            Read_from_Head On
            Refresh_Interval 1
        [OUTPUT]
            Name file
            Match *
            Path \(folder.path)
            File union.txt
            Format plain
        """
    }

    private static func union(_ folder: TemporaryFolder) -> Data {
        FileManager.default.contents(atPath: folder.path("union.txt")) ?? Data()
    }

    private static func lineCount(_ folder: TemporaryFolder) -> Int {
        Self.union(folder).reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
    }

    /// The numbers of the lines that either program has written.
    private static func numbers(_ folder: TemporaryFolder) -> [Int] {
        let text = String(decoding: Self.union(folder), as: UTF8.self)
        return text.matches(of: /seq=([0-9]+) order/).compactMap { Int($0.output.1) }
    }
}

/// Where the followed names lead.
enum Layout: CaseIterable {
    /// `logs/service-0.log`, rotated to `logs/service-0.log.1`.
    case files
    /// `logs/service-0.log`, a link to `pods/service-0/0.log`, which is rotated to `0.log.20261130-000001`, as by the kubelet.
    case links
}

/// Numbered lines in three files that are rotated by renaming.
private struct RotatingWriter {
    private let folder: String
    private let layout: Layout
    private var handles: [FileHandle] = []
    private var rotationCount = 0
    private var random: SeededRandom
    private(set) var count = 0

    init(folder: String, layout: Layout, seed: UInt64) throws {
        self.folder = folder
        self.layout = layout
        self.random = SeededRandom(seed: seed)
        let files = FileManager.default
        try files.createDirectory(atPath: folder + "/logs", withIntermediateDirectories: true)
        for number in 0..<3 {
            let path = self.path(number)
            let parent = URL(filePath: path).deletingLastPathComponent()
            try files.createDirectory(at: parent, withIntermediateDirectories: true)
            self.handles.append(try Self.create(path))
            guard layout == .links else { continue }
            try files.createSymbolicLink(atPath: "\(folder)/logs/service-\(number).log", withDestinationPath: path)
        }
    }

    private func path(_ number: Int) -> String {
        switch self.layout {
        case .files: "\(self.folder)/logs/service-\(number).log"
        case .links: "\(self.folder)/pods/service-\(number)/0.log"
        }
    }

    private func rotatedPath(_ number: Int) -> String {
        switch self.layout {
        case .files: "\(self.path(number)).\(self.rotationCount)"
        case .links: "\(self.path(number)).20261130-\(String(1_000_000 + self.rotationCount).dropFirst())"
        }
    }

    private static func create(_ path: String) throws -> FileHandle {
        guard FileManager.default.createFile(atPath: path, contents: nil) else { throw Unexpected("no file \(path)") }
        return try FileHandle(forWritingTo: URL(filePath: path))
    }

    mutating func append(_ lineCount: Int) throws {
        var texts = ["", "", ""]
        for _ in 0..<lineCount {
            let number = Int.random(in: 0..<3, using: &self.random)
            texts[number] += "seq=\(self.count) order taken, customer \(self.random.next() % 10_000)\n"
            self.count += 1
        }
        for (number, text) in texts.enumerated() { try self.handles[number].write(contentsOf: Data(text.utf8)) }
    }

    mutating func rotateAll() throws {
        self.rotationCount += 1
        for number in 0..<3 {
            try self.handles[number].close()
            try FileManager.default.moveItem(atPath: self.path(number), toPath: self.rotatedPath(number))
            self.handles[number] = try Self.create(self.path(number))
        }
    }
}
