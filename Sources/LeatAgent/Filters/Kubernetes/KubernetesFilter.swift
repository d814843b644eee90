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
    private let parsers: ParserRegistry
    private let directory: (any PodDirectory)?
    private let mergeParser: LineParser?
    private let tagParser: LineParser?
    private var merge: LogMerge?
    private var known: [String: TagMetadata] = [:]
    private var output = EventList()
    /// Asks the cluster, once `start` was called.
    private var client: PodClient?

    /// A filter that asks `directory`, or only the tag without one.
    init(
        _ options: KubernetesOptions,
        parsers: ParserRegistry,
        directory: (any PodDirectory)?,
        mergeParser: LineParser? = nil,
        tagParser: LineParser? = nil
    ) {
        self.options = options
        self.parsers = parsers
        self.mergeParser = mergeParser
        self.tagParser = tagParser
        self.directory = options.usesTagOnly ? nil : directory
        if options.mergesLog {
            self.merge = LogMerge(key: options.mergeKey, keepsLog: options.keepsLog, trims: options.trimsMerged)
        }
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        if self.options.usesJournal { return self.applyToJournal(&events, &context) }
        let metadata = self.metadata(of: tag)
        if metadata.isExcluded(.stdout) && metadata.isExcluded(.stderr) {
            events.removeAll()
            return
        }
        if self.merge == nil && metadata.members.isEmpty && !metadata.excludesAny { return }
        let isMerged = self.merge == nil || events.merged.count == events.count
        if context.isLast, isMerged, !metadata.excludesAny {
            events.commonTail = metadata.members
            return
        }
        // Taken out of the object, whose fields cost a check at every access.
        var output = EventList()
        swap(&output, &self.output)
        output.removeAll()
        let addedByteCount = context.isLast ? 0 : metadata.members.count
        output.bytes.reserveCapacity(events.bytes.count + events.count * (addedByteCount + 1))
        var merged = events.merged[...]
        for index in 0..<events.count {
            let isMerged = merged.first == Int32(index)
            if isMerged { merged.removeFirst() }
            events.withMembers(of: index) { members in
                self.append(members, time: events.times[index], isMerged: isMerged, metadata, &context, to: &output)
            }
        }
        if context.isLast { output.commonTail = metadata.members }
        swap(&events, &output)
        swap(&output, &self.output)
    }

    /// How the input may merge the objects of a tag's lines itself; `nil` where the filter needs their text.
    func earlyMerge(for tag: RouteTag) -> EarlyMerge? {
        guard self.merge != nil, self.options.mergeKey == nil, !self.options.keepsLog, !self.options.usesJournal,
            self.mergeParser == nil
        else { return nil }
        return self.metadata(of: tag).parsers.isEmpty ? EarlyMerge(trims: self.options.trimsMerged) : nil
    }

    private func metadata(of tag: RouteTag) -> TagMetadata {
        self.metadata(of: tag.text) {
            KubernetesTag(tag.text, prefix: self.options.tagPrefix, parser: self.tagParser)
        }
    }

    /// Events of the journal: each names its container itself.
    private func applyToJournal(_ events: inout EventList, _ context: inout FilterContext) {
        var output = EventList()
        for index in 0..<events.count {
            events.withMembers(of: index) { members in
                let name = Self.text(of: "CONTAINER_NAME", in: members) ?? ""
                let metadata = self.metadata(of: name) {
                    KubernetesTag(
                        journalName: name,
                        containerID: Self.text(of: "CONTAINER_ID_FULL", in: members)
                    )
                }
                self.append(members, time: events.times[index], metadata, &context, to: &output)
            }
        }
        swap(&events, &output)
    }

    /// Appends one event with what is to be added, unless it is left out.
    private func append(
        _ members: UnsafeRawBufferPointer,
        time: Int64,
        isMerged: Bool = false,
        _ metadata: TagMetadata,
        _ context: inout FilterContext,
        to output: inout EventList
    ) {
        var stream: LogStream?
        if metadata.excludesAny || !metadata.parsers.isEmpty { stream = Self.stream(of: members) }
        if metadata.excludesAny, metadata.isExcluded(stream) { return }
        let start = output.bytes.count
        var time = time
        let parser = metadata.parsers.isEmpty ? self.mergeParser : self.parser(of: stream, metadata, &context)
        let outcome =
            isMerged
            ? nil
            : self.merge?.append(
                members,
                parser: parser,
                addsMetadata: !metadata.members.isEmpty,
                now: context.now,
                to: &output.bytes
            )
        switch outcome {
        case .merged(let parsed): time = parsed?.nanoseconds ?? time
        case .untouched, nil: output.bytes.append(contentsOf: members)
        }
        if !metadata.members.isEmpty, !context.isLast || self.options.usesJournal {
            if output.bytes.count > start { output.bytes.append(UInt8(ascii: ",")) }
            output.bytes += metadata.members
        }
        output.endEvent(time: time)
    }

    /// The parser that the pod asks for, else the configured one.
    private func parser(
        of stream: LogStream?,
        _ metadata: TagMetadata,
        _ context: inout FilterContext
    ) -> LineParser? {
        // Without a stream, that of the stream that most pods write to.
        guard let name = metadata.parsers[stream ?? .stdout] else { return self.mergeParser }
        do throws(Diagnostics) {
            if let parser = try self.parsers.parser(named: name) { return parser }
            context.warnings.append("a pod asks for the parser '\(name)', which is not configured")
        } catch {
            context.warnings.append("a pod asks for the parser '\(name)': \(error)")
        }
        return self.mergeParser
    }

    private func metadata(of name: String, _ container: () -> KubernetesTag?) -> TagMetadata {
        let generation = self.directory?.generation ?? 0
        if let known = self.known[name], known.generation == generation { return known }
        if self.known.count >= Self.tagCountMax { self.known.removeAll() }
        let made = TagMetadata(container(), self.options, self.directory, generation: generation)
        self.known[name] = made
        return made
    }

    // MARK: the cluster

    /// Begins to ask the cluster, if that is configured; what is wrong with its certificates is thrown.
    func start(_ services: FilterServices) throws(Diagnostics) {
        guard let cache = self.directory as? PodCache, let client = self.options.client else { return }
        let watch = PodWatch(
            self.options.source(environment: services.environment, files: services.files),
            wantsNamespaces: self.options.addsNamespaceLabels || self.options.addsNamespaceAnnotations,
            cache: cache
        )
        do throws(TLSFailure) {
            let made = try PodClient(
                client,
                watch: watch,
                loop: services.loop,
                files: services.files,
                log: services.log
            )
            self.client = made
            made.start()
        } catch {
            // Outside of a cluster there is no certificate; paths still tell a lot.
            services.log.once("\(error.reason); metadata comes from paths only", .warning)
        }
    }

    func stop() { self.client?.stop() }

    var isReady: Bool { self.client?.isReady ?? true }

    private static func text(of name: StaticString, in members: UnsafeRawBufferPointer) -> String? {
        var scanner = MemberScanner(members)
        while let member = scanner.next() {
            guard members.slice(member.name).isEqual(to: name) else { continue }
            var text: [UInt8] = []
            RecordTemplate.appendText(of: members.slice(member.value), to: &text)
            return String(decoding: text, as: UTF8.self)
        }
        return nil
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
