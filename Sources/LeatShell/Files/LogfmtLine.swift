internal import LeatCore

/// `key=value key="quoted value" …`, taken apart.
enum LogfmtLine {
    /// Whether a line is logfmt rather than prose with an equals sign: it begins with a pair, and has two or more.
    static func looksLike(_ line: UnsafeRawBufferPointer) -> Bool {
        var count = 0
        var end = 0
        Self.forEachPair(line) { _, _, isFirst, pairEnd in
            if isFirst || count > 0 { count += 1 }
            end = pairEnd
        }
        return count >= 2 && end * 2 >= line.count
    }

    /// Calls `body` with each key, its value (without quotes, escapes kept), whether the pair begins the line, and
    /// where it ends.
    static func forEachPair(
        _ line: UnsafeRawBufferPointer,
        _ body: (_ key: Range<Int>, _ value: Range<Int>, _ isFirst: Bool, _ end: Int) -> Void
    ) {
        var index = 0
        while index < line.count {
            while index < line.count, line[index] == 0x20 || line[index] == 0x09 { index += 1 }
            let start = index
            while index < line.count, Self.isKey(line[index]) { index += 1 }
            guard index > start, index < line.count, line[index] == UInt8(ascii: "=") else {
                // A word without a value is passed over.
                while index < line.count, line[index] != 0x20, line[index] != 0x09 { index += 1 }
                continue
            }
            let key = start..<index
            index += 1
            let value: Range<Int>
            if index < line.count, line[index] == UInt8(ascii: "\"") {
                let valueStart = index + 1
                index = valueStart
                while index < line.count, line[index] != UInt8(ascii: "\"") {
                    index += line[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                value = valueStart..<min(index, line.count)
                index = min(index + 1, line.count)
            } else {
                let valueStart = index
                while index < line.count, line[index] != 0x20, line[index] != 0x09 { index += 1 }
                value = valueStart..<index
            }
            body(key, value, key.lowerBound == 0, index)
        }
    }

    private static func isKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"),
            UInt8(ascii: "@"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
