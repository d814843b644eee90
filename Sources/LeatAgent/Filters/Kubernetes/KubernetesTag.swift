internal import LeatCore
internal import LeatParsing

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

    /// Reads a tag with a parser (`Regex_Parser`) that names `pod_name`, `namespace_name` and `container_name`, or as above.
    init?(_ tag: String, prefix: String, parser: LineParser?) {
        guard let parser else {
            self.init(tag, prefix: prefix)
            return
        }
        var members: [UInt8] = []
        let text = ByteSlice(tag.hasPrefix(prefix) ? String(tag.dropFirst(prefix.count)) : tag)
        let now = Timestamp(nanoseconds: 0)
        guard case .parsed = text.withUnsafeBytes({ parser.parse($0, now: now, into: &members, from: 0) }) else {
            return nil
        }
        let value = { (name: String) -> String? in
            let path = FieldPath(name: name)
            return members.withUnsafeBytes { bytes in
                guard let range = path.find(in: bytes) else { return nil }
                var text: [UInt8] = []
                RecordTemplate.appendText(of: bytes.slice(range), to: &text)
                return String(decoding: text, as: UTF8.self)
            }
        }
        guard let pod = value("pod_name"), let namespace = value("namespace_name") else { return nil }
        self.init(
            pod: pod,
            namespace: namespace,
            container: value("container_name") ?? "",
            containerID: value("docker_id"),
            podUID: value("pod_id")
        )
    }

    /// Reads the name that docker gives a container of a pod: `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`.
    init?(journalName name: String, containerID: String?) {
        let parts = name.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "k8s" else { return nil }
        self.init(
            pod: String(parts[2]),
            namespace: String(parts[3]),
            // Before Kubernetes 1.6 a hash followed the container's name.
            container: String(parts[1].prefix { $0 != "." }),
            containerID: containerID,
            podUID: String(parts[4])
        )
    }

    private init(pod: String, namespace: String, container: String, containerID: String?, podUID: String?) {
        self.pod = pod
        self.namespace = namespace
        self.container = container
        self.containerID = containerID
        self.podUID = podUID
    }

    private init(_ name: ContainerFileName) {
        self.init(
            pod: name.pod,
            namespace: name.namespace,
            container: name.container,
            containerID: name.containerID,
            podUID: nil
        )
    }

    /// Reads `NAMESPACE_POD_UID.CONTAINER.N.log`.
    private init?(podPath: Substring) {
        let parts = podPath.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let dot = parts[2].firstIndex(of: "."), parts[2].hasSuffix(".log") else { return nil }
        let rest = parts[2][parts[2].index(after: dot)...].dropLast(4)
        guard let last = rest.lastIndex(of: "."), !rest[..<last].isEmpty,
            rest[rest.index(after: last)...].allSatisfy(\.isNumber)
        else { return nil }
        self.init(
            pod: String(parts[1]),
            namespace: String(parts[0]),
            container: String(rest[..<last]),
            containerID: nil,
            podUID: String(parts[2][..<dot])
        )
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
