internal import LeatCore
internal import LeatParsing

/// What the cluster says about a pod, as far as events get it.
struct PodMetadata: Hashable, Sendable {
    let namespace: String
    let name: String
    let uid: String
    var ip: String?
    /// The node.
    var host: String?
    /// As JSON objects, `nil` when there are none.
    var labels: [UInt8]?
    var annotations: [UInt8]?
    /// As a JSON array.
    var ownerReferences: [UInt8]?
    /// Annotations that the filter itself obeys, by name.
    var directives: [String: String] = [:]
    /// Per container its id, its image and the image's digest.
    var containers: [String: Image] = [:]

    struct Image: Hashable, Sendable {
        let name: String
        let hash: String
        let containerID: String
    }

    /// The part of annotation names that are meant for log collectors.
    private static let directivePrefixes = ["fluentbit.io/", "leat.io/"]

    /// Reads a pod as the API server and the kubelet describe it; `nil` when nobody says its name and namespace.
    ///
    /// Those that are given count before what the pod says, as for files that are named for another pod.
    init?(_ pod: JSONValue, namespace: String? = nil, name: String? = nil) {
        guard let metadata = pod["metadata"], let name = name ?? metadata["name"]?.string,
            let namespace = namespace ?? metadata["namespace"]?.string
        else { return nil }
        self.name = name
        self.namespace = namespace
        self.uid = metadata["uid"]?.string ?? ""
        self.ip = pod["status"]?["podIP"]?.string
        self.host = pod["spec"]?["nodeName"]?.string
        self.labels = Self.object(metadata["labels"])
        self.annotations = Self.object(metadata["annotations"])
        self.ownerReferences = metadata["ownerReferences"].map { Array($0.jsonText.utf8) }
        for member in metadata["annotations"]?.object ?? [] {
            guard let prefix = Self.directivePrefixes.first(where: { member.key.hasPrefix($0) }) else { continue }
            self.directives[String(member.key.dropFirst(prefix.count))] = member.value.string
        }
        for list in ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"] {
            for status in pod["status"]?[list]?.array ?? [] { self.add(status) }
        }
    }

    private mutating func add(_ status: JSONValue) {
        guard let name = status["name"]?.string else { return }
        let hash = status["imageID"]?.string ?? ""
        self.containers[name] = Image(
            name: status["image"]?.string ?? "",
            hash: hash.hasPrefix("docker-pullable://") ? String(hash.dropFirst(18)) : hash,
            // `containerd://` and the like say who runs it.
            containerID: status["containerID"]?.string?.split(separator: "/").last.map(String.init) ?? ""
        )
    }

    private static func object(_ value: JSONValue?) -> [UInt8]? {
        guard let value, value.object?.isEmpty == false else { return nil }
        return Array(value.jsonText.utf8)
    }

    /// The value of a directive for a container and stream: the most particular one, such as `parser_stderr-web`.
    func directive(_ name: String, container: String, stream: LogStream?) -> String? {
        let stems = stream.map { ["\(name)_\($0.name)", name] } ?? [name]
        // What is said of the container counts before what is said of a stream.
        for key in stems.map({ "\($0)-\(container)" }) + stems {
            if let value = self.directives[key] { return value }
        }
        return nil
    }
}
