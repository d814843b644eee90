internal import LeatCore

/// A path with `*`, `?` and `[…]` in its components, as a shell expands it.
struct PathPattern: Hashable, Sendable {
    private let isAbsolute: Bool
    private let components: [String]

    init(_ path: String) {
        self.isAbsolute = path.hasPrefix("/")
        self.components = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
    }

    /// Whether a path has anything to expand.
    static func isPattern(_ path: String) -> Bool { path.contains { $0 == "*" || $0 == "?" || $0 == "[" } }

    /// The paths that exist, sorted; folders that cannot be read have no entries.
    func matches(in files: any FileSystem) -> [String] {
        var found = [self.isAbsolute ? "/" : ""]
        for component in self.components {
            found = found.flatMap { Self.expand(component, in: $0, files) }
        }
        return found
    }

    private static func expand(_ component: String, in folder: String, _ files: any FileSystem) -> [String] {
        guard Self.isPattern(component) else {
            let path = folder + component
            let exists: Bool
            do { exists = try files.status(path) != nil } catch { exists = false }
            return exists ? [path + "/"].map { Self.withoutSlash($0, files) } : []
        }
        let names: [String]
        do { names = try files.list(folder.isEmpty ? "." : folder) } catch { return [] }
        return names.filter { !$0.hasPrefix(".") || component.hasPrefix(".") }
            .filter { Self.matches(Array($0.utf8)[...], Array(component.utf8)[...]) }
            .map { Self.withoutSlash(folder + $0 + "/", files) }
    }

    /// A folder keeps its slash, so that the next component can be put behind it; a file has none.
    private static func withoutSlash(_ path: String, _ files: any FileSystem) -> String {
        let plain = String(path.dropLast())
        do {
            return try files.status(plain)?.kind == .directory ? path : plain
        } catch {
            return plain
        }
    }

    /// Whether a name matches one component (POSIX fnmatch without escapes).
    static func matches(_ name: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
        var name = name
        var pattern = pattern
        var star: (name: ArraySlice<UInt8>, pattern: ArraySlice<UInt8>)?
        while true {
            if let first = pattern.first, first == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                star = (name, pattern)
            } else if let rest = Self.matchOne(name.first, &pattern) {
                if rest { name = name.dropFirst() } else { return true }
            } else if let (starName, starPattern) = star, !starName.isEmpty {
                name = starName.dropFirst()
                pattern = starPattern
                star = (name, pattern)
            } else {
                return false
            }
        }
    }

    /// Takes one element of the pattern for one byte: `true` when it fits, `false` when both are at their end.
    private static func matchOne(_ byte: UInt8?, _ pattern: inout ArraySlice<UInt8>) -> Bool? {
        guard let element = pattern.first else { return byte == nil ? false : nil }
        guard let byte else { return nil }
        switch element {
        case UInt8(ascii: "?"):
            pattern = pattern.dropFirst()
            return true
        case UInt8(ascii: "["):
            guard let end = pattern.dropFirst(2).firstIndex(of: UInt8(ascii: "]")) else { fallthrough }
            let set = pattern[(pattern.startIndex + 1)..<end]
            guard Self.set(set, contains: byte) else { return nil }
            pattern = pattern[(end + 1)...]
            return true
        default:
            guard element == byte else { return nil }
            pattern = pattern.dropFirst()
            return true
        }
    }

    private static func set(_ set: ArraySlice<UInt8>, contains byte: UInt8) -> Bool {
        let isNegated = set.first == UInt8(ascii: "!") || set.first == UInt8(ascii: "^")
        var rest = isNegated ? set.dropFirst() : set
        var found = false
        while let low = rest.popFirst() {
            if rest.count >= 2, rest.first == UInt8(ascii: "-") {
                let high = rest[rest.startIndex + 1]
                rest = rest.dropFirst(2)
                found = found || (low...max(low, high)).contains(byte)
            } else {
                found = found || low == byte
            }
        }
        return found != isNegated
    }
}
