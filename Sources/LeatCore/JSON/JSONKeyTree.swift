internal import CLeatKernels
internal import CXxhash

/// The keys seen so far, as a tree of paths that remembers which key came after which.
///
/// Logs repeat their shape: after a key of an object, the key that followed it last time is expected, and comparing the
/// bytes with `"key":` is all the work. Only a surprise is looked up by hash. Elements of arrays are nodes too.
struct JSONKeyTree: ~Copyable {
    /// A place in a document: the root, a key of an object, or an element of an array.
    struct Node {
        /// `"key":` in minimal form; none for the root and for elements.
        var keyText: UnsafePointer<UInt8>?
        var keyTextCount: Int32 = 0
        var parent: Int32
        /// Position in an array; -1 for keys.
        var element: Int32 = -1
        /// Number of the flattened name, -1 before it was needed.
        var name: Int32 = -1
        /// The key that came first in the last object at this place, and the one that followed this one; -1 unknown.
        var firstKey: Int32 = -1
        var nextKey: Int32 = -1
        var firstElement: Int32 = -1
        var nextElement: Int32 = -1
        var path: UnsafePointer<UInt8>?
        var pathCount: Int32 = 0
    }

    /// Beyond this many nodes or bytes of names the tree is forgotten before the next document.
    static let nodeCountMax = 1 << 16
    static let byteCountMax = 8 << 20

    private(set) var nodes: UnsafeMutablePointer<Node>
    private var nodeCapacity: Int
    private(set) var nodeCount = 0
    private var texts = ScratchArena()
    /// Open addressing over nodes that are keys, by parent and key; -1 is free, the size a power of two.
    private var table: [Int32]
    private let seed: UInt64

    private(set) var names: [UnsafeRawBufferPointer] = []
    private var nameOfPath: [UInt64: [Int32]] = [:]

    init() {
        self.nodeCapacity = 256
        self.nodes = .allocate(capacity: 256)
        self.table = [Int32](repeating: -1, count: 512)
        self.seed = SystemRandom.uint64()
        self.clear()
    }

    deinit { self.nodes.deallocate() }

    /// Whether the tree has outgrown its limits.
    var isTooLarge: Bool { self.nodeCount > Self.nodeCountMax || self.texts.byteCount > Self.byteCountMax }

    /// Forgets all but the root, which is node 0.
    mutating func clear() {
        self.nodeCount = 0
        self.texts.reset()
        self.table = [Int32](repeating: -1, count: 512)
        self.names = []
        self.nameOfPath = [:]
        _ = self.add(Node(parent: -1))
    }

    private mutating func add(_ node: Node) -> Int32 {
        if self.nodeCount == self.nodeCapacity {
            let larger = UnsafeMutablePointer<Node>.allocate(capacity: self.nodeCapacity * 2)
            larger.update(from: self.nodes, count: self.nodeCount)
            self.nodes.deallocate()
            self.nodes = larger
            self.nodeCapacity *= 2
        }
        (self.nodes + self.nodeCount).initialize(to: node)
        self.nodeCount += 1
        return Int32(self.nodeCount - 1)
    }

    /// The node of a key of the object at `parent`; the key has no escapes left.
    mutating func child(
        of parent: Int32,
        key: UnsafeBufferPointer<UInt8>,
        pathByteCountMax: Int
    ) -> Int32? {
        var slot = self.slot(parent, key)
        while self.table[slot] >= 0 {
            let found = self.table[slot]
            if self.isKey(found, parent, key) { return found }
            slot = (slot + 1) & (self.table.count - 1)
        }
        let parentPath = self.nodes[Int(parent)]
        let separator = parentPath.pathCount > 0 || parentPath.parent >= 0 ? 1 : 0
        let pathCount = Int(parentPath.pathCount) + separator + key.count
        guard pathCount <= pathByteCountMax else { return nil }
        let path = self.texts.take(pathCount)
        if let prefix = parentPath.path { path.update(from: prefix, count: Int(parentPath.pathCount)) }
        if separator == 1 { path[Int(parentPath.pathCount)] = UInt8(ascii: ".") }
        if let start = key.baseAddress { (path + (pathCount - key.count)).update(from: start, count: key.count) }
        var node = Node(parent: parent)
        node.path = UnsafePointer(path)
        node.pathCount = Int32(pathCount)
        self.setKeyText(of: &node, key)
        let number = self.add(node)
        self.insert(number, slot)
        return number
    }

