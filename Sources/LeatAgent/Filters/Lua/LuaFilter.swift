internal import LeatCore
internal import LeatParsing

/// `lua`: calls a function for every event, which keeps, changes, splits or drops it.
///
/// The function gets tag, time and record, and gives a code (-1 drop, 0 keep, 1 new time and record, 2 new record), a
/// time and a record or a list of records. A function that fails leaves the event as it was.
final class LuaFilter: EventFilter {
    private let machine: LuaMachine
    private var output = EventList()

    init(_ configuration: PluginConfiguration, files: any FileSystem) throws(Diagnostics) {
        let settings = configuration.settings
        guard let function = settings.text("call") else {
            throw Diagnostics(configuration.mark.diagnostic("this filter has no Call", hint: "the name of a function"))
        }
        guard let library = LuaLibrary.open() else {
            throw Diagnostics(Self.missingLibrary(configuration))
        }
        let source = try Self.source(configuration, files)
        do throws(LuaMachine.Failure) {
            self.machine = try LuaMachine(
                library,
                code: source.code,
                name: source.name,
                function: function,
                usesTimeTable: settings.flag("time_as_table"),
                usesNull: settings.flag("enable_flb_null"),
                integerKeys: Self.names(settings.text("type_int_key")),
                arrayKeys: Self.names(settings.text("type_array_key"))
            )
        } catch {
            throw Diagnostics(source.mark.diagnostic("the script does not run: \(error.reason)"))
        }
    }

    /// What is said where no Lua library is installed.
    static func missingLibrary(_ configuration: PluginConfiguration) -> Diagnostic {
        configuration.mark.diagnostic(
            "no Lua library is installed",
            hint: "install liblua5.4-0 or libluajit-5.1-2; tried: \(LuaLibrary.fileNames.joined(separator: ", "))"
        )
    }

    private static func names(_ text: String?) -> Set<String> { Set(text.map { SettingValue.words($0) } ?? []) }

    private static func source(
        _ configuration: PluginConfiguration,
        _ files: any FileSystem
    ) throws(Diagnostics) -> (code: [UInt8], name: String, mark: SourceMark) {
        if let entry = configuration.settings.entries("code").last {
            return (Array(entry.value.utf8), "code", entry.valueMark)
        }
        guard let entry = configuration.settings.entries("script").last else {
            throw Diagnostics(configuration.mark.diagnostic("this filter has neither Script nor Code"))
        }
        let path = ConfigurationFiles.resolve(entry.value, beside: entry.valueMark.source)
        do throws(FileSystemError) {
            return (try files.contents(path).array, entry.value, entry.valueMark)
        } catch {
            throw Diagnostics(entry.valueMark.diagnostic(error.description))
        }
    }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        var output = EventList()
        swap(&output, &self.output)
        output.removeAll()
        for index in 0..<events.count {
            events.withMembers(of: index) { members in
                self.append(members, time: events.times[index], tag, &context, to: &output)
            }
        }
        swap(&events, &output)
        swap(&output, &self.output)
    }

    private func append(
        _ members: UnsafeRawBufferPointer,
        time: Int64,
        _ tag: RouteTag,
        _ context: inout FilterContext,
        to output: inout EventList
    ) {
        do throws(LuaMachine.Failure) {
            let result = try self.machine.call(tag: tag.bytes, time: time, record: Self.tree(members))
            if result.code < 0 { return }
            guard result.code == 1 || result.code == 2 else { return output.append(time: time, members: members) }
            for record in result.records {
                guard let fields = record.object else { throw LuaMachine.Failure(reason: "a record is no table") }
                Self.write(Self.ordered(fields, like: members), to: &output.bytes)
                output.endEvent(time: result.code == 1 ? result.time ?? time : time)
            }
        } catch {
            context.warnings.append("the function failed, the event stays: \(error.reason)")
            output.append(time: time, members: members)
        }
    }

    private static func tree(_ members: UnsafeRawBufferPointer) throws(LuaMachine.Failure) -> JSONValue {
        let text = [UInt8(ascii: "{")] + Array(members) + [UInt8(ascii: "}")]
        do throws(JSONError) {
            return try ByteSlice(text).withUnsafeBytes { bytes throws(JSONError) in try JSONValue(bytes) }
        } catch {
            throw LuaMachine.Failure(reason: "the record is no JSON: \(error)")
        }
    }

    /// The fields that the record had first, in its order; Lua's tables have none.
    private static func ordered(
        _ fields: [JSONValue.Member],
        like members: UnsafeRawBufferPointer
    ) -> [JSONValue.Member] {
        var places: [String: Int] = [:]
        var scanner = MemberScanner(members)
        while let member = scanner.next() {
            places[String(decoding: JSONText.unescaped(members.slice(member.name)), as: UTF8.self)] = places.count
        }
        return fields.sorted { left, right in
            (places[left.key] ?? .max, left.key) < (places[right.key] ?? .max, right.key)
        }
    }

    private static func write(_ fields: [JSONValue.Member], to bytes: inout [UInt8]) {
        var isFirst = true
        for field in fields {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONWriter.append(string: field.key, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            var writer = JSONWriter()
            field.value.write(to: &writer)
            bytes += writer.bytes
        }
    }
}
