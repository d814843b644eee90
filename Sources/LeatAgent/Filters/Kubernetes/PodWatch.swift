internal import LeatCore
internal import LeatParsing

/// Keeps a `PodCache` fresh: decides what to ask the cluster next, and reads the answers, without I/O.
///
/// From the API server: our own pod, for the node's name unless that is known; the list of the node's pods; then a watch
/// that tells changes as they happen, renewed when it ends and begun with a new list when the server has forgotten where
/// we were (410). From the kubelet, which has no watch: its list, again and again.
struct PodWatch {
    /// What to do next.
    enum Action: Hashable {
        /// Send a GET for this path; tell the answer.
        case get(String)
        /// Ask again after so many nanoseconds.
        case wait(UInt64)
    }

    /// Who is asked.
    enum Source: Hashable, Sendable {
        /// The API server; the node's name if it is known, and where our own pod is found otherwise.
        case apiServer(node: String?, ownNamespace: String?, ownPod: String?)
        case kubelet
    }

    private enum Phase: Hashable {
        case ownPod, list, watch, namespaces
    }

    /// The longest list or line that is read, in bytes.
    static let answerByteCountMax = 64 << 20
    private static let retryNanosecondsMin: UInt64 = 1_000_000_000
    private static let retryNanosecondsMax: UInt64 = 60_000_000_000
    private static let kubeletIntervalNanoseconds: UInt64 = 10_000_000_000

    private let source: Source
    private let wantsNamespaces: Bool
    private let cache: PodCache
    private var phase: Phase
    private var node: String?
    private var version = ""
    private var body: [UInt8] = []
    private var retryNanoseconds = PodWatch.retryNanosecondsMin
    private var isTooLong = false
    private var mustList = false

    /// Whether the pods of the node have been read once.
    private(set) var isReady = false

    /// Why the last answer was not useful; `nil` when it was.
    private(set) var failure: String?

    init(_ source: Source, wantsNamespaces: Bool, cache: PodCache) {
        self.source = source
        self.wantsNamespaces = wantsNamespaces
        self.cache = cache
        if case .apiServer(let node, _, let ownPod) = source {
            self.node = node
            self.phase = node == nil && ownPod != nil ? .ownPod : .list
        } else {
            self.phase = .list
        }
    }

    /// The first thing to do, and the one after a wait.
    mutating func next() -> Action {
        self.body.removeAll(keepingCapacity: false)
        self.isTooLong = false
        self.mustList = false
        return .get(self.path)
    }

    private var path: String {
        guard case .apiServer(_, let ownNamespace, let ownPod) = self.source else { return "/pods" }
        let selector = self.node.map { "&fieldSelector=spec.nodeName%3D\($0)" } ?? ""
        switch self.phase {
        case .ownPod: return "/api/v1/namespaces/\(ownNamespace ?? "default")/pods/\(ownPod ?? "")"
        case .list: return "/api/v1/pods?resourceVersion=0\(selector)"
        case .watch:
            return
                "/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=\(self.version)\(selector)"
        case .namespaces: return "/api/v1/namespaces?resourceVersion=0"
        }
    }

    /// Takes a piece of the answer's body.
    mutating func received(_ bytes: UnsafeRawBufferPointer) {
        guard self.body.count + bytes.count <= Self.answerByteCountMax else {
            self.isTooLong = true
            return
        }
        self.body.append(contentsOf: bytes)
        if self.phase == .watch { self.readLines() }
    }

    /// The answer has ended: its status, or `nil` when there was none, with the reason.
    mutating func ended(status: Int?, reason: String = "") -> Action {
        guard status == 200, !self.isTooLong else { return self.failed(status, reason) }
        self.failure = nil
        self.retryNanoseconds = Self.retryNanosecondsMin
        switch self.phase {
        case .ownPod:
            self.node = Self.value(self.body)?["spec"]?["nodeName"]?.string
            self.phase = .list
        case .list:
            self.readList()
            self.isReady = true
            if self.source == .kubelet { return .wait(Self.kubeletIntervalNanoseconds) }
            self.phase = self.wantsNamespaces ? .namespaces : .watch
        case .namespaces:
            self.body.withUnsafeBytes { body in
                Self.forEachItem(in: body) { self.cache.insertNamespace($0) }
            }
            self.phase = .watch
        case .watch:
            // A watch ends now and then; it goes on from the last version, unless that is forgotten.
            self.phase = self.mustList ? .list : .watch
            if self.mustList { return .wait(Self.retryNanosecondsMin) }
        }
        return self.next()
    }

