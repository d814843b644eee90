internal import LeatCore

/// One row of an answer, or one control line: a JSON object taken apart into names and values.
///
/// Rows are flat; nested objects and arrays of other answers get names such as `errors[0].line`. The same object is
/// used for many lines, so that reading a row allocates nothing once the buffers have grown.
final class AnswerRow {
    /// A field: where its name and its value lie in `bytes`.
    struct Field {
        let name: Range<Int>
        let value: Range<Int>
        /// Whether the value was a string; otherwise a number, `true`, `false` or `null`.
        let isString: Bool
    }

    /// Names and values end to end, escapes resolved.
    private(set) var bytes: [UInt8] = []
    private(set) var fields: [Field] = []

    private var flattener = JSONFlattener(
        limits: JSONLimits(depthMax: 64, fieldCountMax: 1 << 20, nameByteCountMax: 1 << 20)
    )

    /// Takes a line apart; `false` when it is not one JSON object, and the row is empty then.
    func read(_ line: UnsafeRawBufferPointer) -> Bool {
        self.bytes.removeAll(keepingCapacity: true)
        self.fields.removeAll(keepingCapacity: true)
        do throws(JSONError) {
            try self.flattener.flatten(line)
        } catch {
            // What is no row has no fields, and the caller decides what that means.
            return false
        }
        for field in self.flattener.fields {
            let start = self.bytes.count
            self.bytes.append(contentsOf: self.flattener.name(field.name))
            let middle = self.bytes.count
            self.bytes.append(contentsOf: field.value)
            self.fields.append(
                Field(name: start..<middle, value: middle..<self.bytes.count, isString: field.kind == .string)
            )
        }
        return true
    }

    /// The text of a value, `nil` when the row has no such field.
    func text(_ name: StaticString) -> String? {
        self.field(name).map { String(decoding: self.bytes[$0.value], as: UTF8.self) }
    }

    /// The number of a value, `nil` when the row has no such field or it is no integer.
    func integer(_ name: StaticString) -> Int? { self.text(name).flatMap { Int($0) } }

    func isTrue(_ name: StaticString) -> Bool { self.text(name) == "true" }

    func field(_ name: StaticString) -> Field? {
        let wanted = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        return self.fields.first { field in
            field.name.count == wanted.count && self.bytes[field.name].elementsEqual(wanted)
        }
    }

    func name(of field: Field) -> String { String(decoding: self.bytes[field.name], as: UTF8.self) }

    func value(of field: Field) -> String { String(decoding: self.bytes[field.value], as: UTF8.self) }

    /// The texts of an array, such as `@leat.warnings`.
    func texts(_ array: String) -> [String] {
        let prefix = array + "["
        return self.fields.filter { self.name(of: $0).hasPrefix(prefix) }.map { self.value(of: $0) }
    }
}
