internal import LeatCore
internal import LeatParsing

/// Bodies of the output `loki`: events by their labels, each as a line of text.
struct LokiForm: RequestForm {
    /// A label, or a piece of structured metadata.
    struct Label: Hashable, Sendable {
        let name: String
        let value: Value

        enum Value: Hashable, Sendable {
            case text(String)
            case field(FieldPath)
        }
    }

    var labels: [Label] = []
    /// Whether labels of the pod are labels.
    var addsPodLabels = false
    var metadata: [Label] = []
    /// Objects whose members are structured metadata.
    var metadataObjects: [FieldPath] = []
    /// Fields that do not stand in the line.
    var removed: [FieldPath] = []
    var dropsSingleKey = false
    /// Whether a single text stands in the line without quotes.
    var isSingleRaw = false
    var isKeyValue = false
    /// Field that gives the tenant; then a request has events of one tenant only.
    var tenantPath: FieldPath?
    var tenant: String?

    var hasParts: Bool { self.tenantPath != nil }

    func part(of event: ChunkEvent, _ record: UnsafeRawBufferPointer) -> [UInt8] {
        guard let tenantPath else { return [] }
        var text: [UInt8] = []
        if let range = tenantPath.find(in: record) { RecordTemplate.appendText(of: record.slice(range), to: &text) }
        return text.isEmpty ? Array((self.tenant ?? "").utf8) : text
    }

    func headers(of part: [UInt8]) -> [(name: String, value: String)] {
        part.isEmpty ? [] : [("X-Scope-OrgID", String(decoding: part, as: UTF8.self))]
    }

    func append(_ chunk: LoadedChunk, _ items: [Range<Int>], to bytes: inout [UInt8]) {
        var order: [[UInt8]] = []
        var streams: [[UInt8]: [UInt8]] = [:]
        chunk.forEachEvent(in: items) { event, record in
            let labels = self.labelText(record)
            if streams[labels] == nil { order.append(labels) }
            self.appendValue(event.time, record, to: &streams[labels, default: []])
        }
        bytes.append("{\"streams\":[")
        for (index, labels) in order.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append("{\"stream\":{")
            bytes += labels
            bytes.append("},\"values\":[")
            bytes += streams[labels] ?? []
            bytes.append("]}")
        }
        bytes.append("]}")
    }

    /// The labels of an event as members.
    private func labelText(_ record: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes: [UInt8] = []
        self.append(self.labels, of: record, to: &bytes)
        if self.addsPodLabels, let range = Self.podLabels.find(in: record) {
            self.appendMembers(of: record.slice(range), to: &bytes)
        }
        return bytes
    }

    private static let podLabels = FieldPath("$kubernetes['labels']") ?? FieldPath(name: "labels")

    private func append(_ labels: [Label], of record: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        for label in labels {
            switch label.value {
            case .text(let text): bytes.appendMember(label.name, text: text.utf8, start: 0)
            case .field(let path):
                guard let range = path.find(in: record) else { continue }
                var text: [UInt8] = []
                RecordTemplate.appendText(of: record.slice(range), to: &text)
                bytes.appendMember(label.name, text: text, start: 0)
            }
        }
    }

    /// The members of an object, as texts under names that Loki takes.
    private func appendMembers(of object: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        guard object.count >= 2, object[0] == UInt8(ascii: "{") else { return }
        let contents = object.slice(1..<object.count - 1)
        var scanner = MemberScanner(contents)
        while let member = scanner.next() {
            var text: [UInt8] = []
            RecordTemplate.appendText(of: contents.slice(member.value), to: &text)
            let name = String(decoding: JSONText.unescaped(contents.slice(member.name)), as: UTF8.self)
            bytes.appendMember(Self.labelName(name), text: text, start: 0)
        }
    }

    /// Letters, digits and `_`.
    static func labelName(_ name: String) -> String {
        String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    /// `["time in nanoseconds","line"]`, with the structured metadata as a third element.
    private func appendValue(_ time: Int64, _ record: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
        bytes += "[\"\(time)\",".utf8
        self.line(record).withUnsafeBytes { JSONWriter.append(string: $0, to: &bytes) }
        if !self.metadata.isEmpty || !self.metadataObjects.isEmpty {
            var metadata: [UInt8] = []
            self.append(self.metadata, of: record, to: &metadata)
            for path in self.metadataObjects {
                if let range = path.find(in: record) { self.appendMembers(of: record.slice(range), to: &metadata) }
            }
            bytes.append(",{")
            bytes += metadata
            bytes.append("}")
        }
        bytes.append("]")
    }

    private func line(_ record: UnsafeRawBufferPointer) -> [UInt8] {
        var members = Array(record)
        for path in self.removed {
            members = members.withUnsafeBytes { RecordEdit.removing(path.steps[...], from: $0) }
        }
        return members.withUnsafeBytes { members in
            var scanner = MemberScanner(members)
            if self.dropsSingleKey, let only = scanner.next(), scanner.isAtEnd {
                return self.single(members.slice(only.value))
            }
            if self.isKeyValue { return self.keyValue(members) }
            return [UInt8(ascii: "{")] + Array(members) + [UInt8(ascii: "}")]
        }
    }

    private func single(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        guard self.isSingleRaw || self.isKeyValue else { return Array(value) }
        var text: [UInt8] = []
        RecordTemplate.appendText(of: value, to: &text)
        return text
    }

    /// `name="text" number=1`.
    private func keyValue(_ members: UnsafeRawBufferPointer) -> [UInt8] {
        var line: [UInt8] = []
        var scanner = MemberScanner(members)
        while let member = scanner.next() {
            if !line.isEmpty { line.append(UInt8(ascii: " ")) }
            line += JSONText.unescaped(members.slice(member.name))
            line.append(UInt8(ascii: "="))
            line.append(contentsOf: members.slice(member.value))
        }
        return line
    }
}

