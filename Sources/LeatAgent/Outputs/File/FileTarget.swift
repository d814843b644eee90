internal import LeatCore
internal import LeatParsing

/// Where the output `file` puts an event.
enum FilePlace: Hashable {
    /// A file; `isDynamic`: its name is made of the event.
    case path(String, isDynamic: Bool)
    /// Nowhere: the event is kept as a dead letter, for this reason.
    case refused(String)
    /// Nowhere, as the user wants it.
    case dropped
}

/// `path` and `file`, which may hold fields of the record and, with `enable_strftime`, the event's time in UTC.
final class FileTarget {
    /// What happens to events that have no file of their own.
    enum Action: String { case error, drop, fallback }

    private let folder: NamePart?
    /// `nil`: the route tag.
    private let name: NamePart?
    private let missing: Action
    private let beyondLimit: Action
    private let fallback: String?
    private let dynamicCountMax: Int
    private var dynamicPaths: Set<String> = []

    /// Reads the keys of an output.
    init(_ settings: Settings) throws(Diagnostics) {
        let dates = settings.flag("enable_strftime")
        self.folder = try settings.entries("path").last.map { entry throws(Diagnostics) -> NamePart in
            if entry.value.hasPrefix("$") {
                throw Diagnostics(entry.valueMark.diagnostic("a path must begin with a folder, not with a field"))
            }
            return try NamePart(entry, dates: dates)
        }
        self.name = try settings.entries("file").last.map { entry throws(Diagnostics) -> NamePart in
            try NamePart(entry, dates: dates)
        }
        self.missing = settings.text("on_missing_field").flatMap { Action(rawValue: $0.lowercased()) } ?? .error
        self.beyondLimit = settings.text("on_limit_reached").flatMap { Action(rawValue: $0.lowercased()) } ?? .error
        self.fallback = settings.text("fallback_file").map { file in
            settings.text("fallback_path").map { $0 + "/" + file } ?? file
        }
        self.dynamicCountMax = max(0, settings.integer("max_dynamic_files") ?? 1_024)
        for key in ["on_missing_field", "on_limit_reached"] {
            guard self.fallback == nil, let entry = settings.entries(key).last,
                entry.value.equalsIgnoringCase(Action.fallback.rawValue)
            else { continue }
            throw Diagnostics(entry.valueMark.diagnostic("\(key) fallback needs a fallback_file"))
        }
    }

    /// Where an event goes, however many files there are.
    func place(of event: ChunkEvent, _ record: UnsafeRawBufferPointer) -> FilePlace {
        let tag = event.head.tag
        guard let folder = NamePart.text(self.folder, event.time, tag, record),
            let name = self.name == nil ? Self.fileName(of: tag) : NamePart.text(self.name, event.time, tag, record)
        else { return self.place(self.missing, "a field of path or file is missing") }
        let isDynamic = self.folder?.isDynamic == true || self.name?.isDynamic == true
        if self.folder?.isDynamic == true, !Self.isSafe(path: folder) {
            return self.place(self.missing, "the path '\(folder)' is not safe")
        }
        if self.name?.isDynamic == true, !Self.isSafe(name: name) {
            return self.place(self.missing, "the file name '\(name)' is not safe")
        }
        return .path(self.folder == nil ? name : folder + "/" + name, isDynamic: isDynamic)
    }

    /// The place within `max_dynamic_files`; remembers the file.
    func admit(_ place: FilePlace) -> FilePlace {
        guard case .path(let path, isDynamic: true) = place, self.dynamicCountMax > 0 else { return place }
        if self.dynamicPaths.contains(path) { return place }
        guard self.dynamicPaths.count < self.dynamicCountMax else {
            return self.place(self.beyondLimit, "there are max_dynamic_files files already")
        }
        self.dynamicPaths.insert(path)
        return place
    }

    private func place(_ action: Action, _ reason: String) -> FilePlace {
        switch action {
        case .drop: .dropped
        case .fallback: self.fallback.map { .path($0, isDynamic: false) } ?? .refused(reason)
        case .error: .refused(reason)
        }
    }

    /// A tag as the name of a file, which leads nowhere else.
    private static func fileName(of tag: [UInt8]) -> String {
        let text = String(
            decoding: tag.map { $0 == UInt8(ascii: "/") || $0 < 0x20 ? UInt8(ascii: "_") : $0 },
            as: UTF8.self
        )
        return text.isEmpty || text == "." || text == ".." ? "_" : text
    }

    /// Whether a name that events made stays in its folder, and is one that any system takes.
    private static func isSafe(name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".."
            && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && !"/\\:*?\"<>|".utf8.contains($0) }
    }

    private static func isSafe(path: String) -> Bool {
        !path.isEmpty && path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            && path.split { $0 == "/" || $0 == "\\" }.allSatisfy { $0 != "." && $0 != ".." }
    }
}

/// `path` or `file` as configured.
private final class NamePart {
    /// The text without a time; `nil` with one.
    private let template: RecordTemplate?
    private let format: TimeFormat?
    let isDynamic: Bool
    /// The second that `formatted` is for.
    private var second: Int64 = .min
    private var formatted: RecordTemplate?

    init(_ entry: Section.Entry, dates: Bool) throws(Diagnostics) {
        guard let template = RecordTemplate(entry.value) else {
            throw Diagnostics(
                entry.valueMark.diagnostic(
                    "'\(entry.value)' is no name of files",
                    hint: "such as app-$TAG or $k['a'].log"
                )
            )
        }
        self.isDynamic = !template.isConstant || dates && entry.value.contains("%")
        guard dates, entry.value.contains("%") else {
            self.template = template
            self.format = nil
            return
        }
        self.template = nil
        do throws(TimePatternError) {
            self.format = try TimeFormat(entry.value)
        } catch {
            throw Diagnostics(entry.valueMark.diagnostic(error.message))
        }
    }

    /// The text for an event; `nil` when it lacks a field, empty for no part.
    static func text(_ part: NamePart?, _ time: Int64, _ tag: [UInt8], _ record: UnsafeRawBufferPointer) -> String? {
        guard let part else { return "" }
        var bytes: [UInt8] = []
        guard let template = part.template(at: time), template.append(to: &bytes, tag: tag, members: record) else {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The template with the time put in; events come in clusters of one second.
    private func template(at time: Int64) -> RecordTemplate? {
        guard let format else { return self.template }
        let timestamp = Timestamp(nanoseconds: time)
        if timestamp.seconds != self.second {
            self.second = timestamp.seconds
            self.formatted = RecordTemplate(format.string(timestamp))
        }
        return self.formatted
    }
}
