internal import LeatCore

/// A text in which `*` stands for any bytes, compared with whole values.
struct Glob: Hashable, Sendable {
    /// The pieces between the stars; one piece is a text without a star.
    private let pieces: [[UInt8]]
    private let foldsCase: Bool

    /// - Parameters:
    ///   - text: The text with its stars; they cannot be escaped.
    ///   - foldsCase: Whether ASCII letters match in either case.
    init(_ text: String, foldsCase: Bool = false) {
        let bytes = Array((foldsCase ? text.lowercased() : text).utf8)
        self.pieces = bytes.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map { Array($0) }
        self.foldsCase = foldsCase
    }

    /// Whether the glob matches every value.
    var matchesEverything: Bool { self.pieces.count > 1 && self.pieces.allSatisfy(\.isEmpty) }

    /// Whether the whole value matches.
    func matches(_ value: UnsafeRawBufferPointer) -> Bool {
        guard self.foldsCase else { return self.matchesExactly(value) }
        let lowered = Glob.lowercased(value)
        return lowered.withUnsafeBytes { self.matchesExactly($0) }
    }

    private func matchesExactly(_ value: UnsafeRawBufferPointer) -> Bool {
        let first = self.pieces[0]
        if self.pieces.count == 1 { return value.elementsEqual(first) }
        let last = self.pieces[self.pieces.count - 1]
        guard value.count >= first.count + last.count, value.starts(with: first),
            value[(value.count - last.count)...].elementsEqual(last)
        else { return false }
        var start = first.count
        let end = value.count - last.count
        for piece in self.pieces[1..<(self.pieces.count - 1)] where !piece.isEmpty {
            let rest = UnsafeRawBufferPointer(rebasing: value[start..<end])
            guard let found = piece.withUnsafeBytes({ ByteSearch.find($0, in: rest) }) else { return false }
            start += found + piece.count
        }
        return true
    }

    /// The text in lower case; ASCII at once, the rest by Unicode's rules.
    static func lowercased(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        if !ByteSearch.isASCII(value) { return Array(String(decoding: value, as: UTF8.self).lowercased().utf8) }
        return value.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
    }

    /// The text in upper case.
    static func uppercased(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        if !ByteSearch.isASCII(value) { return Array(String(decoding: value, as: UTF8.self).uppercased().utf8) }
        return value.map { $0 >= 97 && $0 <= 122 ? $0 & 0xDF : $0 }
    }
}
