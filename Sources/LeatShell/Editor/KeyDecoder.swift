/// Makes keys of the bytes that a terminal sends (ECMA-48 sequences, xterm's modifiers, bracketed paste, UTF-8).
///
/// Bytes may arrive in any pieces. A lone Escape is a key only once `flush` says that nothing followed.
struct KeyDecoder {
    /// Bytes of a paste beyond which the rest is dropped.
    static let pasteByteCountMax = 1 << 20

    private var pending: [UInt8] = []
    private var paste: [UInt8]?

    private static let pasteEnd = Array("\u{1B}[201~".utf8)

    /// Whether bytes wait for more.
    var isWaiting: Bool { !self.pending.isEmpty || self.paste != nil }

    /// The keys that are complete now.
    mutating func add(_ bytes: some Sequence<UInt8>) -> [Key] {
        self.pending.append(contentsOf: bytes)
        var keys: [Key] = []
        while !self.pending.isEmpty {
            if self.paste != nil {
                guard let key = self.takePaste() else { break }
                keys.append(key)
                continue
            }
            guard let (key, count) = Self.next(self.pending) else { break }
            self.pending.removeFirst(count)
            if let key { keys.append(key) } else { self.paste = [] }
        }
        return keys
    }

    /// What the waiting bytes are if nothing follows them.
    mutating func flush() -> [Key] {
        guard !self.pending.isEmpty, self.paste == nil else { return [] }
        let bytes = self.pending
        self.pending = []
        return bytes == [0x1B] ? [.escape] : [.unknown]
    }

    /// The paste, once its end has come.
    private mutating func takePaste() -> Key? {
        guard let end = Self.find(Self.pasteEnd, in: self.pending) else {
            // What cannot be the beginning of the end mark is text.
            let kept = min(self.pending.count, Self.pasteEnd.count - 1)
            self.keepPaste(self.pending.count - kept)
            return nil
        }
        self.keepPaste(end)
        self.pending.removeFirst(Self.pasteEnd.count)
        defer { self.paste = nil }
        return .paste(String(decoding: self.paste ?? [], as: UTF8.self))
    }

    private mutating func keepPaste(_ count: Int) {
        let room = max(0, Self.pasteByteCountMax - (self.paste?.count ?? 0))
        self.paste?.append(contentsOf: self.pending.prefix(min(count, room)))
        self.pending.removeFirst(count)
    }

    private static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        return (0...(bytes.count - needle.count)).first { bytes[$0..<($0 + needle.count)].elementsEqual(needle) }
    }

    /// The first key and its length; no key at the mark that begins a paste; `nil` when bytes are missing.
    private static func next(_ bytes: [UInt8]) -> (key: Key?, count: Int)? {
        switch bytes[0] {
        case 0x1B: return Self.escape(bytes)
        case 0x0D: return (.enter, 1)
        case 0x0A: return (.newline, 1)
        case 0x09: return (.tab, 1)
        case 0x7F, 0x08: return (.backspace, 1)
        case 0x00: return (.control(" "), 1)
        case 0x01...0x1A: return (.control(Character(Unicode.Scalar(bytes[0] + 0x60))), 1)
        case 0x1C...0x1F: return (.control(Character(Unicode.Scalar(bytes[0] + 0x40))), 1)
        case 0x20..<0x7F: return (.character(Character(Unicode.Scalar(bytes[0]))), 1)
        default: return Self.character(bytes)
        }
    }

    private static func character(_ bytes: [UInt8]) -> (key: Key?, count: Int)? {
        let length = bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : bytes[0] >= 0xC2 ? 2 : 1
        guard length > 1 else { return (.unknown, 1) }
        guard bytes.count >= length else { return nil }
        guard let text = String(validating: bytes[..<length], as: UTF8.self), let character = text.first else {
            return (.unknown, 1)
        }
        return (.character(character), length)
    }

    private static func escape(_ bytes: [UInt8]) -> (key: Key?, count: Int)? {
        guard bytes.count >= 2 else { return nil }
        switch bytes[1] {
        case UInt8(ascii: "["): return Self.controlSequence(bytes)
        case UInt8(ascii: "O"):
            guard bytes.count >= 3 else { return nil }
            return (Self.letterKeys[bytes[2]] ?? .unknown, 3)
        case 0x0D, 0x0A: return (.newline, 2)
        case 0x7F, 0x08: return (.deleteWord, 2)
        case 0x1B: return (.escape, 1)
        case 0x20..<0x7F: return (.alt(Character(Unicode.Scalar(bytes[1]))), 2)
        default: return (.escape, 1)
        }
    }

    private static let letterKeys: [UInt8: Key] = [
        UInt8(ascii: "A"): .up, UInt8(ascii: "B"): .down, UInt8(ascii: "C"): .right, UInt8(ascii: "D"): .left,
        UInt8(ascii: "H"): .home, UInt8(ascii: "F"): .end, UInt8(ascii: "Z"): .backTab, UInt8(ascii: "M"): .enter,
    ]

    private static let numberKeys: [String: Key] = [
        "1": .home, "3": .delete, "4": .end, "5": .pageUp, "6": .pageDown, "7": .home, "8": .end,
    ]

    /// `ESC [ parameters final`.
    private static func controlSequence(_ bytes: [UInt8]) -> (key: Key?, count: Int)? {
        guard let end = bytes.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) }) else {
            // Longer than any key: not a sequence at all.
            return bytes.count > 32 ? (.unknown, bytes.count) : nil
        }
        let parameters = String(decoding: bytes[2..<end], as: UTF8.self)
        let parts = parameters.split(separator: ";", omittingEmptySubsequences: false)
        let count = end + 1
        if bytes[end] == UInt8(ascii: "~") {
            if parts.first == "200" { return (nil, count) }
            return (parts.first.flatMap { Self.numberKeys[String($0)] } ?? .unknown, count)
        }
        let key = Self.letterKeys[bytes[end]] ?? .unknown
        // A modifier other than shift: Ctrl or Alt with an arrow goes by words.
        guard parts.count == 2, let modifier = Int(parts[1]), modifier > 2 else { return (key, count) }
        return (key == .left ? .wordLeft : key == .right ? .wordRight : key, count)
    }
}