    private mutating func setKeyText(of node: inout Node, _ key: UnsafeBufferPointer<UInt8>) {
        var text: [UInt8] = []
        JSONWriter.append(string: UnsafeRawBufferPointer(key), to: &text)
        text.append(UInt8(ascii: ":"))
        let kept = self.texts.take(text.count)
        text.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { kept.update(from: start, count: source.count) }
        }
        node.keyText = UnsafePointer(kept)
        node.keyTextCount = Int32(text.count)
    }

    /// The node of element `index` of the array at `parent`, of which `previous` is the element before.
    mutating func element(
        of parent: Int32,
        after previous: Int32,
        pathByteCountMax: Int
    ) -> Int32? {
        let known = previous < 0 ? self.nodes[Int(parent)].firstElement : self.nodes[Int(previous)].nextElement
        if known >= 0 { return known }
        let index = previous < 0 ? 0 : self.nodes[Int(previous)].element + 1
        let suffix = Array("[\(index)]".utf8)
        let parentPath = self.nodes[Int(parent)]
        let pathCount = Int(parentPath.pathCount) + suffix.count
        guard pathCount <= pathByteCountMax else { return nil }
        let path = self.texts.take(pathCount)
        if let prefix = parentPath.path { path.update(from: prefix, count: Int(parentPath.pathCount)) }
        for (offset, byte) in suffix.enumerated() { path[Int(parentPath.pathCount) + offset] = byte }
        var node = Node(parent: parent, element: index)
        node.path = UnsafePointer(path)
        node.pathCount = Int32(pathCount)
        let number = self.add(node)
        if previous < 0 {
            self.nodes[Int(parent)].firstElement = number
        } else {
            self.nodes[Int(previous)].nextElement = number
        }
        return number
    }

    /// The number of the flattened name of a node.
    mutating func name(of node: Int32) -> Int32 {
        if self.nodes[Int(node)].name >= 0 { return self.nodes[Int(node)].name }
        let path = UnsafeRawBufferPointer(
            start: self.nodes[Int(node)].path,
            count: Int(self.nodes[Int(node)].pathCount)
        )
        let hash = XXH3_64bits_withSeed(path.baseAddress, path.count, self.seed)
        // Different nodes may have one name: `{"a.b":1}` and `{"a":{"b":1}}`.
        for known in self.nameOfPath[hash] ?? [] where self.names[Int(known)].isEqual(to: path) {
            self.nodes[Int(node)].name = known
            return known
        }
        let name = Int32(self.names.count)
        self.names.append(path)
        self.nameOfPath[hash, default: []].append(name)
        self.nodes[Int(node)].name = name
        return name
    }

    // MARK: hashing

    private func slot(_ parent: Int32, _ key: UnsafeBufferPointer<UInt8>) -> Int {
        let hash = XXH3_64bits_withSeed(
            key.baseAddress,
            key.count,
            self.seed &+ UInt64(parent) &* 0x9E37_79B9_7F4A_7C15
        )
        return Int(truncatingIfNeeded: hash) & (self.table.count - 1)
    }

    private func key(of node: Int32) -> UnsafeBufferPointer<UInt8> {
        // The key is the end of the path.
        let found = self.nodes[Int(node)]
        let parent = self.nodes[Int(found.parent)]
        let separator: Int32 = parent.pathCount > 0 || parent.parent >= 0 ? 1 : 0
        let skipped = Int(parent.pathCount + separator)
        return UnsafeBufferPointer(start: found.path.map { $0 + skipped }, count: Int(found.pathCount) - skipped)
    }

    private func isKey(_ node: Int32, _ parent: Int32, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
        guard self.nodes[Int(node)].parent == parent else { return false }
        return UnsafeRawBufferPointer(self.key(of: node)).isEqual(to: UnsafeRawBufferPointer(key))
    }

    private mutating func insert(_ node: Int32, _ slot: Int) {
        self.table[slot] = node
        guard self.nodeCount * 2 > self.table.count else { return }
        self.table = [Int32](repeating: -1, count: self.table.count * 4)
        for number in 1..<self.nodeCount where self.nodes[number].element < 0 {
            var slot = self.slot(self.nodes[number].parent, self.key(of: Int32(number)))
            while self.table[slot] >= 0 { slot = (slot + 1) & (self.table.count - 1) }
            self.table[slot] = Int32(number)
        }
    }
}
