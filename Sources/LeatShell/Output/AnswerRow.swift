internal import Glibc
internal import LeatCore

/// One row of an answer, or one control line: a JSON object taken apart into names and values.
///
/// Rows are flat; nested objects and arrays of other answers get names such as `errors[0].line`. The same object is
/// used for many lines: reading a row allocates nothing once the buffers have grown, and names, which repeat from row to
/// row, are copied once.
final class AnswerRow {
    /// A field: where its name and its value lie in `bytes`.
    struct Field {
        /// The same for the same name until `generation` changes, small and not negative.
        let nameNumber: Int
        let name: Range<Int>
        let value: Range<Int>
        /// Whether the value was a string; otherwise a number, `true`, `false` or `null`.
        let isString: Bool
    }

    /// The names of all rows so far, then the values of this one, escapes resolved.
    private(set) var bytes: [UInt8] = []
    private(set) var fields: [Field] = []
    /// Changes when numbers of names have become invalid.
    private(set) var generation = 0

    /// Bytes of the names, and where each lies; empty where it has not been seen.
    private var nameByteCount = 0
    private var names: [Range<Int>] = []

    private var flattener = JSONFlattener(
        limits: JSONLimits(depthMax: 64, fieldCountMax: 1 << 20, nameByteCountMax: 1 << 20)
    )

    /// Takes a line apart; `false` when it is not one JSON object, and the row is empty then.
    func read(_ line: UnsafeRawBufferPointer) -> Bool {
        self.fields.removeAll(keepingCapacity: true)
        do throws(JSONError) {
            try self.flattener.flatten(line)
        } catch {
            // What is no row has no fields, and the caller decides what that means.
            return false
        }
        let fields = self.flattener.fields
        self.learnNames(of: fields)
        self.bytes.append(addingCapacity: fields.reduce(0) { $0 + $1.value.count }) { room in
            room.withUnsafeMutableBufferPointer { buffer, count in
                for field in fields {
                    guard let source = field.value.baseAddress, let target = buffer.baseAddress else { continue }
                    memcpy(target + count, source, field.value.count)
                    count += field.value.count
                }
            }
        }
        var offset = self.nameByteCount
        for field in fields {
            let number = Int(field.name)
            let value = offset..<(offset + field.value.count)
            offset = value.upperBound
            let isString = field.kind == .string
            self.fields.append(Field(nameNumber: number, name: self.names[number], value: value, isString: isString))
        }
        return true
    }

    /// Takes the values of the last row away and copies the names that are new.
    private func learnNames(of fields: UnsafeBufferPointer<JSONField>) {
        if self.generation != self.flattener.generation {
            self.generation = self.flattener.generation
            self.names = []
            self.nameByteCount = 0
        }
        self.bytes.removeLast(self.bytes.count - self.nameByteCount)
        for field in fields {
            let number = Int(field.name)
            while self.names.count <= number { self.names.append(0..<0) }
            let name = self.flattener.name(field.name)
            // Fast path: the name is known.
            if self.names[number].count == name.count { continue }
            let start = self.bytes.count
            self.bytes.append(contentsOf: name)
            self.names[number] = start..<self.bytes.count
        }
        self.nameByteCount = self.bytes.count
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
