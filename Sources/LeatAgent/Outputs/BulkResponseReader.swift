internal import LeatCore

/// Reads the answer to a `_bulk` request as it arrives, item by item, whatever its size.
///
/// Only `errors`, and of each item `status` and `error`, are kept. Once `"errors":false` was seen nothing more is read.
struct BulkResponseReader {
    /// What the server said about one item.
    struct Item: Hashable, Sendable {
        var status = 0
        /// The JSON of `error`, cut at `reasonByteCountMax`; empty without one.
        var reason: [UInt8] = []
    }

    static let reasonByteCountMax = 4_096

    /// The value of `errors`; `nil` until it was seen.
    private(set) var errors: Bool?
    private(set) var items: [Item] = []
    /// Whether the answer was read to its closing brace, or need not be.
    private(set) var isComplete = false
    /// Whether the answer is no JSON.
    private(set) var isMalformed = false

    private enum Container { case object, array }

    private var containers: [Container] = []
    /// Keys of the objects that are open.
    private var keys: [[UInt8]] = []
    private var text: [UInt8] = []
    private var isInString = false
    private var isEscaped = false
    private var isKeyNext = false
    private var item = Item()
    /// Depth at which the value of `error` began.
    private var reasonDepth: Int?

    /// Takes bytes of the answer's body.
    mutating func consume(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count, !self.isComplete, !self.isMalformed {
            self.take(bytes[index])
            index += 1
        }
    }

    private mutating func take(_ byte: UInt8) {
        if self.reasonDepth != nil, self.item.reason.count < Self.reasonByteCountMax { self.item.reason.append(byte) }
        if self.isInString { return self.takeInString(byte) }
        switch byte {
        case UInt8(ascii: "\""):
            self.isInString = true
            self.text.removeAll(keepingCapacity: true)
        case UInt8(ascii: "{"):
            self.beginValue(byte)
            self.containers.append(.object)
            self.keys.append([])
            self.isKeyNext = true
        case UInt8(ascii: "["):
            self.beginValue(byte)
            self.containers.append(.array)
            self.keys.append([])
            self.isKeyNext = false
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            self.endScalar()
            self.endContainer(byte == UInt8(ascii: "}") ? .object : .array)
        case UInt8(ascii: ","):
            self.endScalar()
            self.endReason(at: self.containers.count)
            self.isKeyNext = self.containers.last == .object
        case UInt8(ascii: ":"):
            if !self.keys.isEmpty { self.keys[self.keys.count - 1] = self.text }
            self.text.removeAll(keepingCapacity: true)
            self.isKeyNext = false
            if self.isItemMember("error") {
                self.reasonDepth = self.containers.count
                self.item.reason.removeAll()
            }
        case 0x20, 0x09, 0x0A, 0x0D: return
        default: if self.text.count < 64 { self.text.append(byte) }
        }
        if self.containers.count > 64 { self.isMalformed = true }
    }

    private mutating func takeInString(_ byte: UInt8) {
        if self.isEscaped {
            self.isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            self.isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            self.isInString = false
            return
        }
        if self.text.count < 64 { self.text.append(byte) }
    }

    /// Whether the member whose key was just read belongs to an item: `items[n].create.NAME`.
    private func isItemMember(_ name: StaticString) -> Bool {
        self.containers.count == 4 && self.containers[1] == .array && self.keys[0].elementsEqual("items".utf8)
            && self.keys[3].withUnsafeBytes { $0.isEqual(to: name) }
    }

    private mutating func beginValue(_ byte: UInt8) {
        self.text.removeAll(keepingCapacity: true)
        if self.containers.count == 2, byte == UInt8(ascii: "{") { self.item = Item() }
    }

    /// A number or literal has ended, or a string was there before.
    private mutating func endScalar() {
        if self.containers.count == 1, self.keys[0].elementsEqual("errors".utf8), !self.text.isEmpty {
            if self.text.elementsEqual("true".utf8) { self.errors = true }
            if self.text.elementsEqual("false".utf8) {
                self.errors = false
                self.isComplete = true
            }
        } else if self.isItemMember("status"), let status = Int(String(decoding: self.text, as: UTF8.self)) {
            self.item.status = status
        }
        self.text.removeAll(keepingCapacity: true)
    }

    private mutating func endReason(at depth: Int) {
        guard self.reasonDepth == depth else { return }
        self.reasonDepth = nil
        // The comma or brace behind the value was kept too.
        if !self.item.reason.isEmpty, self.item.reason.count < Self.reasonByteCountMax { self.item.reason.removeLast() }
    }

    private mutating func endContainer(_ kind: Container) {
        guard self.containers.last == kind else {
            self.isMalformed = true
            return
        }
        self.endReason(at: self.containers.count)
        self.containers.removeLast()
        self.keys.removeLast()
        if self.containers.count == 2, self.containers[1] == .array, self.keys[0].elementsEqual("items".utf8) {
            self.items.append(self.item)
        }
        if self.containers.isEmpty { self.isComplete = true }
    }
}
