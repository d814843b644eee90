internal import LeatCore

/// An IPv4 or IPv6 address.
struct InternetAddress: Hashable, Sendable {
    /// 4 or 16 bytes, the first one first.
    let bytes: [UInt8]

    var isVersion4: Bool { self.bytes.count == 4 }

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Reads `1.2.3.4` or an IPv6 address as RFC 4291 writes them; an IPv4 address within IPv6 (`::ffff:1.2.3.4`) is the
    /// former.
    init?(_ text: UnsafeRawBufferPointer) {
        if text.count > 45 { return nil }
        guard text.contains(UInt8(ascii: ":")) else {
            guard let bytes = Self.version4(text.text[...]) else { return nil }
            self.bytes = bytes
            return
        }
        guard let bytes = Self.version6(text.text) else { return nil }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        self.bytes = Array(bytes.prefix(12)) == mapped ? Array(bytes.suffix(4)) : bytes
    }

    init?(_ text: String) {
        guard let address = Array(text.utf8).withUnsafeBytes({ InternetAddress($0) }) else { return nil }
        self = address
    }

    private static func version4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard !part.isEmpty, part.count <= 3, part.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let byte = UInt8(part)
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func version6(_ text: String) -> [UInt8]? {
        var rest = Substring(text)
        if let zone = rest.firstIndex(of: "%") { rest = rest[..<zone] }
        let halves = rest.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2, let first = Self.groups(halves[0]) else { return nil }
        if halves.count == 1 { return first.count == 16 ? first : nil }
        guard let last = Self.groups(halves[1]), first.count + last.count <= 14 else { return nil }
        return first + [UInt8](repeating: 0, count: 16 - first.count - last.count) + last
    }

    private static func groups(_ text: Substring) -> [UInt8]? {
        if text.isEmpty { return [] }
        var bytes: [UInt8] = []
        let groups = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, group) in groups.enumerated() {
            if index == groups.count - 1, group.contains(".") {
                guard let last = Self.version4(group) else { return nil }
                bytes += last
            } else {
                guard !group.isEmpty, group.count <= 4, let value = UInt16(group, radix: 16) else { return nil }
                bytes += [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
            }
        }
        return bytes.count <= 16 ? bytes : nil
    }

    /// The address with all bits after the first `count` cleared.
    func masked(to count: Int) -> InternetAddress {
        InternetAddress(
            bytes: self.bytes.enumerated().map { index, byte in
                let kept = min(max(count - index * 8, 0), 8)
                return kept == 8 ? byte : byte & ~(0xFF >> UInt8(kept))
            }
        )
    }

    /// The address as text; IPv6 in full groups without the longest run of zeros.
    var text: String {
        if self.isVersion4 { return self.bytes.map(String.init).joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(self.bytes[$0]) << 8 | UInt16(self.bytes[$0 + 1]) }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > best.count { best = start..<end }
            start = max(end, start + 1)
        }
        let texts = groups.map { String($0, radix: 16) }
        guard best.count > 1 else { return texts.joined(separator: ":") }
        return texts[..<best.lowerBound].joined(separator: ":") + "::"
            + texts[best.upperBound...].joined(separator: ":")
    }
}

/// A set of subnets, such as `10.0.0.0/8` and `fe80::/10`.
struct SubnetSet: Sendable {
    /// Per length of the mask the networks of that length.
    private var networks: [Int: Set<InternetAddress>] = [:]

    /// Adds a subnet, or one address; `false` when the text is neither.
    mutating func insert(_ text: String) -> Bool {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard let first = parts.first else { return false }
        // `127.0.0/16` and `10/8` stand for addresses that end in zeros.
        let missing = parts.count == 2 && !first.contains(":") ? max(0, 3 - first.filter { $0 == "." }.count) : 0
        let text = String(first) + String(repeating: ".0", count: missing)
        guard let address = InternetAddress(text) else { return false }
        let most = address.bytes.count * 8
        guard let length = parts.count == 2 ? Int(parts[1]) : most, (0...most).contains(length) else { return false }
        // Versions are kept apart, as masks of 32 bits and less exist in both.
        self.networks[length + (address.isVersion4 ? 0 : 1000), default: []].insert(address.masked(to: length))
        return true
    }

    func contains(_ address: InternetAddress) -> Bool {
        let version = address.isVersion4 ? 0 : 1000
        for (key, networks) in self.networks where (key >= 1000) == (version == 1000) {
            if networks.contains(address.masked(to: key - version)) { return true }
        }
        return false
    }
}
