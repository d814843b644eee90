internal import Glibc
internal import LeatCore

/// Which paths a `tail` follows.
struct PathPatterns {
    /// Each pattern's components from the root.
    let components: [[String]]
    private let excluded: [String]

    /// `paths` are shell patterns in which `**` stands for any folders; `excluded` are patterns of paths, or of names when they
    /// have no slash.
    init(paths: [String], excluded: [String]) {
        self.components = paths.map { path in
            Self.absolute(path).split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        }
        self.excluded = excluded
    }

    /// The path from the root; a relative one begins at the working folder.
    static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let folder = getcwd(nil, 0) else { return "/" + path }
        defer { free(folder) }
        return String(cString: folder) + "/" + path
    }

    /// Whether a path is left out.
    func isExcluded(_ path: String) -> Bool {
        self.excluded.contains { pattern in
            let text = pattern.contains("/") ? path : path.lastPathComponent
            return PathText.matches(text, pattern: pattern)
        }
    }

    /// Whether a path is one that the patterns name.
    func isFollowed(_ path: String) -> Bool {
        let components = path.split(separator: "/").map(String.init)[...]
        return !self.isExcluded(path) && self.components.contains { Self.matches(components, $0[...]) }
    }

    private static func matches(_ components: ArraySlice<String>, _ pattern: ArraySlice<String>) -> Bool {
        guard let first = pattern.first else { return components.isEmpty }
        let rest = pattern.dropFirst()
        if first == "**" {
            return components.indices.contains { Self.matches(components[$0...], rest) }
        }
        guard let name = components.first, PathText.matches(name, pattern: first) else { return false }
        return Self.matches(components.dropFirst(), rest)
    }
}
