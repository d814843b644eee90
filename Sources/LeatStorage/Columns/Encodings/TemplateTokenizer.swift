internal import CLeatKernels
internal import LeatCore

/// Splits texts into parts that repeat and parts that vary.
///
/// The rules are those that a prototype found best; see `docs/decisions/0002-encodings.md`:
/// 1. JSON objects: every scalar varies, all else repeats.
/// 2. Otherwise, from left to right: times at a digit; the value of `key=value`; what is between quotes; words that hold
///    a digit, without a unit of up to four letters behind a number.
/// 3. All behind the first newline is one part that varies.
struct TemplateTokenizer {
    /// A part that varies.
    struct Span {
        var start: UInt32
        var end: UInt32
        /// A hash of the key whose value it is; 0 if there is none.
        var name: UInt64
    }

    /// More parts than this, or a longer text, are not worth it.
    static let spanCountMax = 400
    static let byteCountMax = 32 << 10

    /// What varies in the last text, in its order.
    private(set) var spans: [Span] = []
    /// A hash of all that repeats in the last text.
    private(set) var hash: UInt64 = 0
    private var staticStart = 0

    /// Splits a text; `false` when it should be kept whole.
    mutating func split(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count > 0, text.count <= Self.byteCountMax else { return false }
        if text[0] == UInt8(ascii: "{") {
            self.begin()
            if self.splitJSON(text) {
                self.finish(text)
                return self.spans.count <= Self.spanCountMax
            }
        }
        self.begin()
        self.splitWords(text)
        self.finish(text)
        return self.spans.count <= Self.spanCountMax
    }

    private mutating func begin() {
        self.spans.removeAll(keepingCapacity: true)
        self.hash = 0x51_7C_C1_B7_27_22_0A_95
        self.staticStart = 0
    }

    private mutating func finish(_ text: UnsafeRawBufferPointer) {
        let rest = UnsafeRawBufferPointer(rebasing: text[self.staticStart...])
        self.hash = ByteHash.mix(self.hash ^ ByteHash.hash(rest), 0x9E37_79B9_7F4A_7C15)
    }

    @inline(__always)
    private mutating func add(_ text: UnsafeRawBufferPointer, _ start: Int, _ end: Int, name: UInt64 = 0) {
        let before = UnsafeRawBufferPointer(rebasing: text[self.staticStart..<start])
        self.hash = ByteHash.mix(self.hash ^ ByteHash.hash(before), 0xE703_7ED1_A0B4_28DB)
        self.spans.append(Span(start: UInt32(start), end: UInt32(end), name: name))
        self.staticStart = end
    }

    // MARK: words

    private enum Class {
        static let word: UInt8 = 1
        static let digit: UInt8 = 2
        static let letter: UInt8 = 4
        /// Ends the value of `key=value`.
        static let end: UInt8 = 8
    }

