/// Takes the white space out of JSON text, checking it on the way; strings and numbers stay byte for byte.
public enum JSONCompact {
    /// Objects and arrays inside each other that are accepted.
    public static let depthMax = 1024

    /// Appends the compact form of the only value of `bytes`; nothing stays appended on error.
    public static func append(
        _ bytes: UnsafeRawBufferPointer,
        to target: inout [UInt8]
    ) throws(JSONError) {
        let before = target.count
        do throws(JSONError) {
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
                throw JSONError(.cutShort, at: 0)
            }
            var at = JSONScan.skipSpace(start, 0, bytes.count)
            try self.copyValue(start, &at, bytes.count) { from, to in
                target.append(contentsOf: UnsafeBufferPointer(start: start + from, count: to - from))
            }
            at = JSONScan.skipSpace(start, at, bytes.count)
            if at != bytes.count { throw JSONError(.trailingBytes, at: at) }
        } catch {
            target.removeLast(target.count - before)
            throw error
        }
    }

    /// The compact form of the only value of `bytes`.
    public static func compacted(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> [UInt8] {
        var target: [UInt8] = []
        target.reserveCapacity(bytes.count)
        try self.append(bytes, to: &target)
        return target
    }

    /// Steps over the value at `at`; gives `keep` the ranges of the text that are not white space.
    @inline(__always)
    static func copyValue(
        _ bytes: UnsafePointer<UInt8>,
        _ at: inout Int,
        _ count: Int,
        _ keep: (_ from: Int, _ to: Int) -> Void
    ) throws(JSONError) {
        // One bit per open container: 1 for an array.
        var kinds: [Bool] = []
        var kept = at
        while true {
            // Here a value begins.
            guard at < count else { throw JSONError(.cutShort, at: count) }
            var opened = false
            switch bytes[at] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard kinds.count < self.depthMax else { throw JSONError(.tooDeep(limit: self.depthMax), at: at) }
                kinds.append(bytes[at] == UInt8(ascii: "["))
                at += 1
                opened = true
            case UInt8(ascii: "\""):
                var hasEscapes = false
                at = try JSONScan.stringEnd(bytes, at + 1, count, hasEscapes: &hasEscapes) + 1
            case UInt8(ascii: "-"), 0x30...0x39: at = try JSONScan.numberEnd(bytes, at, count)
            default: at = try JSONScan.literalEnd(bytes, at, count)
            }
            // Here a value has ended, or a container was opened.
            while true {
                guard let isArray = kinds.last else {
                    keep(kept, at)
                    return
                }
                try self.skip(bytes, &at, count, &kept, keep)
                let closer = isArray ? UInt8(ascii: "]") : UInt8(ascii: "}")
                if bytes[at] == closer {
                    kinds.removeLast()
                    at += 1
                    opened = false
                    continue
                }
                if !opened {
                    guard bytes[at] == UInt8(ascii: ",") else {
                        throw JSONError(.expected(isArray ? "',' or ']'" : "',' or '}'"), at: at)
                    }
                    at += 1
                    try self.skip(bytes, &at, count, &kept, keep)
                }
                if !isArray { try self.copyKey(bytes, &at, count, &kept, keep) }
                break
            }
        }
    }

    @inline(__always)
    private static func copyKey(
        _ bytes: UnsafePointer<UInt8>,
        _ at: inout Int,
        _ count: Int,
        _ kept: inout Int,
        _ keep: (_ from: Int, _ to: Int) -> Void
    ) throws(JSONError) {
        guard bytes[at] == UInt8(ascii: "\"") else { throw JSONError(.expected("a key in quotes"), at: at) }
        var hasEscapes = false
        at = try JSONScan.stringEnd(bytes, at + 1, count, hasEscapes: &hasEscapes) + 1
        try self.skip(bytes, &at, count, &kept, keep)
        guard bytes[at] == UInt8(ascii: ":") else { throw JSONError(.expected("':'"), at: at) }
        at += 1
        try self.skip(bytes, &at, count, &kept, keep)
    }

    /// Steps over white space, after which something must follow.
    @inline(__always)
    private static func skip(
        _ bytes: UnsafePointer<UInt8>,
        _ at: inout Int,
        _ count: Int,
        _ kept: inout Int,
        _ keep: (_ from: Int, _ to: Int) -> Void
    ) throws(JSONError) {
        let next = JSONScan.skipSpace(bytes, at, count)
        if next != at {
            keep(kept, at)
            kept = next
            at = next
        }
        guard at < count else { throw JSONError(.cutShort, at: count) }
    }
}
