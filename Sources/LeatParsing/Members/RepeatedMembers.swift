internal import LeatCore

/// Finds names that come twice in an object: `{"user":"a","user":"b"}`.
///
/// Loggers write such objects, and Elasticsearch refuses them whole. The last member of a name counts, as for most readers.
public enum RepeatedMembers {
    /// Removes from the members that begin at `start`, or behind a comma there, all but the last one of each name.
    public static func remove(in bytes: inout [UInt8], from start: Int) {
        guard start < bytes.count else { return }
        let begin = bytes[start] == UInt8(ascii: ",") ? start + 1 : start
        let kept = bytes.withUnsafeBytes { all -> [UInt8]? in
            let text = all.slice(begin..<all.count)
            var members: [Member] = []
            var scanner = MemberScanner(text)
            while let member = scanner.next() { members.append(member) }
            let last = Self.lastOfEach(members.count) { text.slice(members[$0].name) }
            guard last.count < members.count else { return nil }
            var kept: [UInt8] = []
            for index in last {
                if !kept.isEmpty { kept.append(UInt8(ascii: ",")) }
                kept.append(
                    contentsOf: text.slice(members[index].name.lowerBound - 1..<members[index].value.upperBound)
                )
            }
            return kept
        }
        guard let kept else { return }
        bytes.removeLast(bytes.count - begin)
        bytes += kept
    }

    /// The numbers of the members that are the last of their name, ascending.
    public static func lastOfEach(_ count: Int, _ name: (Int) -> UnsafeRawBufferPointer) -> [Int] {
        var seen: Set<[UInt8]> = []
        var result: [Int] = []
        for index in (0..<count).reversed() where seen.insert(Array(name(index))).inserted { result.append(index) }
        return result.reversed()
    }
}

/// Says quickly of the names of one object that they differ; only where it cannot must they be compared.
public struct NameSketch {
    /// 2,048 bits: in nine of ten objects with twenty names, no two names share one.
    private var bits = InlineArray<32, UInt64>(repeating: 0)

    public init() {}

    /// Notes a name; `true` when an earlier one may have been the same.
    @inline(__always)
    public mutating func insert(_ name: UnsafeRawBufferPointer) -> Bool {
        let mark = Self.mark(name)
        let bit = UInt64(1) << UInt64(mark & 63)
        let isKnown = self.bits[mark >> 6] & bit != 0
        self.bits[mark >> 6] |= bit
        return isKnown
    }

    /// A number below 2,048 of the length, the first and the last bytes of a name.
    @inline(__always)
    private static func mark(_ name: UnsafeRawBufferPointer) -> Int {
        let count = name.count
        var mixed = UInt64(truncatingIfNeeded: count)
        if count >= 8 {
            mixed ^= name.loadUnaligned(as: UInt64.self)
            mixed = mixed &* 0xD6E8_FEB8_6659_FD93 ^ name.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
        } else if count >= 4 {
            let low = UInt64(name.loadUnaligned(as: UInt32.self))
            mixed ^= low | UInt64(name.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)) << 32
        } else if count > 0 {
            mixed ^= UInt64(name[0]) << 8 | UInt64(name[count / 2]) << 16 | UInt64(name[count - 1]) << 24
        }
        return Int(truncatingIfNeeded: (mixed &* 0x9E37_79B9_7F4A_7C15) >> 53)
    }
}
