import LeatCore
import Testing

@Suite struct DecoderTests {
    static func pairs(_ text: String, _ options: KeyValueScanner.Options) -> [String] {
        ByteSlice(text).withUnsafeBytes { bytes in
            var scanner = KeyValueScanner(bytes, options: options)
            var found: [String] = []
            while let pair = scanner.next() {
                let value = String(decoding: scanner.value(of: pair), as: UTF8.self)
                found.append(bytes.slice(pair.key).text + (pair.hasValue ? "=\(value)" : ""))
            }
            return found
        }
    }

    static let logfmt: [(text: String, pairs: [String])] = [
        ("level=info msg=\"a b\" n=1", ["level=info", "msg=a b", "n=1"]),
        ("msg=\"say \\\"hi\\\"\\n\" x=", ["msg=say \"hi\"\n", "x="]),
        ("flag key=v other", ["flag", "key=v", "other"]),
        ("  a=1   b=2  ", ["a=1", "b=2"]),
        ("a=b=c", ["a=b=c"]),
        ("a=\"open", ["a=\"open"]),
        ("\"quoted a=1\" b=2", ["b=2"]),
        ("=v k=1", ["v", "k=1"]),
        ("", []),
        ("ü=ö", ["ü=ö"]),
    ]

    @Test(arguments: logfmt)
    func logfmtPairs(text: String, pairs: [String]) { #expect(Self.pairs(text, .logfmt) == pairs) }

    static let loose: [(text: String, pairs: [String])] = [
        ("user=ann, id='x y'; ok = \"yes\" (size=3)", ["user=ann", "id=x y", "ok=yes", "size=3)"]),
        ("a = b", ["a=b"]),
        ("a= b=c", ["a=", "b=c"]),
        ("nothing here", []),
        ("time=12:30:45,level=warn", ["time=12:30:45", "level=warn"]),
    ]

    @Test(arguments: loose)
    func loosePairs(text: String, pairs: [String]) { #expect(Self.pairs(text, .loose) == pairs) }

    static let csv: [(line: String, fields: [String])] = [
        ("a,b,c", ["a", "b", "c"]), ("", [""]), (",", ["", ""]), ("a,", ["a", ""]),
        ("\"a,b\",\"say \"\"hi\"\"\",", ["a,b", "say \"hi\"", ""]), ("\"open,b", ["open,b"]),
        ("\"a\"b\",c", ["a\"b", "c"]), ("\"\"", [""]), ("x\"y,z", ["x\"y", "z"]),
    ]

    @Test(arguments: csv)
    func csvFields(line: String, fields: [String]) {
        let found = ByteSlice(line).withUnsafeBytes { bytes in
            var scanner = CSVScanner(bytes)
            var found: [String] = []
            while let field = scanner.next() { found.append(String(decoding: scanner.text(of: field), as: UTF8.self)) }
            return found
        }
        #expect(found == fields)
    }

    /// A message's parts, each or `-`, joined with bars.
    static func describe(_ text: String) -> String? {
        ByteSlice(text).withUnsafeBytes { bytes in
            let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
            guard let message = SyslogMessage(bytes, now: now) else { return nil }
            let show = { (range: Range<Int>?) in range.map { bytes.slice($0).text } ?? "-" }
            let parameters = message.parameters.map { "\(show($0.element)).\(show($0.name))=\(show($0.value))" }
            return [
                message.priority.map(String.init) ?? "-", message.timestamp?.description ?? "-", show(message.host),
                show(message.app), show(message.process), show(message.messageID),
                parameters.joined(separator: ","), show(message.message),
            ].joined(separator: "|")
        }
    }

    static let messages: [(text: String, parts: String?)] = [
        (
            "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{FEFF}'su root' failed",
            "34|2003-10-11T22:14:15.003000000Z|mymachine.example.com|su|-|ID47||'su root' failed"
        ),
        (
            "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - [ex@1 a=\"1\" b=\"x\\]y\"][o@2] text",
            "165|2003-08-24T12:14:15.000003000Z|192.0.2.1|myproc|8710|-|ex@1.a=1,ex@1.b=x\\]y|text"
        ),
        ("<13>1 - - - - - -", "13|-|-|-|-|-||"),
        ("<13>1 - h a p m [open a=\"1", "13|-|h|a|p|m||[open a=\"1"),
        ("<34>Oct 11 22:14:15 mymachine su[12]: failed", "34|2023-10-11T22:14:15.000000000Z|mymachine|su|12|-||failed"),
        ("<34>Oct  1 22:14:15 su: failed", "34|2023-10-01T22:14:15.000000000Z|-|su|-|-||failed"),
        ("<0>no date, no tag", "0|-|-|-|-|-||no date, no tag"),
        ("Nov 14 06:00:01 host cron[9]: run", "-|2023-11-14T06:00:01.000000000Z|host|cron|9|-||run"),
        ("<13>2023-11-14T22:13:20+01:00 h a: b", "13|2023-11-14T21:13:20.000000000Z|h|a|-|-||b"),
        ("<192>1 x", nil), ("plain text", nil), ("", nil), ("<>", nil),
    ]

    @Test(arguments: messages)
    func syslogParts(text: String, parts: String?) { #expect(Self.describe(text) == parts) }

    @Test func noBytesTrap() {
        var random = SeededRandom(seed: 31)
        let texts = Self.messages.map(\.text) + Self.logfmt.map(\.text) + Self.csv.map(\.line) + Self.loose.map(\.text)
        for _ in 0..<5000 {
            var bytes = Array((texts.randomElement(using: &random) ?? "").utf8)
            for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[place] = Array("<>[]\"\\ =,1".utf8).randomElement(using: &random) ?? 0
                } else {
                    bytes.removeSubrange(place...)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            _ = Self.describe(text)
            _ = Self.pairs(text, .logfmt)
            _ = Self.pairs(text, .loose)
            bytes.withUnsafeBytes { area in
                var scanner = CSVScanner(area)
                while let field = scanner.next() { _ = scanner.text(of: field) }
            }
        }
    }
}
