import LeatCore
import Testing

@testable import LeatAgent

struct PodWatchTests {
    private let cache = PodCache()

    private func watch(_ source: PodWatch.Source, namespaces: Bool = false) -> PodWatch {
        PodWatch(source, wantsNamespaces: namespaces, cache: self.cache)
    }

    private static func pod(_ name: String, app: String, version: Int = 1) -> String {
        #"{"metadata":{"name":"\#(name)","namespace":"shop","uid":"u","resourceVersion":"\#(version)","labels":{"app":"\#(app)"}}}"#
    }

    private static func list(_ pods: [String], version: Int) -> String {
        #"{"kind":"PodList","metadata":{"resourceVersion":"\#(version)"},"items":["# + pods.joined(separator: ",")
            + "]}"
    }

    private func answer(_ text: String, to watch: inout PodWatch, pieces: Int = 7) {
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            bytes[start..<min(start + pieces, bytes.count)].withUnsafeBytes { watch.received($0) }
        }
    }

    private func label(_ name: String) -> String? {
        self.cache.pod(namespace: "shop", name: name)?.labels.map { String(decoding: $0, as: UTF8.self) }
    }

    private static let watchPath = "/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion="

    @Test
    func theNodeIsFoundThenListedThenWatched() {
        var watch = self.watch(.apiServer(node: nil, ownNamespace: "logging", ownPod: "agent-1"))
        #expect(watch.next() == .get("/api/v1/namespaces/logging/pods/agent-1"))
        self.answer(#"{"metadata":{},"spec":{"nodeName":"n1"}}"#, to: &watch)
        let selector = "&fieldSelector=spec.nodeName%3Dn1"
        #expect(watch.ended(status: 200) == .get("/api/v1/pods?resourceVersion=0\(selector)"))
        #expect(!watch.isReady)
        self.answer(Self.list([Self.pod("a", app: "x"), Self.pod("b", app: "y")], version: 10), to: &watch)
        #expect(watch.ended(status: 200) == .get(Self.watchPath + "10\(selector)"))
        #expect(watch.isReady)
        #expect(self.label("a") == #"{"app":"x"}"#)

        self.answer(#"{"type":"MODIFIED","object":\#(Self.pod("a", app: "z", version: 12))}"# + "\n", to: &watch)
        #expect(self.label("a") == #"{"app":"z"}"#)
        self.answer(#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"15"}}}"# + "\n{\"type\":", to: &watch)
        #expect(watch.ended(status: 200) == .get(Self.watchPath + "15\(selector)"))
    }

    @Test
    func aForgottenVersionBeginsWithANewList() {
        var watch = self.watch(.apiServer(node: "n", ownNamespace: nil, ownPod: nil))
        _ = watch.next()
        self.answer(Self.list([Self.pod("a", app: "x")], version: 1), to: &watch)
        _ = watch.ended(status: 200)
        self.answer(#"{"type":"ERROR","object":{"code":410}}"# + "\n", to: &watch)
        #expect(watch.ended(status: 200) == .wait(1_000_000_000))
        #expect(watch.next() == .get("/api/v1/pods?resourceVersion=0&fieldSelector=spec.nodeName%3Dn"))
        // A pod that is gone stays known for its last lines.
        self.answer(Self.list([], version: 2), to: &watch)
        _ = watch.ended(status: 200)
        #expect(self.label("a") == #"{"app":"x"}"#)
    }

    @Test
    func failuresAreTriedAgainLaterAndLater() {
        var watch = self.watch(.apiServer(node: "n", ownNamespace: nil, ownPod: nil))
        _ = watch.next()
        #expect(watch.ended(status: nil, reason: "refused") == .wait(1_000_000_000))
        #expect(watch.failure == "refused")
        #expect(watch.ended(status: 403) == .wait(2_000_000_000))
        #expect(watch.failure?.hasPrefix("status 403 to GET /api/v1/pods") == true)
        for _ in 0..<10 { _ = watch.ended(status: 500) }
        #expect(watch.ended(status: 500) == .wait(60_000_000_000))
        _ = watch.next()
        self.answer(Self.list([], version: 2), to: &watch)
        _ = watch.ended(status: 200)
        #expect(watch.failure == nil)
        #expect(watch.ended(status: nil, reason: "lost") == .wait(1_000_000_000))
        #expect(watch.next() == .get(Self.watchPath + "2&fieldSelector=spec.nodeName%3Dn"))
    }

    @Test
    func theKubeletIsListedAgainAndAgain() {
        var watch = self.watch(.kubelet)
        #expect(watch.next() == .get("/pods"))
        self.answer(Self.list([Self.pod("a", app: "x")], version: 0), to: &watch)
        #expect(watch.ended(status: 200) == .wait(10_000_000_000))
        #expect(self.label("a") == #"{"app":"x"}"#)
        #expect(watch.next() == .get("/pods"))
    }

    @Test
    func namespacesAreReadWhenWanted() {
        var watch = self.watch(.apiServer(node: "n", ownNamespace: nil, ownPod: nil), namespaces: true)
        _ = watch.next()
        self.answer(Self.list([], version: 3), to: &watch)
        #expect(watch.ended(status: 200) == .get("/api/v1/namespaces?resourceVersion=0"))
        self.answer(#"{"items":[{"metadata":{"name":"shop","labels":{"team":"a"}}}]}"#, to: &watch)
        #expect(watch.ended(status: 200) == .get(Self.watchPath + "3&fieldSelector=spec.nodeName%3Dn"))
        #expect(self.cache.namespace("shop")?.labels == Array(#"{"team":"a"}"#.utf8))
    }

    @Test
    func nonsenseIsReadWithoutHarm() {
        var random = SeededRandom(seed: 9)
        let whole = Array(Self.list([Self.pod("a", app: "x")], version: 3).utf8)
        for _ in 0..<300 {
            var watch = self.watch(.apiServer(node: "n", ownNamespace: nil, ownPod: nil))
            _ = watch.next()
            for _ in 0..<3 {
                var bytes = whole
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                bytes.withUnsafeBytes { watch.received($0) }
                _ = watch.ended(status: Bool.random(using: &random) ? 200 : nil)
            }
        }
    }
}
