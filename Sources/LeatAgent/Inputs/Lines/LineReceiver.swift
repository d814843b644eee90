internal import LeatCore

/// Turns bytes that arrive without a file behind them into events, line by line.
///
/// A line of JSON objects becomes a record per object, another one goes through the parser or under `log`.
struct LineReceiver {
    private let shaper: LineTemplates
    private let readsJSON: Bool
    private let skipsEmptyLines: Bool
    private let separator: [UInt8]
    /// Members that every event gets, each behind a comma.
    private let recordTail: [UInt8]
    private var rest: [UInt8] = []
    private var isCut = false
    private var lines: LineShaper

    init(
        form: LineForm,
        readsJSON: Bool,
        skipsEmptyLines: Bool = true,
        separator: [UInt8] = [UInt8(ascii: "\n")],
        recordTail: [UInt8] = []
    ) {
        self.shaper = LineTemplates(form)
        self.readsJSON = readsJSON
        self.skipsEmptyLines = skipsEmptyLines
        self.separator = separator
        self.recordTail = recordTail
        self.lines = LineShaper(self.shaper)
    }

    /// Takes bytes, and appends the events of the lines that they complete.
    mutating func take(_ bytes: UnsafeRawBufferPointer, now: Moment, to events: inout EventList) {
        if self.separator.count == 1 {
            self.takeLines(bytes, now, &events)
        } else {
            self.takeParts(bytes, now, &events)
        }
        // A sender of JSON need not end its objects with anything.
        if self.readsJSON, self.rest.last == UInt8(ascii: "}"), self.rest.first == UInt8(ascii: "{") {
            let line = self.rest
            if line.withUnsafeBytes({ self.addObjects($0, now, &events) }) {
                self.rest.removeAll(keepingCapacity: true)
            }
        }
    }

    // Fast path: lines end with one byte, and most are whole.
    private mutating func takeLines(_ bytes: UnsafeRawBufferPointer, _ now: Moment, _ events: inout EventList) {
        var start = 0
        while let end = bytes.firstIndex(ofByte: self.separator[0], from: start) {
            if self.rest.isEmpty {
                self.add(bytes.slice(start..<end), now, &events)
            } else {
                self.keep(bytes.slice(start..<end))
                self.addRest(now, &events)
            }
            start = end + 1
        }
        self.keep(bytes.slice(start..<bytes.count))
    }

    // Slow path: the separator has several bytes, which may come apart.
    private mutating func takeParts(_ bytes: UnsafeRawBufferPointer, _ now: Moment, _ events: inout EventList) {
        for byte in bytes {
            withUnsafeBytes(of: byte) { self.keep($0) }
            guard self.rest.count >= self.separator.count, self.rest.suffix(self.separator.count) == self.separator[...]
            else { continue }
            self.rest.removeLast(self.separator.count)
            self.addRest(now, &events)
        }
    }

    /// Keeps the beginning of a line, at most the longest one.
    private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
        let room = max(0, self.shaper.form.lineByteCountMax - self.rest.count)
        if bytes.count > room { self.isCut = true }
        self.rest.append(contentsOf: bytes.prefix(room))
    }

    /// Nothing more will come: what there is, is a line.
    mutating func finish(now: Moment, to events: inout EventList) {
        if !self.rest.isEmpty { self.addRest(now, &events) }
    }

    private mutating func addRest(_ now: Moment, _ events: inout EventList) {
        let line = self.rest
        self.rest.removeAll(keepingCapacity: line.capacity <= 65_536)
        line.withUnsafeBytes { self.add($0, now, &events) }
        self.isCut = false
    }

    private mutating func add(_ line: UnsafeRawBufferPointer, _ now: Moment, _ events: inout EventList) {
        let text = line.trimmed
        if text.isEmpty, self.skipsEmptyLines { return }
        if self.readsJSON, text.first == UInt8(ascii: "{"), self.addObjects(text, now, &events) { return }
        let place = LinePlace(
            offset: 0,
            source: 0,
            now: now.wall,
            monotonic: now.monotonic,
            recordTail: self.recordTail
        )
        if self.isCut {
            self.lines.appendPlain(line, isCut: true, place, to: &events)
        } else {
            self.lines.add(line, at: place, only: nil, to: &events)
        }
    }

    /// Appends the objects of a line; nothing when one is not whole.
    private func addObjects(_ text: UnsafeRawBufferPointer, _ now: Moment, _ events: inout EventList) -> Bool {
        var found = EventList()
        guard JSONRecords.append(text, tail: self.recordTail, time: now.wall, to: &found) else { return false }
        events.append(contentsOf: found)
        return true
    }
}
