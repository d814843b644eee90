internal import LeatCore
internal import Synchronization

/// `parseJson()`: objects as `a.b`, arrays as `a[0]`, scalars as written.
final class JSONParsing: Sendable {
    private enum NullHandling {
        case keep, empty, discard
    }

    /// A flattener with the decisions about the names that it knows.
    private final class Worker {
        var flattener = JSONFlattener(limits: JSONLimits(depthMax: 64, fieldCountMax: 1000, nameByteCountMax: 1024))
        var generation = 0
        /// Per number of a name the field to write; `nil` when the name is left out, missing when undecided.
        var targets: [Int32: String?] = [:]
    }

    // Sound as Sendable: a worker is in the pool or with the one thread that took it.
    private struct Workers: @unchecked Sendable {
        var free: [Worker] = []
    }

    private let prefix: String
    private let excluded: [String]
    private let included: [String]
    private let removed: [String]
    private let excludesEmpty: Bool
    private let nulls: NullHandling
    private let isParser: Bool
    private let workers = Mutex(Workers())

    static func make(_ call: BoundCall, _ context: FunctionContext) -> RowFunctionKind {
        let parsing = JSONParsing(call, context)
        return .function(
            FieldsFunction([call.field("field")]) { inputs, outputs in
                if let text = inputs[0] { parsing.parse(text, into: &outputs) }
            }
        )
    }

    private init(_ call: BoundCall, _ context: FunctionContext) {
        self.prefix = call.text("prefix") ?? ""
        self.excluded = call.texts("exclude")
        self.included = call.texts("include")
        self.removed = call.texts("removePrefixes").sorted { $0.count > $1.count }
        self.excludesEmpty = call.isTrue("excludeEmpty")
        self.nulls =
            switch call.text("handleNull") {
            case "empty": .empty
            case "discard": .discard
            default: .keep
            }
        self.isParser = context.isParser
    }

    private func parse(_ text: UnsafeRawBufferPointer, into outputs: inout RowOutputs) {
        let held = self.workers.withLock { Workers(free: $0.free.popLast().map { [$0] } ?? []) }
        let worker = held.free.first ?? Worker()
        do throws(JSONError) {
            do throws(JSONError) {
                try self.parse(text, worker, into: &outputs)
            } catch {
                // Texts that were folded into lines have the breaks within strings, where JSON wants escapes.
                guard error.reason == .controlCharacter else { throw error }
                try JSONText.escapingControls(text).withRawBytes { bytes throws(JSONError) in
                    try self.parse(bytes, worker, into: &outputs)
                }
            }
        } catch {
            if self.isParser { RowFunctions.writeError("invalid JSON: \(error)", &outputs) }
        }
        let back = Workers(free: [worker])
        self.workers.withLock { $0.free += back.free }
    }

    private func parse(
        _ text: UnsafeRawBufferPointer,
        _ worker: Worker,
        into outputs: inout RowOutputs
    ) throws(JSONError) {
        guard text.trimmed.first == UInt8(ascii: "[") else {
            try worker.flattener.flatten(text)
            return self.write(worker, into: &outputs)
        }
        // An array at the top is the member without a name of an object.
        let wrapped = Array("{\"\":".utf8) + Array(text) + [UInt8(ascii: "}")]
        try wrapped.withRawBytes { bytes throws(JSONError) in
            try worker.flattener.flatten(bytes)
            self.write(worker, into: &outputs)
        }
    }

    private func write(_ worker: Worker, into outputs: inout RowOutputs) {
        if worker.generation != worker.flattener.generation {
            worker.generation = worker.flattener.generation
            worker.targets = [:]
        }
        for field in worker.flattener.fields {
            guard field.kind.isScalar else { continue }
            let target: String?
            if let known = worker.targets[field.name] {
                target = known
            } else {
                target = self.target(worker.flattener.name(field.name).text)
                worker.targets[field.name] = .some(target)
            }
            guard let target else { continue }
            if field.kind == .null {
                if self.nulls == .discard || (self.nulls == .empty && self.excludesEmpty) { continue }
                outputs.set(field: target, to: self.nulls == .empty ? "" : "null")
            } else if !(self.excludesEmpty && field.value.isEmpty) {
                outputs.set(field: target, to: field.value)
            }
        }
    }

    /// The field for a name of the document; `nil` when it is left out.
    private func target(_ name: String) -> String? {
        // Paths are compared with names as written, and with their new prefix.
        let names = self.prefix.isEmpty ? [name] : [name, self.prefix + name]
        func isAmong(_ paths: [String]) -> Bool {
            paths.contains { path in names.contains { Self.matches($0, prefix: path) } }
        }
        if isAmong(self.excluded) && !isAmong(self.included) { return nil }
        var rest = name
        if let first = self.removed.first(where: { name.hasPrefix($0) && name.count > $0.count }) {
            rest = String(name.dropFirst(first.count))
        }
        return self.prefix + rest
    }

    /// Whether a name begins with a path in which `[*]` is any index.
    private static func matches(_ name: String, prefix: String) -> Bool {
        guard prefix.contains("[*]") else { return name.hasPrefix(prefix) }
        var rest = Substring(name)
        let pieces = prefix.split(separator: "[*]", omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() {
            guard rest.hasPrefix(piece) else { return false }
            rest = rest.dropFirst(piece.count)
            if index == pieces.count - 1 { break }
            guard rest.first == "[", let close = rest.firstIndex(of: "]") else { return false }
            rest = rest[rest.index(after: close)...]
        }
        return true
    }
}