/// Changes of records that need no tree.
enum RecordEdit {
    /// The members without the one at a path.
    static func removing(_ steps: ArraySlice<FieldPath.Step>, from members: UnsafeRawBufferPointer) -> [UInt8] {
        guard case .key(let name)? = steps.first else { return Array(members) }
        var result: [UInt8] = []
        var scanner = MemberScanner(members)
        while let member = scanner.next() {
            let value = members.slice(member.value)
            let isMeant = members.slice(member.name).elementsEqual(name)
            if isMeant, steps.count == 1 { continue }
            if !result.isEmpty { result.append(UInt8(ascii: ",")) }
            result.append(UInt8(ascii: "\""))
            result.append(contentsOf: members.slice(member.name))
            result.append("\":")
            if isMeant, value.count >= 2, value[0] == UInt8(ascii: "{") {
                result.append(UInt8(ascii: "{"))
                result += Self.removing(steps.dropFirst(), from: value.slice(1..<value.count - 1))
                result.append(UInt8(ascii: "}"))
            } else {
                result.append(contentsOf: value)
            }
        }
        return result
    }
}

extension LokiForm {
    /// Finds what is wrong with the map of labels, which lies in a file.
    static func checkMap(_ plugin: PluginConfiguration, files: any FileSystem) throws(Diagnostics) {
        guard let entry = plugin.settings.entries("label_map_path").last else { return }
        var form = LokiForm()
        try form.addMap(entry, files)
    }

