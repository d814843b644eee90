internal import LeatCore

/// Pods that are known, by namespace and name.
///
/// The loop's client feeds a `PodCache`; files can be read before. Asked only from the loop.
protocol PodDirectory: AnyObject {
    /// The pod, if it is known.
    func pod(namespace: String, name: String) -> PodMetadata?

    /// The labels and annotations of a namespace, as JSON objects.
    func namespace(_ name: String) -> NamespaceMetadata?

    /// Grows whenever something changed, so that what was made of it can be made anew.
    var generation: Int { get }
}

/// What the cluster says about a namespace.
struct NamespaceMetadata: Hashable, Sendable {
    var labels: [UInt8]?
    var annotations: [UInt8]?
}

/// Pods as the API server, the kubelet or files have described them, bounded by what runs on a node.
///
/// A pod that is deleted stays for a while, since its last lines are often read after it is gone.
final class PodCache: PodDirectory {
    /// Pods that are kept after their deletion; older ones go first.
    static let deletedCountMax = 1000

    private struct Key: Hashable {
        let namespace: String
        let name: String
    }

    private var pods: [Key: PodMetadata] = [:]
    private var namespaces: [String: NamespaceMetadata] = [:]
    private var deleted: [Key] = []
    private(set) var generation = 0

    init() {}

    private static let podSuffix = ".meta"
    private static let namespaceSuffix = ".namespace_meta"

    /// A cache with the pods of a folder of files `NAMESPACE_POD.meta` and the namespaces of `NAMESPACE.namespace_meta`.
    ///
    /// Each is the object as JSON; whose it is, its file's name says.
    init(folder: String, files: any FileSystem) throws(FileSystemError) {
        for name in try files.list(folder) {
            let isNamespace = name.hasSuffix(Self.namespaceSuffix)
            guard isNamespace || name.hasSuffix(Self.podSuffix) else { continue }
            let bytes = try files.contents("\(folder)/\(name)")
            do throws(JSONError) {
                let value = try bytes.withUnsafeBytes { bytes throws(JSONError) in try JSONValue(bytes) }
                if isNamespace {
                    self.insertNamespace(value, name: String(name.dropLast(Self.namespaceSuffix.count)))
                } else {
                    let parts = name.dropLast(Self.podSuffix.count).split(separator: "_", maxSplits: 1).map(String.init)
                    self.insert(value, namespace: parts.first, name: parts.count > 1 ? parts[1] : nil)
                }
            } catch {
                continue  // A file that is no JSON describes no pod.
            }
        }
    }

    func pod(namespace: String, name: String) -> PodMetadata? { self.pods[Key(namespace: namespace, name: name)] }

    func namespace(_ name: String) -> NamespaceMetadata? { self.namespaces[name] }

    /// Takes a pod as it is now; a recreated pod of the same name replaces the old one.
    ///
    /// Namespace and name, if given, count before what the pod says.
    func insert(_ value: JSONValue, namespace: String? = nil, name: String? = nil) {
        guard let pod = PodMetadata(value, namespace: namespace, name: name) else { return }
        let key = Key(namespace: pod.namespace, name: pod.name)
        if self.pods[key] != pod {
            self.pods[key] = pod
            self.generation += 1
        }
        self.deleted.removeAll { $0 == key }
    }

    /// Notes that a pod is gone.
    func delete(namespace: String, name: String) {
        let key = Key(namespace: namespace, name: name)
        guard self.pods[key] != nil, !self.deleted.contains(key) else { return }
        self.deleted.append(key)
        if self.deleted.count > Self.deletedCountMax { self.pods[self.deleted.removeFirst()] = nil }
    }

    /// Takes the whole list of pods: those that are not in it are gone.
    func replaceAll(_ list: [JSONValue]) {
        var present: Set<Key> = []
        for value in list {
            guard let pod = PodMetadata(value) else { continue }
            present.insert(Key(namespace: pod.namespace, name: pod.name))
            self.insert(value)
        }
        for key in self.pods.keys where !present.contains(key) { self.delete(namespace: key.namespace, name: key.name) }
    }

    /// Takes a namespace as it is now.
    func insertNamespace(_ value: JSONValue, name: String? = nil) {
        guard let metadata = value["metadata"], let name = metadata["name"]?.string ?? name else { return }
        let new = NamespaceMetadata(
            labels: metadata["labels"].map { Array($0.jsonText.utf8) },
            annotations: metadata["annotations"].map { Array($0.jsonText.utf8) }
        )
        if self.namespaces[name] != new {
            self.namespaces[name] = new
            self.generation += 1
        }
    }
}
