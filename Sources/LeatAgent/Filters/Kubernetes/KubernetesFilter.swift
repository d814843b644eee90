internal import LeatCore
internal import LeatParsing

/// `kubernetes`: adds what is known about the pod, and reads JSON in `log`.
///
/// What is added is made once per route tag, as JSON bytes, and made again only when the pod changes. Without an answer
/// of the cluster the file's name still gives pod, namespace and container.
final class KubernetesFilter: EventFilter {
    /// Tags whose metadata is kept; beyond it all are made anew, which is rare and cheap.
    static let tagCountMax = 4096

    private let options: KubernetesOptions
    private let directory: (any PodDirectory)?
    private var merge: LogMerge?
    private var known: [String: TagMetadata] = [:]
    private var output = EventList()

    /// A filter that asks `directory`, or only the tag without one.
    init(_ options: KubernetesOptions, directory: (any PodDirectory)?) {
        self.options = options
        self.directory = options.usesTagOnly ? nil : directory
        if options.mergesLog {
            self.merge = LogMerge(key: options.mergeKey, keepsLog: options.keepsLog, trims: options.trimsMerged)
        }
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        let metadata = self.metadata(of: tag)
        if metadata.isExcluded(.stdout) && metadata.isExcluded(.stderr) {
            events.removeAll()
            return
        }
        if self.merge == nil && metadata.members.isEmpty && !metadata.excludesAny { return }
        self.output.removeAll()
        self.output.bytes.reserveCapacity(events.bytes.count + events.count * (metadata.members.count + 1))
        for index in 0..<events.count {
            events.withMembers(of: index) { members in
                if metadata.excludesAny, metadata.isExcluded(Self.stream(of: members)) { return }
                self.append(members, metadata)
                self.output.endEvent(time: events.times[index])
            }
        }
        swap(&events, &self.output)
    }

    /// Appends one event with what is to be added.
    private func append(_ members: UnsafeRawBufferPointer, _ metadata: TagMetadata) {
        let start = self.output.bytes.count
        if self.merge?.append(members, to: &self.output.bytes) != true {
            self.output.bytes.append(contentsOf: members)
        }
        if metadata.members.isEmpty { return }
        if self.output.bytes.count > start { self.output.bytes.append(UInt8(ascii: ",")) }
        self.output.bytes += metadata.members
    }

    private func metadata(of tag: RouteTag) -> TagMetadata {
        let generation = self.directory?.generation ?? 0
        if let known = self.known[tag.text], known.generation == generation { return known }
        if self.known.count >= Self.tagCountMax { self.known.removeAll() }
        let made = TagMetadata(tag.text, self.options, self.directory, generation: generation)
        self.known[tag.text] = made
        return made
    }

    /// The stream that an event came from; `nil` when the record does not say.
    private static func stream(of members: UnsafeRawBufferPointer) -> LogStream? {
        var scanner = MemberScanner(members)
        while let member = scanner.next() {
            guard members.slice(member.name).isEqual(to: "stream") else { continue }
            if members.slice(member.value).isEqual(to: "\"stdout\"") { return .stdout }
            return members.slice(member.value).isEqual(to: "\"stderr\"") ? .stderr : nil
        }
        return nil
    }
}

/// What the filter was configured to do.
struct KubernetesOptions: Sendable {
    var tagPrefix = "kube.var.log.containers."
    var mergesLog = false
    var mergeKey: String?
    var trimsMerged = true
    var keepsLog = true
    var addsLabels = true
    var addsAnnotations = true
    var addsOwners = false
    var addsNamespaceLabels = false
    var addsNamespaceAnnotations = false
    var obeysExclude = false
    var obeysParser = false
    var usesTagOnly = false

    init() {}

    init(_ settings: Settings) {
        self.tagPrefix = settings.text("kube_tag_prefix") ?? self.tagPrefix
        self.mergesLog = settings.flag("merge_log")
        self.mergeKey = settings.text("merge_log_key")
        self.trimsMerged = settings.flag("merge_log_trim")
        self.keepsLog = settings.flag("keep_log")
        self.addsLabels = settings.flag("labels")
        self.addsAnnotations = settings.flag("annotations")
        self.addsOwners = settings.flag("owner_references")
        self.addsNamespaceLabels = settings.flag("namespace_labels")
        self.addsNamespaceAnnotations = settings.flag("namespace_annotations")
        self.obeysExclude = settings.flag("k8s-logging.exclude")
        self.obeysParser = settings.flag("k8s-logging.parser")
        self.usesTagOnly = settings.flag("use_tag_for_meta")
    }
}
