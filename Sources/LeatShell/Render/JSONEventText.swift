internal import LeatCore

/// Shows an event whose text is a JSON object as people read it: level, message, then the other members as
/// `name=value`, as many as fit two rows.
///
/// Only for terminals, and only while fields are folded; `raw`, `json` and pipes have the text as it arrived.
struct JSONEventText {
    /// Rows of the terminal that the members may take.
    private static let rowCountMax = 2
    /// Larger objects are shown as they are.
    private static let byteCountMax = 256 << 10

    private static let messages: [StaticString] = ["message", "msg", "event", "log", "@message", "text"]
    private static let times: Set<String> = ["timestamp", "@timestamp", "time", "ts", "date", "@version", "datetime"]

    private let row = AnswerRow()
    private let message: AnswerRow.Field?
    private let level: AnswerRow.Field?

    /// `nil` when the text is no object.
    init?(_ text: UnsafeRawBufferPointer) {
        guard text.first == UInt8(ascii: "{"), text.count <= Self.byteCountMax, self.row.read(text),
            !self.row.fields.isEmpty
        else { return nil }
        let row = self.row
        self.message = Self.messages.lazy.compactMap { row.field($0) }.first { $0.isString && !$0.value.isEmpty }
        self.level = EventLine.levelFields.lazy.compactMap { row.field($0) }.first { !$0.value.isEmpty }
    }

    /// Appends what is shown; `indent` columns of the row are taken, and `source` has been shown before.
    func append(to output: inout [UInt8], terminal: Terminal, indent: Int, source: UnsafeRawBufferPointer?) {
        var columns = indent
        self.row.bytes.withUnsafeBytes { bytes in
            func value(_ field: AnswerRow.Field) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(rebasing: bytes[field.value])
            }
            if let level {
                columns += Self.append(value(level), EventLine.style(ofLevel: value(level)), terminal, to: &output) + 1
                output.append(0x20)
            }
            if let message {
                columns += ShownText.append(value(message), to: &output, layout: .lines, terminal: terminal) + 1
                output.append(0x20)
            }
            let room = max(terminal.width * Self.rowCountMax, columns + terminal.width / 2)
            var hiddenCount = 0
            for field in self.row.fields where self.isShown(field, value(field), source) {
                var pair: [UInt8] = []
                let name = UnsafeRawBufferPointer(rebasing: bytes[field.name])
                let width = Self.append(name, value(field), terminal, to: &pair)
                // Once one does not fit, what follows is hidden too, so that the order stays.
                if hiddenCount > 0 || columns + width + 5 > room {
                    hiddenCount += 1
                    continue
                }
                output += pair
                output.append(0x20)
                columns += width + 1
            }
            if hiddenCount > 0 { output.append("+\(hiddenCount)", .dim, if: terminal.hasColor) }
        }
        while output.last == 0x20 { output.removeLast() }
    }

    private func isShown(_ field: AnswerRow.Field, _ value: UnsafeRawBufferPointer, _ source: UnsafeRawBufferPointer?)
        -> Bool
    {
        if field.name == self.message?.name || field.name == self.level?.name || value.isEmpty { return false }
        if let source, value.elementsEqual(source) { return false }
        return !Self.times.contains(self.row.name(of: field))
    }

    private static func append(
        _ value: UnsafeRawBufferPointer,
        _ style: Style,
        _ terminal: Terminal,
        to output: inout [UInt8]
    ) -> Int {
        output.begin(style, if: terminal.hasColor)
        let columns = ShownText.append(value, to: &output, terminal: terminal)
        output.end(style, if: terminal.hasColor)
        return columns
    }

    /// Appends `name=value`; returns its columns.
    private static func append(
        _ name: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer,
        _ terminal: Terminal,
        to output: inout [UInt8]
    ) -> Int {
        output.begin(.dim, if: terminal.hasColor)
        var columns = ShownText.append(name, to: &output, columnsMax: 60, terminal: terminal)
        output.append(UInt8(ascii: "="))
        output.end(.dim, if: terminal.hasColor)
        columns += ShownText.append(value, to: &output, columnsMax: 80, terminal: terminal) + 1
        return columns
    }
}
