internal import LeatCore

/// Finds the messages of a stream: by their length before them, or by the line's end (RFC 6587).
struct SyslogFraming {
    enum Form {
        /// Each message says by its first bytes.
        case either
        case lines
        case counted
    }

    private let form: Form
    private let byteCountMax: Int
    private var rest: [UInt8] = []
    /// Bytes of a too long message that are still to come.
    private var skipCount = 0

    init(_ form: Form, byteCountMax: Int) {
        self.form = form
        self.byteCountMax = byteCountMax
    }

    /// Takes bytes, and calls `body` with each message that they complete.
    mutating func take(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        let skipped = min(self.skipCount, bytes.count)
        self.skipCount -= skipped
        self.rest.append(contentsOf: bytes.dropFirst(skipped))
        let used = self.rest.withUnsafeBytes { rest in
            var offset = 0
            while let end = self.message(in: rest, from: offset, body) { offset = end }
            return offset
        }
        self.rest.removeFirst(used)
        if self.rest.count > self.byteCountMax { self.cut(body) }
    }

    /// Nothing more will come: what there is, is a message.
    mutating func finish(_ body: (UnsafeRawBufferPointer) -> Void) {
        self.rest.withUnsafeBytes { rest in
            let start = self.count(in: rest, from: 0)?.start ?? 0
            let message = Self.withoutEnd(rest.slice(start..<rest.count))
            if !message.isEmpty { body(message) }
        }
        self.rest = []
    }

    /// A message without the newline or NUL behind it.
    static func withoutEnd(_ message: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var end = message.count
        while end > 0, message[end - 1] == 0x0A || message[end - 1] == 0x0D || message[end - 1] == 0 { end -= 1 }
        return message.slice(0..<end)
    }

    /// Hands out the message at `start`, and says where the next one begins; `nil` when it is not whole.
    private func message(
        in bytes: UnsafeRawBufferPointer,
        from start: Int,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) -> Int? {
        guard start < bytes.count else { return nil }
        if bytes[start] == 0x0A || bytes[start] == 0 { return start + 1 }
        let end: Int
        let next: Int
        let begin: Int
        if let counted = self.count(in: bytes, from: start) {
            guard counted.count <= bytes.count - counted.start else { return nil }
            begin = counted.start
            end = counted.start + counted.count
            next = end
        } else {
            guard let found = bytes.firstIndex(ofByte: 0x0A, or: 0, from: start) else { return nil }
            (begin, end, next) = (start, found, found + 1)
        }
        let message = Self.withoutEnd(bytes.slice(begin..<end))
        if !message.isEmpty { body(message) }
        return next
    }

    /// The length before a message, and where the message begins; `nil` when there is none.
    private func count(in bytes: UnsafeRawBufferPointer, from start: Int) -> (count: Int, start: Int)? {
        guard self.form != .lines, start < bytes.count, (0x31...0x39).contains(bytes[start]) else { return nil }
        var count = 0
        var index = start
        while index < bytes.count, index - start < 8, (0x30...0x39).contains(bytes[index]) {
            count = count * 10 + Int(bytes[index] - 0x30)
            index += 1
        }
        guard index < bytes.count, bytes[index] == 0x20 else { return nil }
        // A line may begin with a number too, but no message begins behind it.
        let isMessage = index + 1 >= bytes.count || bytes[index + 1] == UInt8(ascii: "<")
        return self.form == .counted || isMessage ? (count, index + 1) : nil
    }

    /// Hands out the beginning of a message that is too long; what still comes of a counted one is skipped.
    private mutating func cut(_ body: (UnsafeRawBufferPointer) -> Void) {
        let counted = self.rest.withUnsafeBytes { self.count(in: $0, from: 0) }
        let start = counted?.start ?? 0
        self.rest.withUnsafeBytes { body($0.slice(start..<min($0.count, start + self.byteCountMax))) }
        if let counted { self.skipCount = max(0, counted.count - (self.rest.count - start)) }
        self.rest = []
    }
}
