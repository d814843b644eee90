internal import LeatCore
internal import LeatParsing

/// What is added to the events of one route tag.
struct TagMetadata: Sendable {
    /// The members to add, such as `"kubernetes":{…}`; empty when nothing is known.
    private(set) var members: [UInt8] = []
    /// The state of the directory that this was made of.
    let generation: Int
    /// Streams whose events are left out.
    private var excluded: Set<LogStream> = []
    /// Parsers that the pod chose for its streams.
    private(set) var parsers: [LogStream: String] = [:]

    init(
        _ container: KubernetesTag?,
        _ options: KubernetesOptions,
        _ directory: (any PodDirectory)?,
        generation: Int
    ) {
        self.generation = generation
        if options.usesDummy { self.members = Array("\"kubernetes\":{\"dummy\":\"true\"}".utf8) }
        guard let container, !options.usesDummy else { return }
        let pod = directory?.pod(namespace: container.namespace, name: container.pod)
        // A pod of the same name but with another uid is another pod.
        let isSame = container.podUID == nil || pod?.uid == container.podUID
        self.write(container, isSame ? pod : nil, directory?.namespace(container.namespace), options)
        if let pod, isSame { self.obey(pod, container, options) }
    }

    var excludesAny: Bool { !self.excluded.isEmpty }

    /// Whether events of a stream are left out; of an unknown one when both are.
    func isExcluded(_ stream: LogStream?) -> Bool {
        guard let stream else { return self.excluded.count == LogStream.allCases.count }
        return self.excluded.contains(stream)
    }

    private mutating func obey(_ pod: PodMetadata, _ container: KubernetesTag, _ options: KubernetesOptions) {
        for stream in LogStream.allCases {
            if options.obeysExclude,
                let text = pod.directive("exclude", container: container.container, stream: stream),
                SettingValue.flag(text) == true
            {
                self.excluded.insert(stream)
            }
            if options.obeysParser {
                self.parsers[stream] = pod.directive("parser", container: container.container, stream: stream)
            }
        }
    }

    private mutating func write(
        _ container: KubernetesTag,
        _ pod: PodMetadata?,
        _ namespace: NamespaceMetadata?,
        _ options: KubernetesOptions
    ) {
        var writer = JSONWriter()
        writer.beginObject()
        Self.write("pod_name", container.pod, to: &writer)
        Self.write("namespace_name", container.namespace, to: &writer)
        Self.write("pod_id", pod?.uid ?? container.podUID, to: &writer)
        Self.write("pod_ip", pod?.ip, to: &writer)
        Self.write("labels", json: options.addsLabels ? pod?.labels : nil, to: &writer)
        Self.write("annotations", json: options.addsAnnotations ? pod?.annotations : nil, to: &writer)
        Self.write("ownerReferences", json: options.addsOwners ? pod?.ownerReferences : nil, to: &writer)
        Self.write("host", pod?.host, to: &writer)
        Self.write("container_name", container.container, to: &writer)
        let image = pod?.containers[container.container]
        Self.write("docker_id", container.containerID ?? image?.containerID, to: &writer)
        Self.write("container_hash", image?.hash, to: &writer)
        Self.write("container_image", image?.name, to: &writer)
        writer.endObject()
        if options.addsPod { self.members = Array("\"kubernetes\":".utf8) + writer.bytes }
        let labels = options.addsNamespaceLabels ? namespace?.labels : nil
        let annotations = options.addsNamespaceAnnotations ? namespace?.annotations : nil
        guard labels != nil || annotations != nil else { return }
        var second = JSONWriter()
        second.beginObject()
        Self.write("name", container.namespace, to: &second)
        Self.write("labels", json: labels, to: &second)
        Self.write("annotations", json: annotations, to: &second)
        second.endObject()
        if !self.members.isEmpty { self.members.append(UInt8(ascii: ",")) }
        self.members += Array("\"kubernetes_namespace\":".utf8) + second.bytes
    }

    private static func write(_ name: String, _ text: String?, to writer: inout JSONWriter) {
        guard let text, !text.isEmpty else { return }
        writer.key(name)
        writer.value(text)
    }

    private static func write(_ name: String, json: [UInt8]?, to writer: inout JSONWriter) {
        guard let json else { return }
        writer.key(name)
        json.withUnsafeBytes { writer.raw($0) }
    }
}
