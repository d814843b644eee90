/// Everything about a compact JSON document but the texts of its strings, numbers and booleans.
///
/// A shape is kept as its *template*: the document with a byte 1 in place of each string (quotes included) and a byte 2 in
/// place of each number or boolean, which cannot occur in JSON text otherwise. Keys, nesting, nulls, empty objects and
/// arrays are in the template. So a batch keeps the template as an ordinary column of few distinct values,
/// `JSONShape.columnName`, and a document's text is made from the row's fields when somebody asks for it:
///
///     {"status":200,"user":{"name":"ann"},"tags":[]}
///     {"status":␂,"user":{"name":␁},"tags":[]}         fields status, user.name
///
/// Strings are written with the fewest escapes, so the text is that of the original when that was compact and escaped
/// only what it had to; otherwise it is its minimal form, which means the same.
public struct JSONShape: Sendable {
    /// The column in which templates are kept.
    public static let columnName = "@shape"

    public static let stringMarker: UInt8 = 1
    public static let bareMarker: UInt8 = 2

    /// A place for the text of a field.
    public struct Hole: Sendable {
        /// The flattened name.
        public let name: [UInt8]
        /// Whether the text goes in quotes.
        public let isString: Bool
        /// The part of the template between the hole before and this one.
        public let literal: Range<Int>
    }

    public let template: ByteSlice
    public let holes: [Hole]
    /// The part of the template after the last hole.
    public let end: Range<Int>

    /// A shape from its template, which may come from a damaged file.
    public init(template: ByteSlice) throws(JSONError) {
        // With an empty string or a zero in each hole the template is a document, whose flat fields name the holes.
        var document: [UInt8] = []
        var markers: [(template: Int, document: Int)] = []
        for (position, byte) in template.unsafeBytes.enumerated() {
            switch byte {
            case Self.stringMarker:
                // The text of a string begins after its quote.
                markers.append((position, document.count + 1))
                document += [UInt8(ascii: "\""), UInt8(ascii: "\"")]
            case Self.bareMarker:
                markers.append((position, document.count))
                document.append(UInt8(ascii: "0"))
            default: document.append(byte)
            }
        }
        let slice = ByteSlice(document)
        var flattener = JSONFlattener(
            limits: JSONLimits(depthMax: 1024, fieldCountMax: .max, nameByteCountMax: .max)
        )
        try flattener.flatten(slice.unsafeBytes)
        var holes: [Hole] = []
        var literalStart = 0
        for field in flattener.fields where field.kind.rawValue < JSONKind.null.rawValue {
            // A scalar that is no hole, or a hole where a key should be, is damage.
            guard holes.count < markers.count,
                field.value.baseAddress == slice.unsafeBytes.baseAddress.map({ $0 + markers[holes.count].document })
            else { throw JSONError(.expected("a hole for each scalar"), at: literalStart) }
            let marker = markers[holes.count].template
            let isString = template.unsafeBytes[marker] == Self.stringMarker
            holes.append(
                Hole(name: [UInt8](flattener.name(field.name)), isString: isString, literal: literalStart..<marker)
            )
            literalStart = marker + 1
        }
        guard holes.count == markers.count else {
            throw JSONError(.expected("a scalar for each hole"), at: literalStart)
        }
        self.template = template
        self.holes = holes
        self.end = literalStart..<template.count
    }

    /// Appends the document, whose values are asked for by the index of the hole.
    ///
    /// - Returns: `false`, with nothing appended, when a value is `nil`: the row does not fit the shape.
    public func append(
        to text: inout [UInt8],
        value: (Int) -> UnsafeRawBufferPointer?
    ) -> Bool {
        let start = text.count
        let template = self.template.unsafeBytes
        for (index, hole) in self.holes.enumerated() {
            text.append(contentsOf: template.slice(hole.literal))
            guard let value = value(index) else {
                text.removeLast(text.count - start)
                return false
            }
            if hole.isString {
                JSONWriter.append(string: value, to: &text)
            } else {
                text.append(contentsOf: value)
            }
        }
        text.append(contentsOf: template.slice(self.end))
        return true
    }
}

extension JSONFlattener {
    /// Reads the only document of an array of bytes; `fields` points into a copy that lives until the next document.
    public mutating func flatten(_ bytes: [UInt8]) throws(JSONError) {
        self.ownedDocument = ByteSlice(bytes)
        try self.flatten(self.ownedDocument.unsafeBytes)
    }
}
