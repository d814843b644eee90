internal import LeatCore

/// A database of addresses in MaxMind's format, version 2
/// (https://maxmind.github.io/MaxMind-DB/): a binary tree over the bits of addresses, and values at its leaves.
///
/// Every offset of the file is checked, so that a damaged file gives no entry and no crash.
struct MaxMindDatabase: Sendable {
    /// A value of the database.
    indirect enum Value: Sendable {
        case text(String)
        case number(Double)
        case map([String: Value])
        case array([Value])

        /// The text at a path of keys and indexes.
        func text(at path: [String]) -> String? {
            guard let key = path.first else {
                switch self {
                case .text(let text): return text
                case .number(let number): return NumberText.text(number)
                case .map, .array: return nil
                }
            }
            switch self {
            case .map(let members): return members[key]?.text(at: Array(path.dropFirst()))
            case .array(let elements):
                guard let index = Int(key), elements.indices.contains(index) else { return nil }
                return elements[index].text(at: Array(path.dropFirst()))
            case .text, .number: return nil
            }
        }
    }

    private static let marker = Array("\u{AB}\u{CD}\u{EF}MaxMind.com".unicodeScalars.map { UInt8($0.value) })
    private static let depthMax = 16

    private let bytes: ByteSlice
    private let nodeCount: Int
    /// Bits of one record: 24, 28 or 32; a node has two.
    private let recordBitCount: Int
    private let isVersion6: Bool
    /// Where values begin, 16 bytes after the tree.
    private let dataStart: Int

    /// Opens a database; `nil` when the bytes are none.
    init?(_ bytes: ByteSlice) {
        let all = bytes.unsafeBytes
        let tail = max(0, all.count - 128 * 1024)
        var found: Int?
        Self.marker.withUnsafeBytes { marker in
            var start = tail
            while let next = ByteSearch.find(marker, in: all, from: start) {
                found = next
                start = next + 1
            }
        }
        guard let start = found else { return nil }
        var metadata = Decoder(bytes: all, dataStart: start + Self.marker.count)
        metadata.position = metadata.dataStart
        guard case .map(let members) = metadata.value(depth: 0), case .number(let nodes)? = members["node_count"],
            case .number(let bits)? = members["record_size"], case .number(let version)? = members["ip_version"],
            [24, 28, 32].contains(bits), nodes >= 0, nodes < 1e9
        else { return nil }
        self.bytes = bytes
        self.nodeCount = Int(nodes)
        self.recordBitCount = Int(bits)
        self.isVersion6 = version == 6
        self.dataStart = self.nodeCount * self.recordBitCount / 4 + 16
        guard self.dataStart <= start else { return nil }
    }

    /// What the database says about an address.
    func entry(of address: InternetAddress) -> Value? {
        var key = address.bytes
        if self.isVersion6 && address.isVersion4 { key = [UInt8](repeating: 0, count: 12) + key }
        if !self.isVersion6 && !address.isVersion4 { return nil }
        return self.bytes.withUnsafeBytes { bytes in
            var node = 0
            for index in 0..<key.count * 8 {
                let bit = key[index / 8] >> UInt8(7 - index % 8) & 1
                node = self.record(node, isRight: bit == 1, bytes)
                if node >= self.nodeCount { break }
            }
            guard node > self.nodeCount else { return nil }
            var decoder = Decoder(bytes: bytes, dataStart: self.dataStart)
            decoder.position = self.dataStart + node - self.nodeCount - 16
            return decoder.value(depth: 0)
        }
    }

    private func record(_ node: Int, isRight: Bool, _ bytes: UnsafeRawBufferPointer) -> Int {
        let start = node * self.recordBitCount / 4
        func byte(_ offset: Int) -> Int { Int(bytes[start + offset]) }
        switch self.recordBitCount {
        case 24:
            let first = isRight ? 3 : 0
            return byte(first) << 16 | byte(first + 1) << 8 | byte(first + 2)
        case 28:
            let high = isRight ? byte(3) & 15 : byte(3) >> 4
            let first = isRight ? 4 : 0
            return high << 24 | byte(first) << 16 | byte(first + 1) << 8 | byte(first + 2)
        default:
            let first = isRight ? 4 : 0
            return byte(first) << 24 | byte(first + 1) << 16 | byte(first + 2) << 8 | byte(first + 3)
        }
    }

    /// Reads values; gives `nil` for what does not fit the bytes.
    private struct Decoder {
        let bytes: UnsafeRawBufferPointer
        let dataStart: Int
        var position = 0

        init(bytes: UnsafeRawBufferPointer, dataStart: Int) {
            self.bytes = bytes
            self.dataStart = dataStart
        }

        private mutating func byte() -> Int? {
            guard self.position >= 0, self.position < self.bytes.count else { return nil }
            self.position += 1
            return Int(self.bytes[self.position - 1])
        }

        private mutating func unsigned(_ count: Int) -> UInt64? {
            var value: UInt64 = 0
            for _ in 0..<count {
                guard let next = self.byte() else { return nil }
                value = value << 8 | UInt64(next)
            }
            return value
        }

        mutating func value(depth: Int) -> Value? {
            guard depth < MaxMindDatabase.depthMax, let control = self.byte() else { return nil }
            var type = control >> 5
            if type == 1 { return self.pointed(control, depth: depth) }
            if type == 0 {
                guard let extended = self.byte() else { return nil }
                type = extended + 7
            }
            guard let size = self.size(control & 31) else { return nil }
            switch type {
            case 2:
                guard self.position + size <= self.bytes.count else { return nil }
                defer { self.position += size }
                return .text(self.bytes.slice(self.position..<self.position + size).text)
            case 3: return self.unsigned(8).map { .number(Double(bitPattern: $0)) }
            case 5, 6, 9, 10: return self.unsigned(min(size, 16)).map { .number(Double($0)) }
            case 7: return self.map(size, depth: depth)
            case 8:
                return self.unsigned(min(size, 4)).map { .number(Double(Int32(truncatingIfNeeded: $0))) }
            case 11:
                var elements: [Value] = []
                for _ in 0..<size {
                    guard let element = self.value(depth: depth + 1) else { return nil }
                    elements.append(element)
                }
                return .array(elements)
            case 14: return .number(Double(size))
            case 15: return self.unsigned(4).map { .number(Double(Float(bitPattern: UInt32(truncatingIfNeeded: $0)))) }
            default: return nil
            }
        }

        private mutating func map(_ count: Int, depth: Int) -> Value? {
            var members: [String: Value] = [:]
            for _ in 0..<count {
                guard case .text(let key) = self.value(depth: depth + 1), let value = self.value(depth: depth + 1)
                else {
                    return nil
                }
                members[key] = value
            }
            return .map(members)
        }

        /// A value elsewhere in the data section.
        private mutating func pointed(_ control: Int, depth: Int) -> Value? {
            let size = control >> 3 & 3
            guard let low = self.unsigned(size + 1) else { return nil }
            let offsets = [0, 2048, 526_336, 0]
            let high = size == 3 ? 0 : (control & 7) << ((size + 1) * 8)
            var decoder = Decoder(bytes: self.bytes, dataStart: self.dataStart)
            decoder.position = self.dataStart + Int(low) + high + offsets[size]
            return decoder.value(depth: depth + 1)
        }

        private mutating func size(_ short: Int) -> Int? {
            switch short {
            case 29: return self.unsigned(1).map { Int($0) + 29 }
            case 30: return self.unsigned(2).map { Int($0) + 285 }
            case 31: return self.unsigned(3).map { Int($0) + 65_821 }
            default: return short
            }
        }
    }
}
