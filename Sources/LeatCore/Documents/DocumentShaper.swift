/// Finds, for documents that have no text of their own, the template from which their compact JSON can be made again.
///
/// Beside one `JSONFlattener`, whose documents it shapes; the template goes into the column `JSONShape.columnName`.
public struct DocumentShaper {
    /// A shape, and the form of its time.
    private struct Key: Hashable {
        let shape: Int
        let form: EventTimeForm?
    }

    private var templates: [Key: ByteSlice] = [:]
    private var generation = 0

    public init() {}

    /// The template of the document that `flattener` has just read.
    ///
    /// - Parameters:
    ///   - flattener: It has read the document.
    ///   - timeField: The field that is no column because it is the time of the event.
    ///   - timestamp: The time of the event.
    /// - Returns: `nil` when the document's text must be kept: names occur twice, there are too many shapes, or the
    ///   time is written in an unusual way.
    public mutating func template(
        of flattener: inout JSONFlattener,
        timeField: JSONField?,
        timestamp: Timestamp
    ) -> ByteSlice? {
        var form: EventTimeForm?
        if let timeField, timeField.kind != .null {
            form = EventTimeForm(timeField.value, kind: timeField.kind, saying: timestamp)
            if form == nil { return nil }
        }
        let shape = flattener.shape()
        if shape < 0 { return nil }
        if self.generation != flattener.generation {
            self.generation = flattener.generation
            self.templates = [:]
        }
        let key = Key(shape: shape, form: form)
        if let known = self.templates[key] { return known }
        let template = flattener.shapeTemplate(shape)
        guard let form, let timeField else {
            self.templates[key] = template
            return template
        }
        let made = Self.replace(flattener.name(timeField.name), by: form, in: template)
        if let made { self.templates[key] = made }
        return made
    }

    private static func replace(
        _ name: UnsafeRawBufferPointer,
        by form: EventTimeForm,
        in template: ByteSlice
    ) -> ByteSlice? {
        do throws(JSONError) {
            let shape = try JSONShape(template: template)
            guard let hole = shape.holes.first(where: { $0.name.elementsEqual(name) }) else { return nil }
            var bytes = template.array
            bytes[hole.literal.upperBound] = form.rawValue
            return ByteSlice(bytes)
        } catch {
            preconditionFailure("a template that was just made is wrong: \(error)")
        }
    }
}