    private static let classes: [UInt8] = (0..<256).map { byte in
        switch UInt8(byte) {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Class.word | Class.digit
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): Class.word | Class.letter
        case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"), 0x80...0xFF: Class.word
        case UInt8(ascii: " "), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ")"), UInt8(ascii: "]"),
            UInt8(ascii: "}"), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\""):
            Class.end
        default: 0
        }
    }

    private mutating func splitWords(_ text: UnsafeRawBufferPointer) {
        Self.classes.withUnsafeBufferPointer { classes in
            var index = 0
            while index < text.count {
                let byte = text[index]
                let kind = classes[Int(byte)]
                if kind & Class.word != 0 {
                    index = self.word(text, index, classes)
                } else if byte == UInt8(ascii: "\"") {
                    index = self.quoted(text, index, name: 0)
                } else if byte == UInt8(ascii: "\n") {
                    if index + 1 < text.count { self.add(text, index + 1, text.count) }
                    return
                } else {
                    index += 1
                }
            }
        }
    }

    /// Handles the word at `start`; where to go on.
    private mutating func word(
        _ text: UnsafeRawBufferPointer,
        _ start: Int,
        _ classes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        var end = start
        var seen: UInt8 = 0
        while end < text.count {
            let kind = classes[Int(text[end])]
            if kind & Class.word == 0 { break }
            seen |= kind
            end += 1
        }
        if end < text.count, text[end] == UInt8(ascii: "=") { return self.pair(text, start, end, classes) }
        guard seen & Class.digit != 0 else { return end }
        if classes[Int(text[start])] & Class.digit != 0, let timeEnd = Self.time(text, start) {
            self.add(text, start, timeEnd)
            return timeEnd
        }
        var last = end
        // A stop at the end of a sentence is not part of the word.
        while last > start, text[last - 1] == UInt8(ascii: ".") || text[last - 1] == UInt8(ascii: "-") { last -= 1 }
        let unit = Self.unitStart(text, start, last, classes)
        self.add(text, start, unit)
        return end
    }

    /// Where the unit of a number begins; the end when there is none.
    private static func unitStart(
        _ text: UnsafeRawBufferPointer,
        _ start: Int,
        _ end: Int,
        _ classes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        var unit = end
        while unit > start, classes[Int(text[unit - 1])] & Class.letter != 0 { unit -= 1 }
        guard unit > start, unit < end, end - unit <= 4 else { return end }
        for index in start..<unit {
            let isNumber = classes[Int(text[index])] & Class.digit != 0 || text[index] == UInt8(ascii: ".")
            if !isNumber { return end }
        }
        return unit
    }

    /// Handles `key=value`; where to go on.
    private mutating func pair(
        _ text: UnsafeRawBufferPointer,
        _ start: Int,
        _ equals: Int,
        _ classes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        let name = ByteHash.hash(UnsafeRawBufferPointer(rebasing: text[start..<equals])) | 1
        var end = equals + 1
        if end < text.count, text[end] == UInt8(ascii: "\"") { return self.quoted(text, end, name: name) }
        while end < text.count, classes[Int(text[end])] & Class.end == 0 { end += 1 }
        if end > equals + 1 { self.add(text, equals + 1, end, name: name) }
        return end
    }

    /// Handles what is between quotes; where to go on.
    private mutating func quoted(_ text: UnsafeRawBufferPointer, _ start: Int, name: UInt64) -> Int {
        guard let end = Self.quoteEnd(text, start, isWithinLine: true) else { return start + 1 }
        if end > start + 1 { self.add(text, start + 1, end, name: name) }
        return end + 1
    }

    /// The end of a time at `start`; `nil` when there is none.
    private static func time(_ text: UnsafeRawBufferPointer, _ start: Int) -> Int? {
        guard start + 19 <= text.count else { return nil }
        var end: Int
        if text[start + 4] == UInt8(ascii: "-"), text[start + 7] == UInt8(ascii: "-"),
            text[start + 13] == UInt8(ascii: ":"), text[start + 16] == UInt8(ascii: ":")
        {
            end = start + 19
        } else if text[start + 2] == UInt8(ascii: "/"), text[start + 6] == UInt8(ascii: "/"), start + 20 <= text.count,
            text[start + 11] == UInt8(ascii: ":"), text[start + 14] == UInt8(ascii: ":")
        {
            end = start + 20
        } else {
            return nil
        }
        if end + 1 < text.count, text[end] == UInt8(ascii: "."), text[end + 1] &- UInt8(ascii: "0") <= 9 {
            end += 1
            while end < text.count, text[end] &- UInt8(ascii: "0") <= 9 { end += 1 }
        }
        if end < text.count, text[end] == UInt8(ascii: "Z") { end += 1 }
        return end
    }

    // MARK: JSON

    private mutating func splitJSON(_ text: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        var depth = 0
        var name: UInt64 = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                index += 1
                if depth == 0 { return index == text.count }
            case UInt8(ascii: "\""):
                guard let end = Self.quoteEnd(text, index, isWithinLine: false) else { return false }
                if end + 1 < text.count, text[end + 1] == UInt8(ascii: ":") {
                    name = ByteHash.hash(UnsafeRawBufferPointer(rebasing: text[index + 1..<end])) | 1
                    index = end + 2
                } else {
                    if end > index + 1 { self.add(text, index + 1, end, name: name) }
                    index = end + 1
                }
            case UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: ":"):
                index += 1
            default:
                var end = index
                while end < text.count, !Self.endsScalar(text[end]) { end += 1 }
                guard end < text.count, end > index else { return false }
                self.add(text, index, end, name: name &+ 2)
                index = end
            }
        }
        return false
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") || byte <= 0x20
            || byte == UInt8(ascii: "\"")
    }

    /// The quote that ends what begins with the one at `start`; with `isWithinLine` not behind a newline.
    private static func quoteEnd(_ text: UnsafeRawBufferPointer, _ start: Int, isWithinLine: Bool) -> Int? {
        guard let bytes = text.baseAddress else { return nil }
        var high: UInt32 = 0
        var end = start + 1
        while end < text.count {
            end = leat_json_special(bytes, end, text.count, &high)
            guard end < text.count else { return nil }
            switch text[end] {
            case UInt8(ascii: "\""): return end
            case UInt8(ascii: "\\"): end += 2
            case UInt8(ascii: "\n") where isWithinLine: return nil
            default: end += 1
            }
        }
        return nil
    }
}
