internal import Glibc
internal import LeatCore

/// Finds the files that path patterns name, and notices new ones the moment they appear.
///
/// Every folder on the way is watched, and every folder that a symbolic link of a found file leads through, so that a
/// rotation of the file behind the link is seen at once.
final class PathFinder {
    /// A name matched by a pattern appeared, vanished, or leads elsewhere; called with its path, and whether something lost
    /// the name.
    var candidateChanged: (_ path: String, _ hasVanished: Bool) -> Void = { _, _ in }
    /// Something got a name in a watched folder by renaming.
    var renamed: (WatchKey) -> Void = { _ in }

    /// A name in a watched folder.
    struct WatchKey: Hashable {
        let watch: Int32
        let folder: String
        let name: String

        var path: String { self.folder == "/" ? "/" + self.name : self.folder + "/" + self.name }
        var number: UInt64 { FolderWatch.key(watch: self.watch, name: self.name) }
    }

    /// A folder's part in a pattern: its names are matched with the component of this number.
    private struct Interest: Hashable {
        let pattern: Int
        let component: Int
    }

    private static let linkCountMax = 8
    private static let folderDepthMax = 32

    private let patterns: PathPatterns
    private let watch: FolderWatch
    private let disk: any FileSystem
    /// Per folder, as reached, the patterns that go through it.
    private var interests: [String: Set<Interest>] = [:]
    /// Per name behind a link the paths that lead through it.
    private var linkTargets: [UInt64: Set<String>] = [:]
    /// Per followed path the keys under which `linkTargets` has it.
    private var linkKeys: [String: [UInt64]] = [:]

    init(options: TailOptions, watch: FolderWatch, disk: any FileSystem) {
        self.patterns = PathPatterns(paths: options.paths, excluded: options.excluded)
        self.watch = watch
        self.disk = disk
        watch.changed = { [weak self] in self?.handle($0) }
    }

    /// Looks at everything; reports every candidate.
    func scan() {
        for index in self.patterns.components.indices {
            self.visit("/", Interest(pattern: index, component: 0), depth: 0)
        }
    }

    /// Whether a path is one that the patterns name.
    func isFollowed(_ path: String) -> Bool { self.patterns.isFollowed(path) }

    private func visit(_ folder: String, _ interest: Interest, depth: Int) {
        let components = self.patterns.components[interest.pattern]
        guard interest.component < components.count, depth <= Self.folderDepthMax else { return }
        let isLast = interest.component == components.count - 1
        let component = components[interest.component]
        self.interests[folder, default: []].insert(interest)
        _ = self.watch.add(folder, contents: isLast)
        if component == "**" {
            self.visit(folder, Interest(pattern: interest.pattern, component: interest.component + 1), depth: depth)
        }
        if !isLast, !PathText.isPattern(component) {
            return self.consider(component, in: folder, interest, depth: depth)
        }
        for name in self.names(folder) { self.consider(name, in: folder, interest, depth: depth) }
    }

    private func names(_ folder: String) -> [String] {
        do throws(FileSystemError) {
            return try self.disk.list(folder)
        } catch {
            // No such folder, or no right to read it: the watch above it tells when that changes.
            return []
        }
    }

    /// Goes on with a name that may match a pattern.
    private func consider(
        _ name: String,
        in folder: String,
        _ interest: Interest,
        depth: Int,
        hasVanished: Bool = false
    ) {
        let components = self.patterns.components[interest.pattern]
        let component = components[interest.component]
        let path = folder == "/" ? "/" + name : folder + "/" + name
        if component == "**" {
            if !name.hasPrefix("."), self.isFolder(path, followsLinks: false) {
                self.visit(path, interest, depth: depth + 1)
            }
            return
        }
        guard PathText.matches(name, pattern: component) else { return }
        if interest.component == components.count - 1 {
            if !self.patterns.isExcluded(path) { self.candidateChanged(path, hasVanished) }
        } else if self.isFolder(path, followsLinks: true) {
            self.visit(path, Interest(pattern: interest.pattern, component: interest.component + 1), depth: depth + 1)
        }
    }

    private func isFolder(_ path: String, followsLinks: Bool) -> Bool {
        if !followsLinks, PathText.linkTarget(path) != nil { return false }
        do throws(FileSystemError) {
            return try self.disk.status(path)?.kind == .directory
        } catch {
            return false
        }
    }

    /// Watches every folder that a path's links lead through; the name of the file itself at their end.
    func follow(_ path: String) -> WatchKey? {
        var current = path
        for _ in 0...Self.linkCountMax {
            let folder = current.parentFolder
            let target = PathText.linkTarget(current)
            guard let number = self.watch.add(folder, contents: target == nil) else { return nil }
            let key = WatchKey(watch: number, folder: folder, name: current.lastPathComponent)
            self.linkTargets[key.number, default: []].insert(path)
            self.linkKeys[path, default: []].append(key.number)
            guard let target else { return key }
            current = PathText.joined(folder, target)
        }
        return nil
    }

    /// Forgets where a path's links led.
    func unfollow(_ path: String) {
        for key in self.linkKeys.removeValue(forKey: path) ?? [] {
            self.linkTargets[key]?.remove(path)
            if self.linkTargets[key]?.isEmpty == true { self.linkTargets[key] = nil }
        }
    }

    private func handle(_ event: FolderWatch.Event) {
        if event.kind == .folderGone {
            for folder in self.watch.folders(of: event.watch) { self.interests[folder] = nil }
            return
        }
        let followed = Array(self.linkTargets[FolderWatch.key(watch: event.watch, name: event.name)] ?? [])
        let hasVanished = event.kind == .vanished
        for folder in self.watch.folders(of: event.watch) {
            for interest in self.interests[folder] ?? [] {
                self.consider(event.name, in: folder, interest, depth: 0, hasVanished: hasVanished)
            }
            if event.kind == .renamed {
                self.renamed(WatchKey(watch: event.watch, folder: folder, name: event.name))
            }
        }
        for path in followed { self.candidateChanged(path, hasVanished) }
    }
}

/// Paths and patterns as text.
enum PathText {
    /// Whether a component has something to expand.
    static func isPattern(_ component: String) -> Bool {
        component.utf8.contains { $0 == 0x2A || $0 == 0x3F || $0 == 0x5B }
    }

    /// Whether the whole text matches a shell pattern; `*` also matches slashes, as fnmatch without flags does.
    static func matches(_ text: String, pattern: String) -> Bool {
        if text.hasPrefix("."), !pattern.hasPrefix(".") { return false }
        return fnmatch(pattern, text, 0) == 0
    }

    /// Where a symbolic link leads, as written; `nil` when the path is none.
    static func linkTarget(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink(path, start, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
        }
    }

    /// Where a chain of links leads.
    static func resolved(_ path: String) -> String {
        var target = path
        var linkCount = 0
        while let next = Self.linkTarget(target), linkCount < 8 {
            target = Self.joined(target.parentFolder, next)
            linkCount += 1
        }
        return target
    }

    /// A link's target as seen from the link's folder, without `.` and `..`.
    static func joined(_ folder: String, _ target: String) -> String {
        var components: [Substring] = target.hasPrefix("/") ? [] : folder.split(separator: "/")
        for component in target.split(separator: "/") where component != "." {
            if component == ".." {
                // `..` of a folder that is itself a link is rare in log trees; the file is then found by polling.
                if !components.isEmpty { components.removeLast() }
            } else {
                components.append(component)
            }
        }
        return "/" + components.joined(separator: "/")
    }
}
