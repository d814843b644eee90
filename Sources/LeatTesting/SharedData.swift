public import LeatCore

/// The corpora that lie beside the package, in `../shared` or `$LEAT_SHARED`.
public enum SharedData {
    /// The folder; `nil` when it is not there.
    public static let folder: String? = {
        let disk = PosixFileSystem()
        // This file is Sources/LeatTesting/SharedData.swift of the package.
        let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        var candidates = ["/\(package)/../shared", "../shared"]
        if let chosen = environment("LEAT_SHARED") { candidates.insert(chosen, at: 0) }
        return candidates.first { isFolder($0, disk) }
    }()

    private static func isFolder(_ path: String, _ disk: PosixFileSystem) -> Bool {
        do throws(FileSystemError) {
            return try disk.status(path)?.kind == .directory
        } catch {
            return false
        }
    }

    /// The path of a file or folder of the corpora; `nil`, with a line on standard error that the test skips, when it
    /// is not there.
    public static func path(_ name: String, for test: String = #function) -> String? {
        guard let folder = self.folder else {
            printError("skipped: \(test) needs \(name) of the shared data; set LEAT_SHARED to its folder")
            return nil
        }
        let path = "\(folder)/\(name)"
        do throws(FileSystemError) {
            if try PosixFileSystem().status(path) != nil { return path }
        } catch {
            printError("\(error)")
        }
        printError("skipped: \(test) needs \(path)")
        return nil
    }

    /// The bytes of a file of the corpora; `nil`, with a line on standard error, when it is not there.
    public static func contents(_ name: String, for test: String = #function) throws(FileSystemError) -> ByteSlice? {
        guard let path = self.path(name, for: test) else { return nil }
        return try PosixFileSystem().contents(path)
    }
}