    /// The options of an `[OUTPUT] loki`; without `files` those that are not in files.
    init(_ plugin: PluginConfiguration, files: (any FileSystem)?) throws(Diagnostics) {
        let settings = plugin.settings
        for entry in settings.entries("labels") { try self.addLabels(entry) }
        for entry in settings.entries("label_keys") {
            for key in SettingValue.list(entry.value) {
                let path = try FilterText.path(key.hasPrefix("$") ? key : "$" + key, entry)
                self.labels.append(Label(name: Self.labelName(of: path), value: .field(path)))
                self.removed.append(path)
            }
        }
        if let files, let entry = settings.entries("label_map_path").last { try self.addMap(entry, files) }
        self.addsPodLabels = settings.flag("auto_kubernetes_labels")
        if self.labels.isEmpty, !self.addsPodLabels { self.labels = [Label(name: "job", value: .text("fluent-bit"))] }
        for entry in settings.entries("structured_metadata") {
            self.metadata += try Self.labels(entry)
        }
        for entry in settings.entries("structured_metadata_map_keys") {
            for key in SettingValue.list(entry.value) { self.metadataObjects.append(try FilterText.path(key, entry)) }
        }
        for entry in settings.entries("remove_keys") {
            for key in SettingValue.list(entry.value) { self.removed.append(try FilterText.path(key, entry)) }
        }
        let single = settings.text("drop_single_key")?.lowercased()
        self.isSingleRaw = single == "raw"
        self.dropsSingleKey = self.isSingleRaw || single.flatMap(SettingValue.flag) == true
        self.isKeyValue = settings.text("line_format")?.lowercased() == "key_value"
        self.tenant = settings.text("tenant_id")
        if let entry = settings.entries("tenant_id_key").last {
            self.tenantPath = try FilterText.path(entry.value, entry)
        }
    }

    private mutating func addLabels(_ entry: Section.Entry) throws(Diagnostics) {
        for label in try Self.labels(entry) {
            self.labels.append(label)
            if case .field(let path) = label.value { self.removed.append(path) }
        }
    }

    /// `name=text`, `name=$field` or `$field`, divided by commas.
    private static func labels(_ entry: Section.Entry) throws(Diagnostics) -> [Label] {
        var labels: [Label] = []
        for item in SettingValue.list(entry.value) {
            if item.hasPrefix("$") {
                let path = try FilterText.path(item, entry)
                labels.append(Label(name: Self.labelName(of: path), value: .field(path)))
                continue
            }
            guard let equals = item.firstIndex(of: "="), equals > item.startIndex else {
                throw Diagnostics(
                    entry.valueMark.diagnostic("'\(item)' is no label", hint: "name=text, name=$field or $field")
                )
            }
            let name = String(item[..<equals]).trimmed
            let value = String(item[item.index(after: equals)...]).trimmed
            let field = value.hasPrefix("$") ? try FilterText.path(value, entry) : nil
            labels.append(Label(name: Self.labelName(name), value: field.map { .field($0) } ?? .text(value)))
        }
        return labels
    }

    /// `$kubernetes['pod_name']` as `kubernetes_pod_name`.
    private static func labelName(of path: FieldPath) -> String {
        path.steps.map { step in
            switch step {
            case .key(let name): Self.labelName(String(decoding: name, as: UTF8.self))
            case .index(let index): String(index)
            }
        }.joined(separator: "_")
    }

    /// A JSON file whose names are fields and whose texts are labels.
    private mutating func addMap(_ entry: Section.Entry, _ files: any FileSystem) throws(Diagnostics) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: try files.contents(entry.value).text)
        } catch {
            throw Diagnostics(entry.valueMark.diagnostic("cannot read the map of labels: \(error)"))
        }
        try self.addMap(value, "$", entry)
    }

    private mutating func addMap(_ value: JSONValue, _ path: String, _ entry: Section.Entry) throws(Diagnostics) {
        for member in value.object ?? [] {
            let inner = path == "$" ? "$\(member.key)" : "\(path)['\(member.key)']"
            if let name = member.value.string {
                let field = try FilterText.path(inner, entry)
                self.labels.append(Label(name: name, value: .field(field)))
                self.removed.append(field)
            } else {
                try self.addMap(member.value, inner, entry)
            }
        }
    }
}
