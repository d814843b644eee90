internal import CLeatKernels

/// Turns one JSON document after the other into flat fields, in a single pass over its bytes.
///
/// Names of nested members are joined with dots, elements of arrays get `[i]`: `{"a":{"b":[1]}}` has the field `a.b[0]`.
/// Values are the exact text of the document; only strings with escapes are copied. UTF-8, numbers and escapes are
/// checked, limits are kept. The order of keys is predicted from the documents before, so feed documents of one source
/// to one flattener. Not for use by two threads at once.
///
/// After `flatten`, `fields` has the fields in the order of the document, `shape` what else is needed to write the same
/// compact document again, and `append(to:)` hands the fields to a `BatchBuilder`.
public struct JSONFlattener: ~Copyable {
    public let limits: JSONLimits

    private(set) var tree = JSONKeyTree()
    private var fieldBuffer: UnsafeMutablePointer<JSONField>
    private var fieldCapacity: Int
    private var fieldCount = 0
    private var scratch = ScratchArena()
    var events = JSONShapeEvents()
    var shapes = JSONShapeTable()
    private var stack: UnsafeMutablePointer<Frame>

    /// Per name the document in which it was seen last, for finding duplicates.
    private var lastSeen: [UInt32] = []
    private var document: UInt32 = 0

    /// Whether two fields of the last document have the same name; of these the last one counts, and `shape` cannot
    /// rebuild the document.
    public private(set) var hasDuplicateNames = false

    /// Changes when numbers of names and shapes become invalid, which may happen between two documents.
    public private(set) var generation = 0

    /// Keeps the bytes of a document that came as an array.
    var ownedDocument = ByteSlice.empty

    var columnOfName: [Int32] = []
    var columnsGeneration = -1

    /// An object or array that is open, and the last of its members.
    private struct Frame {
        var node: Int32
        var last: Int32
        var isArray: Bool
    }

    public init(limits: JSONLimits = JSONLimits()) {
        self.limits = limits
        self.fieldCapacity = max(0, min(64, limits.fieldCountMax))
        self.fieldBuffer = .allocate(capacity: max(1, self.fieldCapacity))
        self.stack = .allocate(capacity: limits.depthMax + 1)
    }

    deinit {
        self.fieldBuffer.deallocate()
        self.stack.deallocate()
    }

    /// The fields of the last document, in its order, nulls and empty objects and arrays included.
    public var fields: UnsafeBufferPointer<JSONField> {
        UnsafeBufferPointer(start: self.fieldBuffer, count: self.fieldCount)
    }

    /// The flattened name with this number, valid until `generation` changes.
    public func name(_ number: Int32) -> UnsafeRawBufferPointer { self.tree.names[Int(number)] }

    /// The number of a flattened name; -1 when no document had it yet.
    public func number(of name: StaticString) -> Int32 {
        for (number, known) in self.tree.names.enumerated() where known.isEqual(to: name) { return Int32(number) }
        return -1
    }

    /// Reads the only document of `bytes`; white space may surround it.
    public mutating func flatten(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
        let end = try self.flattenPrefix(bytes, from: 0)
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        let rest = JSONScan.skipSpace(start, end, bytes.count)
        if rest != bytes.count { throw JSONError(.trailingBytes, at: rest) }
    }

