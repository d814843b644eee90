import LeatCore
import Testing

@testable import LeatStorage

/// Search on encoded columns finds exactly what a naive search in the texts finds.
struct EncodedSearchTests {
    /// Columns of one kind of `ColumnCodingTests`, or of lines like those of services.
    private static func values(_ kind: Int, count: Int, _ random: inout SeededRandom) -> [[UInt8]] {
        guard kind >= 20 else { return ColumnCodingTests.values(kind, count: count, &random) }
        if kind == 24 {
            let fields = Self.fields(count: count).map(\.values)
            return (0..<count).map { row in
                let parts = fields.map { String(decoding: $0[row], as: UTF8.self) }
                let user = parts[0].dropFirst(row % 4 == 0 ? 1 : 0)
                return Array(
                    "user \(user) of \(parts[2]) sent \(parts[1])\(row % 2 == 0 ? "" : ": \(row % 9) done")".utf8
                )
            }
        }
        if kind == 25 {
            let fields = Self.fields(count: count)
            let presence = fields[3].presence
            return (0..<count).map { row in
                let parts = fields.map { String(decoding: $0.values[row], as: UTF8.self) }
                return Array(
                    (presence?[row] ?? true
                        ? "session \(parts[3]) of \(parts[4].dropFirst(row % 3 == 0 ? 1 : 0)) runs \(row % 7)"
                        : "trace \(parts[1]) is idle \(row % 9)").utf8
                )
            }
        }
        return (0..<count).map { row in
            let number = Int(random.next() % 4_000)
            let id = String(random.next() | 1 << 63, radix: 16)
            let lines = [
                "upstream=10.1.\(number % 256).7:8080 status=\(200 + number % 5) req_id=\(id)",
                "req_id=\(id) took \(number).5ms in \(["checkout", "Cart", "pay"][number % 3])",
                "error: context deadline exceeded after \(number)ms, id \(id)\(id)",
                "\(number)\(id)", "user \(number % 10) \(number % 7)\(id) x",
                "panic: \(number)\n\tat f\(number % 9)\n\tat g",
                #"{"user":"u\#(number)","msg":"status=\#(number % 7) and \#(number)","trace":"\#(id)"}"#,
                "[\(number % 3)] [\(number % 5)][\(id.prefix(8))] Über \(number)",
            ]
            let of = kind == 20 ? lines.count : [2, 1, 4][kind - 21]
            return Array(lines[(row * 7 + number) % of].utf8)
        }
    }

    private struct Field {
        var name: String
        var values: [[UInt8]]
        var presence: Bitmap?
    }

    /// Fields of the rows that texts of kinds 24 and 25 repeat, so that storage keeps references to them.
    private static func fields(count: Int) -> [Field] {
        let traces = (0..<count).map { String(UInt64($0 + 7) &* 0x9E37_79B9_7F4A_7C15 | 1 << 63, radix: 16) }
        let some = Bitmap(count: count) { $0 % 5 != 3 }
        func sparse(_ value: (Int) -> String) -> [[UInt8]] {
            (0..<count).map { some[$0] ? Array(value($0).utf8) : [] }
        }
        return [
            Field(name: "user", values: (0..<count).map { Array("u\($0 * 7_919 % 5_000)".utf8) }),
            Field(name: "trace", values: traces.map { Array($0.utf8) }),
            Field(
                name: "service",
                values: (0..<count).map { Array(["checkout-1", "payment-22", "cart-3"][$0 % 3].utf8) }
            ),
            Field(name: "session", values: sparse { String(traces[$0].reversed()) + traces[$0] }, presence: some),
            Field(name: "who", values: sparse { "w\($0 * 31 % 977)-\(traces[$0].prefix($0 % 6))" }, presence: some),
        ]
    }

    private static func column(
        _ values: [[UInt8]],
        _ presence: Bitmap?
    ) throws -> Column {
        let count = values.count
        let times = (0..<count).map { Int64($0) * 1_000_000_007 }
        let fields = Self.fields(count: count)
        var encoding = EncodingContext(times: times)
        encoding.candidates = fields.map { field in
            .init(name: field.name, texts: RowTexts(ByteStrings(field.values)), presence: field.presence)
        }
        let page = ColumnEncoder.page(RowTexts(ByteStrings(values)), presence: presence, encoding)
        let decoding = DecodingContext(times: times) { (name: String) throws(FormatError) -> Column? in
            guard let field = fields.first(where: { $0.name == name }) else { return nil }
            let texts = RowTexts(ByteStrings(field.values))
            let page = ColumnEncoder.page(texts, presence: field.presence, EncodingContext(times: times))
            return try ColumnDecoder.column(ByteSlice(page.bytes), rowCount: count, DecodingContext(times: times))
        }
        return try ColumnDecoder.column(ByteSlice(page.bytes), rowCount: count, decoding)
    }

