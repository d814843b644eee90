internal import LeatCore
internal import LeatParsing

/// `nest`: puts fields under one object (`nest`), or an object's members into the record (`lift`).
final class NestFilter: EventFilter {
    private enum Operation {
        case nest(under: [UInt8])
        case lift(from: [UInt8])
    }

    private let operation: Operation
    /// Names to nest; with `isPrefix` the beginning of names.
    private let wildcards: [(text: [UInt8], isPrefix: Bool)]
    private let addedPrefix: [UInt8]?
    private let removedPrefix: [UInt8]?
    private var rewriter = RecordRewriter()

    init(_ configuration: PluginConfiguration) throws(Diagnostics) {
        let settings = configuration.settings
        let mark = configuration.mark
        switch settings.text("operation")?.lowercased() {
        case "nest":
            guard let under = settings.text("nest_under") else {
                throw Diagnostics(mark.diagnostic("nest needs Nest_under"))
            }
            self.operation = .nest(under: FieldPath.contents(under))
        case "lift":
            guard let from = settings.text("nested_under") else {
                throw Diagnostics(mark.diagnostic("lift needs Nested_under"))
            }
            self.operation = .lift(from: FieldPath.contents(from))
        default: throw Diagnostics(mark.diagnostic("this filter needs an Operation", hint: "nest or lift"))
        }
        self.wildcards = settings.texts("wildcard").map { text in
            (FieldPath.contents(text.hasSuffix("*") ? String(text.dropLast()) : text), text.hasSuffix("*"))
        }
        self.addedPrefix = settings.text("add_prefix").map(FieldPath.contents)
        self.removedPrefix = settings.text("remove_prefix").map(FieldPath.contents)
        if self.addedPrefix != nil && self.removedPrefix != nil {
            throw Diagnostics(mark.diagnostic("Add_prefix and Remove_prefix exclude each other"))
        }
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        self.rewriter.rewrite(&events) { record, _ in
            switch self.operation {
            case .nest(let name): self.nest(&record, under: name)
            case .lift(let name): self.lift(&record, from: name)
            }
        }
    }

    private func nest(_ record: inout Record, under name: [UInt8]) -> RecordRewriter.Change {
        let chosen = record.members.indices.filter { self.isChosen(record.name($0)) }
        if chosen.isEmpty { return .unchanged }
        var object: [UInt8] = [UInt8(ascii: "{")]
        for index in chosen {
            if object.count > 1 { object.append(UInt8(ascii: ",")) }
            object.append(UInt8(ascii: "\""))
            object += self.prefixed(record.name(index))
            object += "\":".utf8
            object += record.value(index)
        }
        object.append(UInt8(ascii: "}"))
        for index in chosen.reversed() { record.remove(index) }
        record.append(name: name, value: object)
        record.removeReplaced(from: record.members.count - 1)
        return .changed
    }

    private func lift(_ record: inout Record, from name: [UInt8]) -> RecordRewriter.Change {
        guard let index = record.index(of: name), record.value(index).first == UInt8(ascii: "{") else {
            return .unchanged
        }
        let members = Array(record.value(index).dropFirst().dropLast())
        record.remove(index)
        let before = record.members.count
        record.appendMembers(members)
        for lifted in before..<record.members.count {
            if self.addedPrefix == nil && self.removedPrefix == nil { break }
            record.rename(lifted, to: self.prefixed(record.name(lifted)))
        }
        record.removeReplaced(from: before)
        return .changed
    }

    private func isChosen(_ name: ArraySlice<UInt8>) -> Bool {
        self.wildcards.contains { $0.isPrefix ? name.starts(with: $0.text) : name.elementsEqual($0.text) }
    }

    private func prefixed(_ name: ArraySlice<UInt8>) -> [UInt8] {
        if let added = self.addedPrefix { return added + name }
        if let removed = self.removedPrefix, name.starts(with: removed) { return Array(name.dropFirst(removed.count)) }
        return Array(name)
    }
}
