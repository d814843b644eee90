internal import LeatCore
internal import LeatQuery

/// The lines of container, syslog, access and logfmt files as documents: time, fields and text, as `--file` reads them.
struct ParsedLines {
    /// Formats whose lines say more than their text; JSON is sent as it is, and plain text has nothing to say.
    private static let formats: Set<LineFormat> = [.cri, .docker, .journal, .logfmt, .accessLog, .syslog]

    private let format: LineFormat
    private let blocks: [FileBlock]
    /// The time of lines that carry none; they are sent without.
    private let arrival: Int64

    /// `nil` when the lines are sent as they are.
    init?(_ input: ByteSlice, _ format: LineFormat) {
        guard Self.formats.contains(format) else { return nil }
        self.format = format
        self.arrival = SystemTime().now().nanoseconds
        self.blocks = BlockCutter(format: format, arrival: self.arrival, notes: FileNotes()).blocks(of: input)
    }

    /// Calls `body` with each document, first to last.
    func forEach(_ body: ([UInt8]) async throws -> Void) async throws {
        var document: [UInt8] = []
        for block in self.blocks {
            let batch = try block.read()
            let names = RowRenderer.outputOrder(batch.fieldNames)
            // The text of a container's line is its field `log`, that of the journal `message`: named once, stored once.
            let isNamed = self.format == .journal || names.contains("log") && !names.contains("message")
            let renderer = try RowRenderer(batch, columns: isNamed ? names.filter { $0 != "@rawstring" } : names)
            for row in 0..<batch.rowCount {
                document.removeAll(keepingCapacity: true)
                renderer.appendJSON(row: row, to: &document)
                if batch.timestamps[row] != self.arrival { Self.insert(time: batch.timestamps[row], into: &document) }
                try await body(document)
            }
        }
    }

    /// Puts the time in front of the members of an object.
    private static func insert(time: Int64, into document: inout [UInt8]) {
        let (seconds, nanoseconds) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        let second = nanoseconds < 0 ? seconds - 1 : seconds
        let fraction = String(nanoseconds < 0 ? nanoseconds + 1_000_000_000 : nanoseconds)
        let moment = ShownTime.text(milliseconds: second * 1_000, showsMilliseconds: false).dropLast()
        let zeros = String(repeating: "0", count: 9 - fraction.count)
        let separator = document.count > 2 ? "," : ""
        document.replaceSubrange(0..<1, with: "{\"@timestamp\":\"\(moment).\(zeros)\(fraction)Z\"\(separator)".utf8)
    }
}
