import Foundation
import LeatCore
import LeatTesting

/// Writes numbered lines into container log files, as the kubelet lays them out, and rotates the files.
///
/// Every event carries `seq=<number>`; the numbers run from 0 without gaps.
final class ContainerLogWriter {
    /// A container's log file; `format` is that of its runtime.
    private struct Container {
        let folder: String
        let isDocker: Bool
        var handle: FileHandle
        var lineCount = 0
        var rotations = 0
    }

    let root: String
    private(set) var eventCount = 0
    private var containers: [Container] = []
    private var random: SeededRandom
    private let texts: [String]
    /// Lines after which a file is rotated.
    private let rotationLineCount: Int

    /// Files below `root`, for `containerCount` containers of which every third is docker's.
    init(root: String, containerCount: Int, rotationLineCount: Int, seed: UInt64) throws {
        self.root = root
        self.random = SeededRandom(seed: seed)
        self.rotationLineCount = rotationLineCount
        self.texts = try Self.realLines()
        let files = FileManager.default
        try files.createDirectory(atPath: root + "/var/log/containers", withIntermediateDirectories: true)
        for number in 0..<containerCount {
            let folder = "\(root)/var/log/pods/shop_app-\(number)_0a1b/app"
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let id = String(repeating: "\(number % 10)a", count: 32)
            let handle = try Self.create(folder + "/0.log")
            try files.createSymbolicLink(
                atPath: "\(root)/var/log/containers/app-\(number)_shop_app-\(id).log",
                withDestinationPath: folder + "/0.log"
            )
            self.containers.append(Container(folder: folder, isDocker: number % 3 == 2, handle: handle))
        }
    }

    private static func create(_ path: String) throws -> FileHandle {
        guard FileManager.default.createFile(atPath: path, contents: nil) else { throw Unexpected("no file \(path)") }
        return try FileHandle(forWritingTo: URL(filePath: path))
    }

    /// Application lines: real ones of the shared corpus, or a few of the demo's.
    private static func realLines() throws -> [String] {
        var folders = ["\(Programs.package)/config/demo/logs"]
        if let shared = SharedData.folder {
            folders += ["nginx", "klog-kubelet", "json-pino", "logfmt-dockerd", "k8s-pod-logs"].map {
                "\(shared)/data/corpus/\($0)"
            }
        }
        var lines: [String] = []
        for folder in folders where FileManager.default.fileExists(atPath: folder) {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
                let data = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
                lines += String(decoding: data.prefix(500_000), as: UTF8.self).split(separator: "\n")
                    .filter { $0.utf8.count < 4000 && !$0.contains("\r") && !$0.contains("\0") }.map(String.init)
            }
        }
        guard lines.count > 50 else { throw Unexpected("no lines to write") }
        return lines
    }

    /// Appends `count` events, spread over the containers, rotating as it goes.
    func append(_ count: Int) throws {
        var buffers = [String](repeating: "", count: self.containers.count)
        for _ in 0..<count {
            let index = Int.random(in: 0..<self.containers.count, using: &self.random)
            let text = self.texts.randomElement(using: &self.random) ?? ""
            buffers[index] += self.line("seq=\(self.eventCount) \(text)", self.containers[index])
            self.eventCount += 1
            self.containers[index].lineCount += 1
            if self.containers[index].lineCount >= self.rotationLineCount {
                try self.write(&buffers[index], index)
                try self.rotate(index)
            }
        }
        for index in buffers.indices { try self.write(&buffers[index], index) }
    }

    private func write(_ text: inout String, _ index: Int) throws {
        try self.containers[index].handle.write(contentsOf: Data(text.utf8))
        text = ""
    }

    /// The lines of one event; one in 500 is long and split into parts.
    private func line(_ text: String, _ container: Container) -> String {
        let stamp =
            "2026-11-20T12:00:\(String(format: "%02d", self.eventCount / 1000 % 60)).\(String(format: "%09d", self.eventCount))Z"
        if container.isDocker {
            return "{\"log\":\"\(Self.escaped(text))\\n\",\"stream\":\"stdout\",\"time\":\"\(stamp)\"}\n"
        }
        if self.eventCount % 500 == 0 {
            return
                "\(stamp) stdout P \(text)\n\(stamp) stdout P \(String(repeating: "x", count: 9000))\n\(stamp) stdout F end\n"
        }
        return "\(stamp) stdout F \(text)\n"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 32: result += String(format: "\\u%04x", scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Renames the file and begins a new one of the same name, as the kubelet does.
    private func rotate(_ index: Int) throws {
        try self.containers[index].handle.close()
        let path = self.containers[index].folder + "/0.log"
        self.containers[index].rotations += 1
        let stamp = "20261120-\(String(format: "%06d", self.containers[index].rotations))"
        try FileManager.default.moveItem(atPath: path, toPath: "\(path).\(stamp)")
        self.containers[index].handle = try Self.create(path)
        self.containers[index].lineCount = 0
    }
}
