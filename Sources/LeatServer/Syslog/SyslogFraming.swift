internal import LeatCore

/// Cuts the bytes of a syslog connection into messages; RFC 6587, decided anew for each message.
///
///     83 <34>1 2003-10-11T22:14:15.003Z host …      octet counting: as many bytes follow as the number says
///     <34>Oct 11 22:14:15 host …\n                   ends with a newline, or with a zero byte as Python sends it
///
/// A number only counts as one if a space and `<` follow, since an old message may begin with a digit too. Nothing is
/// dropped: what is longer than a message may be is cut, and says so.
struct SyslogFraming {
    /// Longest message; what follows is skipped.
    private let byteCountMax: Int
    private var buffer: [UInt8] = []
    /// Bytes of a message that was cut and whose end has not come.
    private var skipping = Skipping.nothing

    private enum Skipping {
        case nothing
        case count(Int)
        case toEndOfLine
    }

    /// Digits that a count may have.
    private static let digitCountMax = 9

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// Takes the next bytes and gives every message that is complete.
    ///
    /// - Parameters:
    ///   - bytes: What came.
    ///   - take: Gets a message without its frame, and whether it was cut.
    mutating func consume(
        _ bytes: UnsafeRawBufferPointer,
        _ take: (UnsafeRawBufferPointer, Bool) throws -> Void
    ) rethrows {
        // Taken out and put back, so that the array is not copied.
        var buffer = self.buffer
        self.buffer = []
        buffer.append(contentsOf: bytes)
        let used = try buffer.withUnsafeBytes { try self.messages(of: $0, take) }
        buffer.removeFirst(used)
        self.buffer = buffer
    }

    /// The connection ended: what is left is a message too, or the start of one.
    mutating func finish(_ take: (UnsafeRawBufferPointer, Bool) throws -> Void) rethrows {
        let rest = self.buffer
        self.buffer = []
        try rest.withUnsafeBytes { rest in
            var start = 0
            if case .count(_, let digits) = Self.frame(rest, 0) { start = digits }
            let message = Self.trimmed(UnsafeRawBufferPointer(rebasing: rest[start...]))
            if !message.isEmpty { try take(message, false) }
        }
    }

    /// Gives the complete messages of `bytes`; answers how many bytes they took.
    private mutating func messages(
        of bytes: UnsafeRawBufferPointer,
        _ take: (UnsafeRawBufferPointer, Bool) throws -> Void
    ) rethrows -> Int {
        var at = 0
        while at < bytes.count {
            if !self.skip(bytes, &at) { continue }
            switch Self.frame(bytes, at) {
            case .unknown: return at
            case .count(let count, let digits):
                let start = at + digits
                let available = bytes.count - start
                if count > self.byteCountMax, available >= self.byteCountMax {
                    try take(UnsafeRawBufferPointer(rebasing: bytes[start..<start + self.byteCountMax]), true)
                    self.skipping = .count(count - self.byteCountMax)
                    at = start + self.byteCountMax
                } else if available >= count {
                    let message = Self.trimmed(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
                    if !message.isEmpty { try take(message, false) }
                    at = start + count
                } else {
                    return at
                }
            case .line:
                let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
                if let end = rest.firstIndex(where: { $0 == 0x0A || $0 == 0 }) {
                    let isCut = end > self.byteCountMax
                    let message = Self.trimmed(UnsafeRawBufferPointer(rebasing: rest[..<min(end, self.byteCountMax)]))
                    if !message.isEmpty { try take(message, isCut) }
                    at += end + 1
                } else if rest.count >= self.byteCountMax {
                    try take(UnsafeRawBufferPointer(rebasing: rest[..<self.byteCountMax]), true)
                    self.skipping = .toEndOfLine
                    at += self.byteCountMax
                } else {
                    return at
                }
            }
        }
        return at
    }

    /// Goes over the rest of a message that was cut; whether a new message begins at `at`.
    private mutating func skip(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Bool {
        switch self.skipping {
        case .nothing: return true
        case .count(let count):
            let step = min(count, bytes.count - at)
            at += step
            self.skipping = step == count ? .nothing : .count(count - step)
        case .toEndOfLine:
            if let end = bytes[at...].firstIndex(where: { $0 == 0x0A || $0 == 0 }) {
                at = end + 1
                self.skipping = .nothing
            } else {
                at = bytes.count
            }
        }
        return false
    }

    private enum Frame {
        /// Too few bytes to tell.
        case unknown
        /// A counted message, and how many bytes its count takes, with the space.
        case count(Int, digits: Int)
        case line
    }

    private static func frame(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Frame {
        var value = 0
        var at = start
        while at < bytes.count, at - start < Self.digitCountMax {
            let byte = bytes[at]
            guard byte >= 0x30, byte <= 0x39, at > start || byte != 0x30 else { break }
            value = value * 10 + Int(byte - 0x30)
            at += 1
        }
        guard at > start else { return .line }
        guard at + 1 < bytes.count else {
            return at == bytes.count || bytes[at] == 0x20 ? .unknown : .line
        }
        guard bytes[at] == 0x20, bytes[at + 1] == UInt8(ascii: "<") else { return .line }
        return .count(value, digits: at - start + 1)
    }

    /// Without the ends of line that some senders count too.
    private static func trimmed(_ message: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var end = message.count
        while end > 0, message[end - 1] == 0x0A || message[end - 1] == 0x0D || message[end - 1] == 0 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: message[..<end])
    }
}
