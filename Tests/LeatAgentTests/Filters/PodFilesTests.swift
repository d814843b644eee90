import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Pods and namespaces from files, and what their annotations ask for.
struct PodFilesTests {
    private static func run(_ lines: String, _ folder: TemporaryFolder, stream: String, container: String = "c") throws
        -> String
    {
        var run = try FilterRun(
            "Name kubernetes\nKube_Meta_Preload_Cache_Dir \(folder.path)\n\(lines)",
            parsers: ["a", "b"].map { "[PARSER]\n    Name \($0)\n    Format regex\n    Regex ^(?<\($0)>.*)$\n" }
                .joined()
        )
        let id = String(repeating: "0", count: 64)
        return run.apply(
            [#"{"log":"text","stream":"\#(stream)"}"#],
            tag: "kube.var.log.containers.web_shop_\(container)-\(id).log"
        )[0]
    }

    @Test
    func theFilesNameSaysWhoseItIs() throws {
        try withTemporaryFolder { folder in
            try folder.write(
                "shop_web.meta",
                #"{"metadata":{"name":"other","namespace":"x","uid":"u","labels":{"app":"w"}},"status":{"containerStatuses":[{"name":"c","containerID":"containerd://abc","image":"i","imageID":"docker-pullable://i@sha"}]}}"#
            )
            try folder.write("shop.namespace_meta", #"{"metadata":{"labels":{"team":"t"}}}"#)
            try folder.write("broken.meta", "{")
            let record = try Self.run("Namespace_Labels On", folder, stream: "stdout")
            #expect(record.contains(#""labels":{"app":"w"}"#) && record.contains(#""pod_id":"u""#), "\(record)")
            #expect(record.contains(#""kubernetes_namespace":{"name":"shop","labels":{"team":"t"}}"#), "\(record)")
            #expect(record.contains(#""container_hash":"i@sha","container_image":"i""#), "\(record)")
        }
    }

    static let directives: [(annotations: String, stream: String, parsed: String)] = [
        (#"{"fluentbit.io/parser":"a"}"#, "stdout", #""a":"text""#),
        (#"{"fluentbit.io/parser_stdout":"a"}"#, "stdout", #""a":"text""#),
        (#"{"fluentbit.io/parser_stdout":"a"}"#, "stderr", #""log":"text""#),
        (#"{"fluentbit.io/parser_stdout":"a","fluentbit.io/parser-c":"b"}"#, "stdout", #""b":"text""#),
        (#"{"fluentbit.io/parser-c":"a","fluentbit.io/parser_stdout-c":"b"}"#, "stdout", #""b":"text""#),
        (#"{"fluentbit.io/parser-d":"a"}"#, "stdout", #""log":"text""#),
        (#"{"fluentbit.io/parser-d":"a","fluentbit.io/parser_stderr":"b"}"#, "stderr", #""b":"text""#),
    ]

    @Test(arguments: directives)
    func theMostParticularAnnotationCounts(annotations: String, stream: String, parsed: String) throws {
        try withTemporaryFolder { folder in
            try folder.write("shop_web.meta", #"{"metadata":{"annotations":\#(annotations)}}"#)
            let record = try Self.run("Merge_Log On\nKeep_Log Off\nK8S-Logging.Parser On", folder, stream: stream)
            #expect(record.contains(parsed), "\(record)")
        }
    }
}
