internal import LeatCore

/// Finds the distinct values of a list of byte strings.
struct DictionaryBuilder {
    /// Per value the index of its text among the distinct ones.
    private(set) var codes: [UInt16] = []
    /// For each distinct text the index of the value where it was first seen.
    private(set) var firsts: [Int32] = []

    /// The distinct values; `nil` when there are more than `limit` (at most 65,536).
    init?(_ values: ByteStrings, limit: Int) {
        let count = values.count
        var slots = [Int32](repeating: -1, count: 1024)
        var hashes: [UInt64] = []
        var mask = slots.count - 1
        self.codes = [UInt16](repeating: 0, count: count)
        var before = -1
        for index in 0..<count {
            let value = values[index]
            // Fast path: the same text as in the row before.
            if before >= 0, ByteHash.equal(values[Int(self.firsts[before])], value) {
                self.codes[index] = UInt16(before)
                continue
            }
            let hash = ByteHash.hash(value)
            var slot = Int(truncatingIfNeeded: hash) & mask
            while true {
                let code = Int(slots[slot])
                if code < 0 {
                    guard self.firsts.count < limit else { return nil }
                    before = self.firsts.count
                    slots[slot] = Int32(before)
                    self.firsts.append(Int32(index))
                    hashes.append(hash)
                    if self.firsts.count * 2 > slots.count {
                        slots = Self.grown(hashes, to: slots.count * 4)
                        mask = slots.count - 1
                    }
                    break
                }
                if hashes[code] == hash, ByteHash.equal(values[Int(self.firsts[code])], value) {
                    before = code
                    break
                }
                slot = (slot + 1) & mask
            }
            self.codes[index] = UInt16(before)
        }
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

    /// The distinct texts in order of first use.
    func texts(of values: ByteStrings) -> ByteStrings { values.gathered(self.firsts.lazy.map(Int.init)) }
}

extension ByteStrings {
    /// The strings at some indices, in that order, in an area of their own.
    func gathered(_ indices: some Collection<Int>) -> ByteStrings {
        var offsets: [UInt32] = [0]
        offsets.reserveCapacity(indices.count + 1)
        var total = 0
        for index in indices {
            total += Int(self.offsets[index + 1] - self.offsets[index])
            offsets.append(UInt32(total))
        }
        let storage = ByteStorage(byteCount: total)
        var position = 0
        for index in indices {
            let value = self[index]
            if let base = value.baseAddress, value.count > 0 {
                storage.bytes.baseAddress?.advanced(by: position).copyMemory(from: base, byteCount: value.count)
                position += value.count
            }
        }
        return ByteStrings(offsets: offsets, bytes: ByteSlice(UnsafeRawBufferPointer(storage.bytes), owner: storage))
    }
}
