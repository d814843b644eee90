/// The agent's routing label, matched by `Match`; one object per distinct text, so that the route is looked up once.
final class RouteTag {
    /// The label as text, such as `kube.var.log.containers.web.log`.
    let text: String

    /// The label as UTF-8.
    let bytes: [UInt8]

    /// Which filters and outputs match, filled in by the router when it first sees the tag.
    var route: Route?

    init(_ text: String) {
        self.text = text
        self.bytes = Array(text.utf8)
    }
}

/// What a route tag goes through: the filters that match, in order, then the outputs.
struct Route {
    /// Numbers of the matching filters in the order of the configuration.
    let filters: [Int]
    /// One bit per matching output.
    let outputs: OutputSet
}

/// A set of outputs; bit n stands for the n-th output of the configuration.
struct OutputSet: Hashable, Sendable {
    /// The most outputs that a configuration may have.
    static let outputCountMax = 64

    var bits: UInt64 = 0

    var isEmpty: Bool { self.bits == 0 }

    init(_ indices: [Int] = []) {
        for index in indices { self.insert(index) }
    }

    init(bits: UInt64) { self.bits = bits }

    mutating func remove(_ index: Int) { self.bits &= ~(1 << UInt64(index)) }

    mutating func insert(_ index: Int) { self.bits |= 1 << UInt64(index) }

    func contains(_ index: Int) -> Bool { self.bits >> UInt64(index) & 1 == 1 }

    func intersection(_ other: OutputSet) -> OutputSet { OutputSet(bits: self.bits & other.bits) }

    func subtracting(_ other: OutputSet) -> OutputSet { OutputSet(bits: self.bits & ~other.bits) }

    /// The numbers of the outputs, ascending.
    var indices: [Int] { (0..<OutputSet.outputCountMax).filter { self.contains($0) } }
}

/// `Match` of filters and outputs: `*` stands for any run of bytes, also none.
struct TagPattern: Hashable, Sendable {
    private let parts: [[UInt8]]

    init(_ text: String) {
        self.parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    }

    /// Whether the whole tag matches.
    func matches(_ tag: [UInt8]) -> Bool {
        guard let first = self.parts.first, let last = self.parts.last, self.parts.count > 1 else {
            return self.parts.first == tag
        }
        guard tag.count >= first.count + last.count, tag.starts(with: first) else { return false }
        guard tag.suffix(last.count).elementsEqual(last) else { return false }
        var position = first.count
        let end = tag.count - last.count
        for part in self.parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = Self.find(part, in: tag[position..<end]) else { return false }
            position = found + part.count
        }
        return true
    }

    private static func find(_ part: [UInt8], in tag: ArraySlice<UInt8>) -> Int? {
        guard part.count <= tag.count else { return nil }
        return (tag.startIndex...(tag.endIndex - part.count)).first { start in
            tag[start..<(start + part.count)].elementsEqual(part)
        }
    }
}
