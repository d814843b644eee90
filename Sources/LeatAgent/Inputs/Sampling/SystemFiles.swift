internal import LeatCore

/// The files below `/proc` or `/sys`, which have no size and say what they hold when they are read.
struct SystemFiles: Sendable {
    /// Longer files are cut; those of the kernel are far shorter.
    private static let byteCountMax = 4 << 20

    /// Folder that the names count from.
    let root: String
    let disk: any FileSystem

    /// The whole of a file.
    func text(_ name: String) throws(InputError) -> String {
        do throws(FileSystemError) {
            let file = try self.disk.open("\(self.root)/\(name)", .read)
            defer { file.close() }
            return String(decoding: try file.beginning(byteCountMax: Self.byteCountMax), as: UTF8.self)
        } catch {
            throw InputError(description: "\(error)")
        }
    }

    /// The words of each line, or of each that begins with a text.
    func words(_ name: String, beginning: String = "") throws(InputError) -> [[Substring]] {
        try self.text(name).split(separator: "\n").filter { $0.hasPrefix(beginning) }
            .map { $0.split { $0 == " " || $0 == "\t" } }
    }

    /// The names in a folder, sorted by bytes.
    func list(_ name: String) throws(InputError) -> [String] {
        do throws(FileSystemError) {
            return try self.disk.list("\(self.root)/\(name)")
        } catch {
            throw InputError(description: "\(error)")
        }
    }
}

extension File {
    private static var pieceByteCount: Int { 64 << 10 }

    /// The first bytes of a file, fewer when it is shorter.
    func beginning(byteCountMax: Int) throws(FileSystemError) -> [UInt8] {
        let piece = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(byteCountMax, Self.pieceByteCount),
            alignment: 1
        )
        defer { piece.deallocate() }
        var bytes: [UInt8] = []
        while bytes.count < byteCountMax {
            let room = min(piece.count, byteCountMax - bytes.count)
            let count = try self.read(
                at: UInt64(bytes.count),
                into: UnsafeMutableRawBufferPointer(rebasing: piece[..<room])
            )
            bytes.append(contentsOf: piece[..<count])
            if count < room { break }
        }
        return bytes
    }
}
