internal import CLeatKernels
internal import LeatCore

/// The distinct values of a list of byte strings, and which of them each value is.
struct DistinctTexts {
    /// Per value the index of its text among the distinct ones.
    let codes: [UInt16]
    /// The distinct texts in order of first use.
    let texts: ByteStrings

    init(texts: ByteStrings, codes: [UInt16]) {
        self.texts = texts
        self.codes = codes
    }

    /// The distinct values; `nil` when there are more than `limit` (at most 65,536).
    init?(_ values: ByteStrings, limit: Int) {
        guard let (codes, firsts) = Self.find(values, limit: limit) else { return nil }
        self.codes = codes
        self.texts = values.gathered(firsts.lazy.map(Int.init))
    }

    /// The codes, and for each distinct text the index of the value where it was first seen.
    private static func find(_ values: ByteStrings, limit: Int) -> (codes: [UInt16], firsts: [Int32])? {
        let count = values.count
        var slots = [Int32](repeating: -1, count: 1024)
        var hashes: [UInt64] = []
        var firsts: [Int32] = []
        var mask = slots.count - 1
        var codes = [UInt16](repeating: 0, count: count)
        var before = -1
        for index in 0..<count {
            let value = values[index]
            // Fast path: the same text as in the row before.
            if before >= 0, ByteHash.isEqual(values[Int(firsts[before])], value) {
                codes[index] = UInt16(before)
                continue
            }
            let hash = ByteHash.hash(value)
            var slot = Int(truncatingIfNeeded: hash) & mask
            while true {
                let code = Int(slots[slot])
                if code < 0 {
                    guard firsts.count < limit else { return nil }
                    before = firsts.count
                    slots[slot] = Int32(before)
                    firsts.append(Int32(index))
                    hashes.append(hash)
                    if firsts.count * 2 > slots.count {
                        slots = Self.grown(hashes, to: slots.count * 4)
                        mask = slots.count - 1
                    }
                    break
                }
                if hashes[code] == hash, ByteHash.isEqual(values[Int(firsts[code])], value) {
                    before = code
                    break
                }
                slot = (slot + 1) & mask
            }
            codes[index] = UInt16(before)
        }
        return (codes, firsts)
    }

    private static func grown(_ hashes: [UInt64], to count: Int) -> [Int32] {
        var slots = [Int32](repeating: -1, count: count)
        for (code, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (count - 1) }
            slots[slot] = Int32(code)
        }
        return slots
    }

    /// The values.
    var values: ByteStrings { self.texts.gathered(self.codes.lazy.map(Int.init)) }

    /// Bytes of all values.
    var valueByteCount: Int {
        self.texts.offsets.withUnsafeBufferPointer { offsets in
            self.codes.reduce(0) { $0 + Int(offsets[Int($1) + 1] - offsets[Int($1)]) }
        }
    }
}

extension ByteStrings {
    /// The strings at some indices, in that order, in an area of their own.
    func gathered(_ indices: some Collection<Int>) -> ByteStrings {
        var total = 0
        let offsets = [UInt32](unsafeUninitializedCapacity: indices.count + 1) { offsets, count in
            offsets[0] = 0
            count = 1
            for index in indices {
                total += Int(self.offsets[index + 1] - self.offsets[index])
                offsets[count] = UInt32(total)
                count += 1
            }
        }
        let storage = ByteStorage(byteCount: total)
        if let to = storage.bytes.baseAddress, let from = self.bytes.unsafeBytes.baseAddress {
            var position = 0
            for index in indices {
                let start = Int(self.offsets[index])
                let byteCount = Int(self.offsets[index + 1]) - start
                leat_copy_bytes(to + position, from + start, byteCount)
                position += byteCount
            }
        }
        withExtendedLifetime(self.bytes) {}
        return ByteStrings(offsets: offsets, bytes: ByteSlice(UnsafeRawBufferPointer(storage.bytes), owner: storage))
    }
}
