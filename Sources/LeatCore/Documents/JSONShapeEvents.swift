internal import CXxhash

/// What happens at a node of the key tree, as far as the shape of a document is concerned.
enum JSONShapeEvent: UInt32 {
    case string, bare, null, emptyObject, emptyArray, beginObject, beginArray, end

    @inline(__always)
    init(_ kind: JSONKind) {
        switch kind {
        case .string: self = .string
        case .number, .bool: self = .bare
        case .null: self = .null
        case .emptyObject: self = .emptyObject
        case .emptyArray: self = .emptyArray
        case .object: self = .beginObject
        case .array: self = .beginArray
        }
    }
}

/// The events of one document: node number and event in 32 bits each.
struct JSONShapeEvents: ~Copyable {
    private var buffer: UnsafeMutablePointer<UInt32>
    private var capacity = 128
    private(set) var count = 0

    init() { self.buffer = .allocate(capacity: 128) }

    deinit { self.buffer.deallocate() }

    @inline(__always)
    mutating func append(_ node: Int32, _ event: JSONShapeEvent) {
        if self.count == self.capacity { self.grow() }
        self.buffer[self.count] = UInt32(bitPattern: node) << 3 | event.rawValue
        self.count &+= 1
    }

    mutating func clear() { self.count = 0 }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.buffer, count: self.count * 4) }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: self.capacity * 2)
        larger.update(from: self.buffer, count: self.count)
        self.buffer.deallocate()
        self.buffer = larger
        self.capacity *= 2
    }
}

/// The shapes that a flattener has met, numbered from 0.
struct JSONShapeTable {
    /// Shapes that are remembered; documents of further ones have none.
    static let shapeCountMax = 4096
    static let byteCountMax = 8 << 20

    private var events: [[UInt8]] = []
    private var templates: [ByteSlice] = []
    private var numbers: [UInt64: [Int]] = [:]
    private var last = -1
    private var byteCount = 0

    /// Whether so much was kept that it is time to begin anew.
    var isTooLarge: Bool { self.byteCount > Self.byteCountMax || self.events.count >= Self.shapeCountMax }

    /// The number of the shape with these events, if it was met before.
    mutating func knownNumber(of events: UnsafeRawBufferPointer) -> Int? {
        // Fast path: the same as the document before.
        if self.last >= 0, self.isShape(self.last, events) { return self.last }
        let hash = XXH3_64bits(events.baseAddress, events.count)
        for number in self.numbers[hash] ?? [] where self.isShape(number, events) {
            self.last = number
            return number
        }
        return nil
    }

    /// Remembers a new shape and numbers it; -1 when there are too many.
    mutating func add(_ events: UnsafeRawBufferPointer, template: [UInt8]) -> Int {
        guard !self.isTooLarge else { return -1 }
        let number = self.events.count
        self.events.append([UInt8](events))
        self.templates.append(ByteSlice(template))
        self.numbers[XXH3_64bits(events.baseAddress, events.count), default: []].append(number)
        self.byteCount += events.count + template.count
        self.last = number
        return number
    }

    func template(_ number: Int) -> ByteSlice { self.templates[number] }

    private func isShape(_ number: Int, _ events: UnsafeRawBufferPointer) -> Bool {
        self.events[number].withUnsafeBytes { $0.isEqual(to: events) }
    }
}

extension JSONFlattener {
    /// The number of the shape of the last document, the same for all documents that differ only in the texts of their
    /// scalars; -1 when the flattener has met too many shapes, or when `hasDuplicateNames`: keep such a document's text.
    public mutating func shape() -> Int {
        if self.hasDuplicateNames { return -1 }
        let events = self.events.bytes
        if let known = self.shapes.knownNumber(of: events) { return known }
        return self.shapes.add(events, template: self.makeTemplate())
    }

    /// The template of a shape, see `JSONShape`; valid until `generation` changes.
    public func shapeTemplate(_ number: Int) -> ByteSlice { self.shapes.template(number) }

    private func makeTemplate() -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "{")]
        var closers: [UInt8] = []
        for event in self.events.bytes.bindMemory(to: UInt32.self) {
            guard let kind = JSONShapeEvent(rawValue: event & 7) else { continue }
            if kind == .end {
                text.append(closers.removeLast())
                continue
            }
            if let last = text.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") {
                text.append(UInt8(ascii: ","))
            }
            let node = self.tree.nodes[Int(event >> 3)]
            text.append(contentsOf: UnsafeBufferPointer(start: node.keyText, count: Int(node.keyTextCount)))
            switch kind {
            case .string: text.append(JSONShape.stringMarker)
            case .bare: text.append(JSONShape.bareMarker)
            case .null: text += "null".utf8
            case .emptyObject: text += "{}".utf8
            case .emptyArray: text += "[]".utf8
            case .beginObject:
                text.append(UInt8(ascii: "{"))
                closers.append(UInt8(ascii: "}"))
            case .beginArray:
                text.append(UInt8(ascii: "["))
                closers.append(UInt8(ascii: "]"))
            case .end: break
            }
        }
        text.append(UInt8(ascii: "}"))
        return text
    }
}