    private static func presence(_ count: Int, _ random: inout SeededRandom) -> Bitmap? {
        guard random.next() % 3 == 0 else { return nil }
        var bits = Bitmap(repeating: false, count: count)
        for row in 0..<count where random.next() % 3 > 0 { bits.set(row) }
        bits.set(0)
        return bits
    }

    /// A piece of some value, now and then with another byte in it, or the ends of two values.
    private static func piece(of values: [[UInt8]], _ random: inout SeededRandom) -> [UInt8] {
        let value = values[Int(random.next() % UInt64(values.count))]
        guard !value.isEmpty else { return [UInt8(ascii: "x")] }
        let start = Int(random.next() % UInt64(value.count))
        let length = 1 + Int(random.next() % UInt64(min(40, value.count - start)))
        var piece = Array(value[start..<start + length])
        if random.next() % 6 == 0 { piece[Int(random.next() % UInt64(length))] = UInt8(random.next() % 128) }
        return piece
    }

    private static func lowercased(_ bytes: [UInt8]) -> [UInt8] { bytes.map { $0 &- 65 < 26 ? $0 | 0x20 : $0 } }

    private static func contains(_ value: [UInt8], _ piece: [UInt8], from start: Int = 0) -> Int? {
        guard value.count - start >= piece.count else { return nil }
        return (start...value.count - piece.count).first { value[$0..<$0 + piece.count].elementsEqual(piece) }
    }

    private static func expect(
        _ program: AutomatonProgram,
        on column: Column,
        _ values: [[UInt8]],
        within candidates: Bitmap?,
        _ note: String,
        _ isWanted: ([UInt8]) -> Bool
    ) {
        var rows = candidates ?? Bitmap(repeating: true, count: values.count)
        if let presence = column.presence { rows.formIntersection(presence) }
        let matches = column.rows(passing: TextAutomaton(program), within: rows)
        for row in 0..<values.count {
            if matches.uncertain?[row] ?? false { continue }
            let expected = rows[row] && isWanted(values[row])
            if matches.passing[row] != expected {
                Issue.record("\(note): row \(row) \(String(decoding: values[row], as: UTF8.self)) is \(!expected)")
                return
            }
        }
    }

    @Test(arguments: 0..<26)
    func needlesAreFoundAsInTexts(kind: Int) throws {
        var random = SeededRandom(seed: UInt64(kind) + 900)
        for count in [1, 17, 700] {
            let values = Self.values(kind, count: count, &random)
            let column = try Self.column(values, Self.presence(count, &random))
            for round in 0..<(count == 700 ? 16 : 8) {
                let candidates = Self.presence(count, &random)
                let piece = Self.piece(of: values, &random)
                let note = "kind \(kind), \(count) rows, round \(round), '\(String(decoding: piece, as: UTF8.self))'"
                let program = try #require(AutomatonProgram(Needle(piece)))
                Self.expect(program, on: column, values, within: candidates, note) {
                    Self.contains($0, piece) != nil
                }
                let folded = Self.lowercased(piece)
                let caseless = try #require(AutomatonProgram(Needle(folded, foldsCase: true)))
                Self.expect(caseless, on: column, values, within: candidates, "caseless, " + note) {
                    Self.contains(Self.lowercased($0), folded) != nil
                }
                let other = Self.piece(of: values, &random)
                let pieces = try #require(AutomatonProgram(pieces: [[], piece, other, []], foldsCase: false))
                Self.expect(pieces, on: column, values, within: candidates, "glob, " + note) { value in
                    Self.contains(value, piece).flatMap { Self.contains(value, other, from: $0 + piece.count) } != nil
                }
                let value = values[Int(random.next() % UInt64(count))]
                let equal = try #require(AutomatonProgram(anyOf: [value, piece]))
                Self.expect(equal, on: column, values, within: candidates, "equality, " + note) {
                    $0 == value || $0 == piece
                }
            }
        }
    }

    private static let expressions = [
        "[0-9]{3}\\.[0-9]{2}", "status=20[1-3]", "(?i)CONTEXT.*after", "id [0-9a-f]{32}$", "^user \\d",
        "[a-z]+=[0-9.]+:",
        "\\d{2,3}ms( in (checkout|cart))?$", "f[0-4]\\n", "(GET|refused|\"no\")", "^\\{.*\"u[0-9]*7\"", "\\.25ms$",
        "e{2}",
        "[^0-9a-f .:=-]{3}", "10.1.2", "^[0-9]+$", "-[0-9a-f]{4}-", "x x", "(1|2)(3|4)(5|6)", "^.{3}$", "00Z$",
        "\\bidle\\b", "\\bof .*sent\\b", "\\bruns\\b", "\\btook\\b", "\\bpanic\\b",
    ]

