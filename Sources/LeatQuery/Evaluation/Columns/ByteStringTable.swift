internal import LeatCore

/// Numbers for byte strings: equal strings get equal numbers, counted from 0.
///
/// Open addressing over one arena; four to six times as fast as a dictionary of strings (`spec`, fast Swift §7).
struct ByteStringTable: Sendable {
    /// The number of a string in the lower half, its hash in the upper, so that a look at other slots needs no other memory.
    private var slots: [UInt64]
    private var hashes: [UInt32] = []
    private var offsets: [Int] = [0]
    private var arena: [UInt8] = []
    private var mask: Int

    private static let empty = UInt64.max

    init(capacity: Int = 16) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        self.slots = [UInt64](repeating: Self.empty, count: size)
        self.mask = size - 1
    }

    /// How many different strings there are.
    var count: Int { self.hashes.count }

    /// Bytes of memory that the strings take.
    var byteCount: Int { self.arena.count + self.slots.count * 8 + self.count * 12 }

    /// The number of a string, which is new when it equals the former `count`.
    mutating func index(of string: UnsafeRawBufferPointer) -> Int { self.index(of: string, hash: Self.hash(string)) }

    /// The numbers here of all strings of another table, which are new here if need be.
    mutating func formUnion(_ other: ByteStringTable) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(other.count)
        for start in stride(from: 0, to: other.count, by: Self.lookedAhead) {
            let range = start..<min(start + Self.lookedAhead, other.count)
            self.prefetch(other.hashes[range])
            for index in range {
                other.withString(index) { result.append(UInt32(self.index(of: $0, hash: other.hashes[index]))) }
            }
        }
        return result
    }

    /// The numbers of those strings of a list whose count is not 0, which are new here if need be; `UInt32.max` for others.
    mutating func indexes(of strings: ByteStrings, where counts: [UInt32]) -> [UInt32] {
        var result = [UInt32](repeating: .max, count: strings.count)
        var hashes = [UInt32](repeating: 0, count: Self.lookedAhead)
        for start in stride(from: 0, to: strings.count, by: Self.lookedAhead) {
            let range = start..<min(start + Self.lookedAhead, strings.count)
            for index in range { hashes[index - start] = Self.hash(strings[index]) }
            self.prefetch(hashes[..<range.count])
            for index in range where counts[index] > 0 {
                result[index] = UInt32(self.index(of: strings[index], hash: hashes[index - start]))
            }
        }
        return result
    }

    /// Strings whose memory is asked for together: a large table is in no cache, and one look-up after the other would
    /// wait for it each time.
    private static let lookedAhead = 64

    /// Asks for what look-ups of some hashes will read: slots, then where their strings begin, then these.
    private func prefetch(_ hashes: ArraySlice<UInt32>) {
        self.slots.withUnsafeBufferPointer { slots in
            self.offsets.withUnsafeBufferPointer { offsets in
                self.arena.withUnsafeBufferPointer { arena in
                    func place(_ hash: UInt32) -> Int { Int(UInt32(truncatingIfNeeded: slots[Int(hash) & self.mask])) }
                    for hash in hashes { slots.prefetch(Int(hash) & self.mask) }
                    for hash in hashes { offsets.prefetch(place(hash)) }
                    for hash in hashes where place(hash) < self.count { arena.prefetch(offsets[place(hash)]) }
                }
            }
        }
    }

    private static func entry(_ index: Int, _ hash: UInt32) -> UInt64 { UInt64(hash) << 32 | UInt64(index) }

    @inline(__always)
    private mutating func index(of string: UnsafeRawBufferPointer, hash: UInt32) -> Int {
        var slot = Int(hash) & self.mask
        while true {
            let entry = self.slots[slot]
            if entry == Self.empty { break }
            let index = Int(UInt32(truncatingIfNeeded: entry))
            if entry >> 32 == UInt64(hash) && self.equals(index, string) { return index }
            slot = (slot + 1) & self.mask
        }
        let index = self.hashes.count
        self.slots[slot] = Self.entry(index, hash)
        self.hashes.append(hash)
        self.arena.append(contentsOf: string)
        self.offsets.append(self.arena.count)
        if self.hashes.count * 2 > self.slots.count { self.enlarge() }
        return index
    }

    /// The number of a string, `nil` when it is not there.
    func find(_ string: UnsafeRawBufferPointer) -> Int? {
        let hash = Self.hash(string)
        var slot = Int(hash) & self.mask
        while true {
            let entry = self.slots[slot]
            if entry == Self.empty { return nil }
            let index = Int(UInt32(truncatingIfNeeded: entry))
            if entry >> 32 == UInt64(hash) && self.equals(index, string) { return index }
            slot = (slot + 1) & self.mask
        }
    }

    /// Calls `body` with the string of a number; the bytes are valid during the call.
    @inline(__always)
    func withString<Result, Failure: Error>(
        _ index: Int,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let range = self.offsets[index]..<self.offsets[index + 1]
        return try self.arena.withRawBytes { (bytes) throws(Failure) in
            try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    /// The string of a number.
    func string(_ index: Int) -> [UInt8] { Array(self.arena[self.offsets[index]..<self.offsets[index + 1]]) }

    private func equals(_ index: Int, _ string: UnsafeRawBufferPointer) -> Bool {
        let start = self.offsets[index]
        guard self.offsets[index + 1] - start == string.count else { return false }
        return self.arena.withUnsafeBytes { $0.slice(start..<start + string.count).isEqual(to: string) }
    }

    private mutating func enlarge() {
        let size = self.slots.count * 2
        self.mask = size - 1
        self.slots = [UInt64](repeating: Self.empty, count: size)
        for index in self.hashes.indices {
            var slot = Int(self.hashes[index]) & self.mask
            while self.slots[slot] != Self.empty { slot = (slot + 1) & self.mask }
            self.slots[slot] = Self.entry(index, self.hashes[index])
        }
    }

    /// Eight bytes at a time, mixed by multiplication (as wyhash does).
    @inline(__always)
    static func hash(_ string: UnsafeRawBufferPointer) -> UInt32 {
        let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
        var state = UInt64(string.count) &* 0xA076_1D64_78BD_642F
        var index = 0
        while index + 8 <= string.count {
            let word = string.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            state = Self.mix(state ^ word, multiplier)
            index += 8
        }
        if index < string.count {
            var word: UInt64 = 0
            if string.count >= 8 {
                word = string.loadUnaligned(fromByteOffset: string.count - 8, as: UInt64.self)
            } else {
                for offset in index..<string.count { word = word << 8 | UInt64(string[offset]) }
            }
            state = Self.mix(state ^ word, multiplier)
        }
        state = Self.mix(state, 0xE703_7ED1_A0B4_28DB)
        return UInt32(truncatingIfNeeded: state ^ state >> 32)
    }

    @inline(__always)
    private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}

/// A set of byte strings that is made once and asked often.
struct ByteStringSet: Sendable {
    private let table: ByteStringTable
    let strings: [[UInt8]]

    init(_ strings: [[UInt8]]) {
        var table = ByteStringTable(capacity: strings.count)
        for string in strings { string.withUnsafeBytes { _ = table.index(of: $0) } }
        self.table = table
        self.strings = strings
    }

    func contains(_ string: UnsafeRawBufferPointer) -> Bool { self.table.find(string) != nil }
}

/// Numbers for pairs of numbers: equal pairs get equal numbers, counted from 0.
struct PairTable: Sendable {
    private var slots: [UInt32]
    private(set) var pairs: [UInt64] = []
    private var mask: Int

    init() {
        self.slots = [UInt32](repeating: .max, count: 64)
        self.mask = 63
    }

    var count: Int { self.pairs.count }

    /// The number of a pair, which is new when it equals the former `count`.
    @inline(__always)
    mutating func index(of left: UInt32, _ right: UInt32) -> Int {
        let pair = UInt64(left) << 32 | UInt64(right)
        var slot = Self.hash(pair) & self.mask
        while true {
            let index = self.slots[slot]
            if index == .max { return self.add(pair, at: slot) }
            if self.pairs[Int(index)] == pair { return Int(index) }
            slot = (slot + 1) & self.mask
        }
    }

    private mutating func add(_ pair: UInt64, at slot: Int) -> Int {
        self.slots[slot] = UInt32(self.pairs.count)
        self.pairs.append(pair)
        if self.pairs.count * 2 > self.slots.count { self.enlarge() }
        return self.pairs.count - 1
    }

    private mutating func enlarge() {
        let size = self.slots.count * 2
        self.mask = size - 1
        self.slots = [UInt32](repeating: .max, count: size)
        for index in self.pairs.indices {
            var slot = Self.hash(self.pairs[index]) & self.mask
            while self.slots[slot] != .max { slot = (slot + 1) & self.mask }
            self.slots[slot] = UInt32(index)
        }
    }

    @inline(__always)
    private static func hash(_ pair: UInt64) -> Int {
        let product = pair &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: product ^ product >> 32)
    }
}