    private mutating func failed(_ status: Int?, _ reason: String) -> Action {
        if self.isTooLong {
            self.failure = "the answer is longer than \(Self.answerByteCountMax) bytes"
        } else if let status {
            self.failure =
                "status \(status) to GET \(self.path): \(String(decoding: self.body.prefix(200), as: UTF8.self))"
        } else {
            self.failure = reason
        }
        // A watch that ends without an answer says nothing about what was missed; 410 says that it is too late to ask.
        if self.phase == .watch && (status != nil || self.mustList) { self.phase = .list }
        // Without the right to read our own pod the pods of all nodes are watched.
        if self.phase == .ownPod && status != nil { self.phase = .list }
        // Namespaces are not worth more than one try.
        if self.phase == .namespaces { self.phase = .watch }
        let wait = self.retryNanoseconds
        self.retryNanoseconds = min(self.retryNanoseconds * 2, Self.retryNanosecondsMax)
        return .wait(wait)
    }

    // MARK: answers

    private mutating func readList() {
        var pods: [JSONValue] = []
        self.body.withUnsafeBytes { body in
            Self.forEachItem(in: body) { pods.append($0) }
            self.version = Self.listVersion(body) ?? self.version
        }
        self.cache.replaceAll(pods)
        self.body.removeAll(keepingCapacity: false)
    }

    /// Reads the whole lines of a watch; each is an event.
    private mutating func readLines() {
        var splitter = 0
        self.body.withUnsafeBytes { body in
            while let end = body.firstIndex(ofByte: 0x0A, from: splitter) {
                let line = body.slice(splitter..<end)
                splitter = end + 1
                if let event = Self.value(line) { self.apply(event) }
            }
        }
        self.body.removeFirst(splitter)
    }

    private mutating func apply(_ event: JSONValue) {
        guard let object = event["object"] else { return }
        switch event["type"]?.string {
        case "ADDED", "MODIFIED": self.cache.insert(object)
        case "DELETED":
            if let name = object["metadata"]?["name"]?.string, let namespace = object["metadata"]?["namespace"]?.string
            {
                self.cache.delete(namespace: namespace, name: name)
            }
        case "ERROR":
            self.mustList = true
            return
        default: break  // A bookmark only moves the version.
        }
        if let version = object["metadata"]?["resourceVersion"]?.string { self.version = version }
    }

    /// Calls `body` with each element of a list's `items`, one tree at a time.
    private static func forEachItem(in list: UnsafeRawBufferPointer, _ body: (JSONValue) -> Void) {
        guard let items = Self.member("items", of: list.trimmed), items.count >= 2 else { return }
        var scanner = MemberScanner(items.slice(1..<items.count - 1))
        let elements = items.slice(1..<items.count - 1)
        while let range = scanner.nextElement() {
            if let value = Self.value(elements.slice(range)) { body(value) }
        }
    }

    private static func listVersion(_ list: UnsafeRawBufferPointer) -> String? {
        Self.member("metadata", of: list.trimmed).flatMap { Self.value($0) }?["resourceVersion"]?.string
    }

    private static func member(_ name: StaticString, of object: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard object.count >= 2, object[0] == UInt8(ascii: "{") else { return nil }
        let members = object.slice(1..<object.count - 1)
        var scanner = MemberScanner(members)
        while let member = scanner.next() {
            if members.slice(member.name).isEqual(to: name) { return members.slice(member.value) }
        }
        return nil
    }

    private static func value(_ bytes: [UInt8]) -> JSONValue? { bytes.withUnsafeBytes { Self.value($0) } }

    private static func value(_ bytes: UnsafeRawBufferPointer) -> JSONValue? {
        do throws(JSONError) { return try JSONValue(bytes) } catch { return nil }
    }
}
