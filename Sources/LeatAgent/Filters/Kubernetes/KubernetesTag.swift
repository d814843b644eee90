internal import LeatCore

/// The container that a route tag names, from the path of its log file.
struct KubernetesTag: Hashable, Sendable {
    let pod: String
    let namespace: String
    let container: String
    let containerID: String?
    let podUID: String?

    /// Reads a tag made of a path with dots for slashes: `PREFIX` and the file's name as in `/var/log/containers`, or
    /// a path below `/var/log/pods`.
    init?(_ tag: String, prefix: String) {
        if tag.hasPrefix(prefix), let name = ContainerFileName(tag.dropFirst(prefix.count)) {
            self.init(name)
        } else if let rest = Self.after(".containers.", in: tag), let name = ContainerFileName(rest) {
            self.init(name)
        } else if let rest = Self.after(".pods.", in: tag) {
            self.init(podPath: rest)
        } else {
            return nil
        }
    }

    private init(_ name: ContainerFileName) {
        self.pod = name.pod
        self.namespace = name.namespace
        self.container = name.container
        self.containerID = name.containerID
        self.podUID = nil
    }

    /// Reads `NAMESPACE_POD_UID.CONTAINER.N.log`.
    private init?(podPath: Substring) {
        let parts = podPath.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let dot = parts[2].firstIndex(of: "."), parts[2].hasSuffix(".log") else { return nil }
        let rest = parts[2][parts[2].index(after: dot)...].dropLast(4)
        guard let last = rest.lastIndex(of: "."), !rest[..<last].isEmpty,
            rest[rest.index(after: last)...].allSatisfy(\.isNumber)
        else { return nil }
        self.namespace = String(parts[0])
        self.pod = String(parts[1])
        self.podUID = String(parts[2][..<dot])
        self.container = String(rest[..<last])
        self.containerID = nil
    }

    private static func after(_ marker: String, in tag: String) -> Substring? {
        var index = tag.startIndex
        while index < tag.endIndex {
            if tag[index...].hasPrefix(marker) { return tag[index...].dropFirst(marker.count) }
            index = tag.index(after: index)
        }
        return nil
    }
}
