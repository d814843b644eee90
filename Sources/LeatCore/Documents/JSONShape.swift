/// Everything about a compact JSON document but the texts of its strings, numbers and booleans.
///
/// A shape is kept as its *template*: the document with a byte 1 in place of each string (quotes included) and a byte 2 in
/// place of each number or boolean, bytes that cannot occur in JSON text otherwise; a byte 3 to 8 stands for the time of
/// the event in one of its usual forms (`EventTimeForm`), so that `@timestamp` need not be kept beside the time itself.
/// Keys, nesting, nulls, empty objects and arrays are in the template. So a batch keeps the template as an ordinary
/// column of few distinct values, `JSONShape.columnName`, and a document's text is made from the row's fields when
/// somebody asks for it (`Batch.showingDocumentText`):
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

    /// What goes into a hole.
    public enum HoleKind: Hashable, Sendable {
        /// The text of a field, in quotes.
        case string
        /// The text of a field as it is.
        case bare
        /// The time of the event, which is no field; the byte in the template is the form's raw value.
        case time(EventTimeForm)
    }

    /// A place for a text.
    public struct Hole: Sendable {
        /// The flattened name.
        public let name: [UInt8]
        public let kind: HoleKind
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
        var markers: [(template: Int, document: Int, kind: HoleKind)] = []
        for (position, byte) in template.unsafeBytes.enumerated() {
            switch byte {
            case Self.stringMarker:
                // The text of a string begins after its quote.
                markers.append((position, document.count + 1, .string))
                document += [UInt8(ascii: "\""), UInt8(ascii: "\"")]
            case Self.bareMarker:
                markers.append((position, document.count, .bare))
                document.append(UInt8(ascii: "0"))
            default:
                if let form = EventTimeForm(rawValue: byte) {
                    markers.append((position, document.count, .time(form)))
                    document.append(UInt8(ascii: "0"))
                } else {
                    document.append(byte)
                }
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
            let marker = markers[holes.count]
            holes.append(
                Hole(
                    name: [UInt8](flattener.name(field.name)),
                    kind: marker.kind,
                    literal: literalStart..<marker.template
                )
            )
            literalStart = marker.template + 1
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
    /// - Parameters:
    ///   - text: What it is appended to.
    ///   - timestamp: The time of the event.
    ///   - value: The text for a hole that is not for the time.
    /// - Returns: `false`, with nothing appended, when a value is `nil`: the row does not fit the shape.
    public func append(
        to text: inout [UInt8],
        timestamp: Timestamp = Timestamp(nanoseconds: 0),
        value: (Int) -> UnsafeRawBufferPointer?
    ) -> Bool {
        let start = text.count
        let template = self.template.unsafeBytes
        for (index, hole) in self.holes.enumerated() {
            text.append(contentsOf: template.slice(hole.literal))
            if case .time(let form) = hole.kind {
                form.append(timestamp, to: &text)
                continue
            }
            guard let value = value(index) else {
                text.removeLast(text.count - start)
                return false
            }
            if hole.kind == .string {
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