    /// Reads the document that starts at `offset`, and returns the position after it.
    public mutating func flattenPrefix(
        _ bytes: UnsafeRawBufferPointer,
        from offset: Int
    ) throws(JSONError) -> Int {
        self.beginDocument()
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            throw JSONError(.cutShort, at: 0)
        }
        let at = JSONScan.skipSpace(start, offset, bytes.count)
        guard at < bytes.count else { throw JSONError(.cutShort, at: at) }
        guard start[at] == UInt8(ascii: "{") else { throw JSONError(.notAnObject, at: at) }
        return try self.readContainer(start, at, bytes.count)
    }

    private mutating func beginDocument() {
        if self.tree.isTooLarge || self.shapes.isTooLarge {
            self.tree.clear()
            self.shapes = JSONShapeTable()
            self.lastSeen = []
            self.columnsGeneration = -1
            self.generation += 1
        }
        self.fieldCount = 0
        self.hasDuplicateNames = false
        self.document &+= 1
        self.scratch.reset()
        self.events.clear()
    }

    // MARK: the pass

    /// Reads an object from its brace to the one that closes it.
    private mutating func readContainer(
        _ bytes: UnsafePointer<UInt8>,
        _ start: Int,
        _ count: Int
    ) throws(JSONError) -> Int {
        var depth = 0
        var frame = Frame(node: 0, last: -1, isArray: false)
        var at = JSONScan.skipSpace(bytes, start + 1, count)
        if at < count && bytes[at] == UInt8(ascii: "}") { return at + 1 }
        while true {
            // Here a member begins.
            let node: Int32
            if frame.isArray {
                guard
                    let found = self.tree.element(
                        of: frame.node,
                        after: frame.last,
                        pathByteCountMax: self.limits.nameByteCountMax
                    )
                else { throw JSONError(.nameTooLong(limit: self.limits.nameByteCountMax), at: at) }
                node = found
            } else {
                node = try self.readKey(bytes, &at, count, frame)
            }
            frame.last = node
            at = JSONScan.skipSpace(bytes, at, count)
            guard at < count else { throw JSONError(.cutShort, at: count) }
            let first = bytes[at]
            if first == UInt8(ascii: "\"") {
                at = try self.readString(bytes, at, count, node)
            } else if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                let inside = JSONScan.skipSpace(bytes, at + 1, count)
                // Closing brackets are two after the opening ones in ASCII.
                if inside < count && bytes[inside] == first + 2 {
                    let kind: JSONKind = first == UInt8(ascii: "{") ? .emptyObject : .emptyArray
                    try self.addField(node, kind, UnsafeRawPointer(Self.emptyText(kind)), 2, at)
                    at = inside + 1
                } else {
                    guard depth + 2 <= self.limits.depthMax else {
                        throw JSONError(.tooDeep(limit: self.limits.depthMax), at: at)
                    }
                    self.stack[depth] = frame
                    depth += 1
                    frame = Frame(node: node, last: -1, isArray: first == UInt8(ascii: "["))
                    self.events.append(node, frame.isArray ? .beginArray : .beginObject)
                    at = inside
                    continue
                }
            } else {
                at = try self.readBare(bytes, at, count, node)
            }
            // Here a member has ended.
            while true {
                at = JSONScan.skipSpace(bytes, at, count)
                guard at < count else { throw JSONError(.cutShort, at: count) }
                if bytes[at] == UInt8(ascii: ",") {
                    at = JSONScan.skipSpace(bytes, at &+ 1, count)
                    break
                }
                guard bytes[at] == (frame.isArray ? UInt8(ascii: "]") : UInt8(ascii: "}")) else {
                    throw JSONError(.expected(frame.isArray ? "',' or ']'" : "',' or '}'"), at: at)
                }
                at &+= 1
                if depth == 0 { return at }
                self.events.append(frame.node, .end)
                depth -= 1
                frame = self.stack[depth]
            }
        }
    }

    /// Reads a key and its colon, and returns its node.
    @inline(__always)
    private mutating func readKey(
        _ bytes: UnsafePointer<UInt8>,
        _ at: inout Int,
        _ count: Int,
        _ frame: Frame
    ) throws(JSONError) -> Int32 {
        let nodes = self.tree.nodes
        let predicted = frame.last < 0 ? nodes[Int(frame.node)].firstKey : nodes[Int(frame.last)].nextKey
        // Fast path: the key that came here last time.
        if predicted >= 0 {
            let length = Int(nodes[Int(predicted)].keyTextCount)
            if let text = nodes[Int(predicted)].keyText, count &- at >= length,
                leat_equal_bytes(bytes + at, text, length) != 0
            {
                at &+= length
                return predicted
            }
        }
        return try self.readNewKey(bytes, &at, count, frame)
    }

    /// Slow path: another key than last time, or white space before the colon.
    @inline(never)
    private mutating func readNewKey(
        _ bytes: UnsafePointer<UInt8>,
        _ at: inout Int,
        _ count: Int,
        _ frame: Frame
    ) throws(JSONError) -> Int32 {
        guard at < count else { throw JSONError(.cutShort, at: count) }
        guard bytes[at] == UInt8(ascii: "\"") else { throw JSONError(.expected("a key in quotes"), at: at) }
        let keyStart = at + 1
        var hasEscapes = false
        let keyEnd = try JSONScan.stringEnd(bytes, keyStart, count, hasEscapes: &hasEscapes)
        var key = UnsafeBufferPointer(start: bytes + keyStart, count: keyEnd - keyStart)
        if hasEscapes {
            let target = self.scratch.take(key.count)
            let length = JSONScan.unescape(bytes, keyStart, keyEnd, into: target)
            key = UnsafeBufferPointer(start: target, count: length)
        }
        let limit = self.limits.nameByteCountMax
        guard let node = self.tree.child(of: frame.node, key: key, pathByteCountMax: limit) else {
            throw JSONError(.nameTooLong(limit: limit), at: at)
        }
        if frame.last < 0 {
            self.tree.nodes[Int(frame.node)].firstKey = node
        } else {
            self.tree.nodes[Int(frame.last)].nextKey = node
        }
        at = JSONScan.skipSpace(bytes, keyEnd + 1, count)
        guard at < count else { throw JSONError(.cutShort, at: count) }
        guard bytes[at] == UInt8(ascii: ":") else { throw JSONError(.expected("':'"), at: at) }
        at += 1
        return node
    }

    @inline(__always)
    private mutating func readString(
        _ bytes: UnsafePointer<UInt8>,
        _ at: Int,
        _ count: Int,
        _ node: Int32
    ) throws(JSONError) -> Int {
        let start = at &+ 1
        var hasEscapes = false
        let end = try JSONScan.stringEnd(bytes, start, count, hasEscapes: &hasEscapes)
        if hasEscapes {
            let target = self.scratch.take(end - start)
            let length = JSONScan.unescape(bytes, start, end, into: target)
            self.scratch.give(end - start - length)
            try self.addField(node, .string, UnsafeRawPointer(target), length, at)
        } else {
            try self.addField(node, .string, UnsafeRawPointer(bytes + start), end &- start, at)
        }
        return end &+ 1
    }

    /// Reads a number, `true`, `false` or `null`.
    @inline(__always)
    private mutating func readBare(
        _ bytes: UnsafePointer<UInt8>,
        _ at: Int,
        _ count: Int,
        _ node: Int32
    ) throws(JSONError) -> Int {
        let first = bytes[at]
        let end: Int
        let kind: JSONKind
        if first &- 0x30 < 10 || first == UInt8(ascii: "-") {
            end = try JSONScan.numberEnd(bytes, at, count)
            kind = .number
        } else {
            end = try JSONScan.literalEnd(bytes, at, count)
            kind = first == UInt8(ascii: "n") ? .null : .bool
        }
        try self.addField(node, kind, UnsafeRawPointer(bytes + at), end &- at, at)
        return end
    }

    @inline(__always)
    private mutating func addField(
        _ node: Int32,
        _ kind: JSONKind,
        _ start: UnsafeRawPointer,
        _ byteCount: Int,
        _ at: Int
    ) throws(JSONError) {
        if self.fieldCount == self.fieldCapacity { try self.growFields(at) }
        var name = self.tree.nodes[Int(node)].name
        if name < 0 { name = self.newName(of: node) }
        let wasSeen = self.lastSeen.withUnsafeMutableBufferPointer { seen in
            let before = seen[Int(name)]
            seen[Int(name)] = self.document
            return before == self.document
        }
        if wasSeen { self.hasDuplicateNames = true }
        self.fieldBuffer[self.fieldCount] = JSONField(
            start: start,
            byteCount: UInt32(truncatingIfNeeded: byteCount),
            name: name,
            kind: kind
        )
        self.fieldCount &+= 1
        self.events.append(node, JSONShapeEvent(kind))
    }

    @inline(never)
    private mutating func newName(of node: Int32) -> Int32 {
        let name = self.tree.name(of: node)
        while self.lastSeen.count <= Int(name) { self.lastSeen.append(self.document &- 1) }
        return name
    }

    @inline(never)
    private mutating func growFields(_ at: Int) throws(JSONError) {
        guard self.fieldCount < self.limits.fieldCountMax else {
            throw JSONError(.tooManyFields(limit: self.limits.fieldCountMax), at: at)
        }
        let capacity = min(self.fieldCapacity * 2, self.limits.fieldCountMax)
        let larger = UnsafeMutablePointer<JSONField>.allocate(capacity: capacity)
        larger.update(from: self.fieldBuffer, count: self.fieldCount)
        self.fieldBuffer.deallocate()
        self.fieldBuffer = larger
        self.fieldCapacity = capacity
    }

    private static func emptyText(_ kind: JSONKind) -> UnsafePointer<UInt8> {
        let text: StaticString = kind == .emptyObject ? "{}" : "[]"
        return text.utf8Start
    }
}
