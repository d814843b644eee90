internal import LeatCore
internal import LeatParsing

/// Turns bytes that arrive without a file behind them into events, line by line.
///
/// A line that is a JSON object becomes a record as it is, another one goes through the parser or under `log`.
struct LineReceiver {
    private let shaper: LineTemplates
    private let readsJSON: Bool
    private let separator: UInt8
    private var rest: [UInt8] = []
    private var lines: LineShaper

    init(form: LineForm, readsJSON: Bool, separator: UInt8 = UInt8(ascii: "\n")) {
        self.shaper = LineTemplates(form)
        self.readsJSON = readsJSON
        self.separator = separator
        self.lines = LineShaper(self.shaper)
    }

    /// Takes bytes, and appends the events of the lines that they complete.
    mutating func take(_ bytes: UnsafeRawBufferPointer, now: Moment, to events: inout EventList) {
        var start = 0
        while let end = bytes.firstIndex(ofByte: self.separator, from: start) {
            if self.rest.isEmpty {
                self.add(bytes.slice(start..<end), now, &events)
            } else {
                self.rest.append(contentsOf: bytes.slice(start..<end))
                self.addRest(now, &events)
            }
            start = end + 1
        }
        let room = self.shaper.form.lineByteCountMax - self.rest.count
        self.rest.append(contentsOf: bytes.slice(start..<bytes.count).prefix(max(0, room)))
    }

    /// Nothing more will come: what there is, is a line.
    mutating func finish(now: Moment, to events: inout EventList) {
        if !self.rest.isEmpty { self.addRest(now, &events) }
    }

    private mutating func addRest(_ now: Moment, _ events: inout EventList) {
        let line = self.rest
        self.rest.removeAll(keepingCapacity: line.capacity <= 65_536)
        line.withUnsafeBytes { self.add($0, now, &events) }
    }

    private mutating func add(_ line: UnsafeRawBufferPointer, _ now: Moment, _ events: inout EventList) {
        let text = line.trimmed
        if text.isEmpty { return }
        if self.readsJSON, text[0] == UInt8(ascii: "{"), Self.addObject(text, now, &events) { return }
        let place = LinePlace(offset: 0, source: 0, now: now.wall, monotonic: now.monotonic, recordTail: [])
        self.lines.add(line, at: place, only: nil, to: &events)
    }

    /// Appends a JSON object; `false` when it is none.
    static func addObject(_ text: UnsafeRawBufferPointer, _ now: Moment, _ events: inout EventList) -> Bool {
        do throws(JSONError) {
            let compact = try JSONCompact.compacted(text)
            guard compact.first == UInt8(ascii: "{"), compact.count >= 2 else { return false }
            events.bytes.append(contentsOf: compact[1..<(compact.count - 1)])
            events.endEvent(time: now.wall)
            return true
        } catch {
            return false
        }
    }
}
