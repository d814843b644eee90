import LeatCore
import LeatTesting
import Testing

@testable import LeatShell

@Suite struct LineFormatTests {
    static func detect(_ text: String) -> LineFormat {
        Array(text.utf8).withUnsafeBytes { LineFormat.detect($0) }
    }

    static let samples: [(text: String, format: LineFormat)] = [
        ("", .plain),
        ("hello\nworld\n", .plain),
        ("{\"a\":1}\n{\"a\":2}\n", .json),
        ("  {\"a\":1}", .json),
        ("{\"create\":{}}\n{\"a\":2}\n", .bulk),
        ("{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T12:00:00Z\"}\n", .docker),
        // Shippers write such objects: without line ends nothing of them may be joined, and their other fields count.
        ("{\"log\":\"a\",\"stream\":\"stdout\",\"time\":\"2026-11-20T12:00:00Z\"}\n", .json),
        ("{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T12:00:00Z\",\"pod\":\"b\"}\n", .json),
        (
            "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"attrs\":{\"b\":\"c\"},\"time\":\"2026-11-20T12:00:00Z\"}\n",
            .docker
        ),
        ("{\"MESSAGE\":\"a\",\"__REALTIME_TIMESTAMP\":\"1796025600000000\"}\n", .journal),
        ("2026-11-20T12:00:00Z stdout F hello\n", .cri),
        ("level=info msg=hello\n", .logfmt),
        ("this = that\n", .plain),
        ("2026/11/20 12:00:00 [error] 31#32: *7 open() \"/x\" failed, client: 10.0.0.1\n", .plain),
        ("I1120 12:00:00.369489    1190 a.go:156] \"Updated pod\" pod=\"kube/x\" status=\"Running\"\n", .plain),
        ("Nov 20 12:00:00 web1 sshd[4]: hello\n", .syslog),
        ("10.0.0.1 - - [20/Nov/2026:12:00:00 +0100] \"GET / HTTP/1.1\" 200 12\n", .accessLog),
        ("{not json\n{\n", .plain),
    ]

    @Test(arguments: samples)
    func detects(text: String, format: LineFormat) {
        #expect(Self.detect(text) == format)
    }

    static let klogTimes: [(line: String, nanoseconds: Int64?)] = [
        ("I1120 12:00:00.250000    1190 a.go:156] x", 1_795_176_000_250_000_000),
        // A day in the future is of the year before, but for the day that zones may differ by.
        ("E1231 23:59:59.5 1 a.go:1] x", 1_767_225_599_500_000_000), ("W1121 11:00:00 x", 1_795_258_800_000_000_000),
        ("X1120 12:00:00.25 x", nil), ("I1320 12:00:00.25 x", nil), ("I1100 12:00:00.25 x", nil),
        ("I1120 24:00:00", nil), ("I1120", nil), ("", nil), ("INFO 12:00:00 x", nil),
    ]

    @Test(arguments: klogTimes)
    func klogTellsItsTime(line: String, nanoseconds: Int64?) {
        let time = Array(line.utf8).withUnsafeBytes { LineTime.klog($0, now: 1_795_176_000_000_000_000) }
        #expect(time == nanoseconds)
    }

    static let corpus: [(folder: String, format: LineFormat)] = [
        ("json-pino", .json), ("logfmt-dockerd", .logfmt), ("syslog-auth", .syslog), ("docker-json", .docker),
        ("caddy-json", .json),
    ]

    @Test(arguments: corpus)
    func realLogsAreTold(folder: String, format: LineFormat) throws {
        guard let path = SharedData.path("data/corpus/\(folder)") else { return }
        for name in try PosixFileSystem().list(path) {
            let bytes = try PosixFileSystem().contents("\(path)/\(name)")
            // Some files of the folder were cut down to their text, which Docker never writes.
            if bytes.isEmpty || (format == .docker && !bytes.text.contains("\"stream\":")) { continue }
            #expect(LineFormat.detect(bytes.unsafeBytes) == format, "\(folder)/\(name)")
        }
    }
}