    @Test(arguments: 0..<26)
    func expressionsMatchAsInTexts(kind: Int) throws {
        var random = SeededRandom(seed: UInt64(kind) + 7)
        let values = Self.values(kind, count: 500, &random)
        let column = try Self.column(values, Self.presence(500, &random))
        for expression in Self.expressions {
            let pattern = try Pattern(expression)
            let program = try #require(pattern.automaton())
            let matcher = PatternMatcher(pattern)
            let candidates = Self.presence(500, &random)
            Self.expect(program, on: column, values, within: candidates, "kind \(kind), /\(expression)/") {
                $0.withUnsafeBytes { matcher.matches($0) } == true
            }
        }
    }

    private static let extractions = [
        "user (?<u>\\S+) of (?<s>[a-z]+)", "took (?<ms>[0-9.]+)ms", "status=(?<s>20[0-9]|1)", "id (?<i>[0-9a-f]+)",
        "(?<k>[a-z_]+)=(?<v>\\S*)", "^(?<first>\\w+)", "(?<last>\\d)$", "in (?<where>checkout|Cart)?", "(?<x>\\d+?)0",
        "[a-z] (?<n>.*) ",
        "\\bf(?<id>[0-9])", "(?<a>x)|(?<a>u)", "sent (?<t>[0-9a-f]{16})", "(?i)(?<c>CART)[-0-9]*",
        "(?<m>\\d{2,3})ms\\b",
        "(?<two>[0-9]+ [0-9]+)", "\n(?<after>.+)\n", "(?<e>e*) ", ": (?<q>\"?[^ ]+)",
    ]

    /// What the named groups of a match took, or that there was none.
    private static func groups(
        _ outcome: PatternMatcher.Outcome,
        _ matcher: PatternMatcher,
        _ text: UnsafeRawBufferPointer
    )
        -> [[UInt8]?]?
    {
        guard case .match = outcome else { return nil }
        return matcher.pattern.groups.map { group in matcher.range(ofGroup: group.number).map { Array(text.slice($0)) }
        }
    }

    @Test(arguments: 0..<26)
    func piecesHoldTheMatchesOfTheTexts(kind: Int) throws {
        var random = SeededRandom(seed: UInt64(kind) + 70)
        var windowCount = 0
        let values = Self.values(kind, count: 400, &random)
        let column = try Self.column(values, Self.presence(400, &random))
        guard case .template(let templates) = column else { return }
        for expression in Self.extractions {
            let pattern = try Pattern(expression)
            let matcher = PatternMatcher(pattern)
            var rows = Self.presence(400, &random) ?? Bitmap(repeating: true, count: 400)
            if let presence = column.presence { rows.formIntersection(presence) }
            let program = try #require(pattern.automaton())
            guard var windows = MatchWindows(templates.texts, TextAutomaton(program)) else { continue }
            var found = [[[UInt8]?]?](repeating: nil, count: 400)
            windows.visit(within: rows) { piece, goesOn, rows in
                guard let outcome = goesOn ? matcher.match(beginning: piece) : matcher.match(piece) else {
                    return false
                }
                if goesOn { windowCount += 1 }
                for row in rows { found[Int(row)] = Self.groups(outcome, matcher, piece) }
                return true
            }
            for row in 0..<400 {
                let expected = values[row].withUnsafeBytes { text in
                    rows[row] ? Self.groups(matcher.match(text), matcher, text) : nil
                }
                let note = "kind \(kind), /\(expression)/, \(String(decoding: values[row], as: UTF8.self))"
                #expect(found[row] == expected, "\(note)")
            }
        }
        // The lines of services have windows that end before the text does.
        if kind == 20 || kind == 24 { #expect(windowCount > 100) }
    }

    @Test(arguments: 0..<26)
    func rowsAreWrittenOneByOne(kind: Int) throws {
        var random = SeededRandom(seed: UInt64(kind))
        let values = Self.values(kind, count: 400, &random)
        let column = try Self.column(values, Self.presence(400, &random))
        let traits = column.traits
        let picked = (0..<400).filter { $0 % 3 != 1 }.map { Int32($0) }
        let strings = column.strings(of: picked)
        for (index, row) in picked.enumerated() {
            #expect(Array(strings[index]) == (column.isPresent(at: Int(row)) ? values[Int(row)] : []), "row \(row)")
        }
        for row in 0..<400 where column.isPresent(at: row) {
            let text = column.withText(at: row) { Array($0) }
            #expect(text == values[row], "row \(row)")
            #expect(traits.lengths.contains(text.count) && text.allSatisfy { traits.bytes.contains($0) })
            #expect(column.room(at: row) >= text.count)
        }
    }
}
