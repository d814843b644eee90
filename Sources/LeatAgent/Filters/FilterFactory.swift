internal import LeatCore
internal import LeatParsing

/// What filters are made with, beside their own configuration.
struct FilterEnvironment {
    let files: any FileSystem
    let parsers: ParserRegistry
    /// What the cluster says; `nil` when nobody asks it.
    var directory: (any PodDirectory)?

    init(files: any FileSystem, parsers: ParserRegistry, directory: (any PodDirectory)? = nil) {
        self.files = files
        self.parsers = parsers
        self.directory = directory
    }
}

/// Makes filters of their configuration, and says what is wrong with it.
enum FilterFactory {
    /// A filter; `nil` after an error was added to `diagnostics`.
    static func make(
        _ configuration: PluginConfiguration,
        _ environment: FilterEnvironment,
        diagnostics: inout [Diagnostic]
    ) -> (any EventFilter)? {
        do throws(Diagnostics) {
            let filter = try Self.make(configuration, environment)
            guard let condition = configuration.settings.section.conditions.last else { return filter }
            return ConditionalFilter(filter, try EventCondition(condition))
        } catch {
            diagnostics += error.all
            return nil
        }
    }

    private static func make(
        _ configuration: PluginConfiguration,
        _ environment: FilterEnvironment
    ) throws(Diagnostics) -> any EventFilter {
        switch configuration.name {
        case "grep": return try GrepFilter(configuration)
        case "kubernetes": return try Self.kubernetes(configuration, environment)
        case "modify": return try ModifyFilter(configuration)
        case "record_modifier": return try RecordModifierFilter(configuration)
        case "nest": return try NestFilter(configuration)
        case "parser": return try ParserFilter(configuration, environment.parsers)
        case "rewrite_tag": return try RewriteTagFilter(configuration)
        case "throttle": return try ThrottleFilter(configuration)
        case "multiline": return try Self.multiline(configuration, environment.parsers)
        case "content_modifier": return try ContentModifierFilter(configuration)
        case "type_converter": return try TypeConverterFilter(configuration)
        case "lua": return try LuaFilter(configuration, files: environment.files)
        case "stdout": return StdoutFilter()
        case "expect": return try ExpectFilter(configuration)
        default:
            throw Diagnostics(
                configuration.mark.diagnostic("the filter '\(configuration.name)' is not part of this build")
            )
        }
    }

    private static func multiline(
        _ configuration: PluginConfiguration,
        _ parsers: ParserRegistry
    ) throws(Diagnostics) -> any EventFilter {
        guard configuration.settings.text("mode")?.lowercased() == "partial_message" else {
            return try MultilineFilter(configuration, parsers)
        }
        return try PartialMessageFilter(configuration, textByteCountMax: parsers.multilineByteCountMax)
    }

    private static func kubernetes(
        _ configuration: PluginConfiguration,
        _ environment: FilterEnvironment
    ) throws(Diagnostics) -> any EventFilter {
        let settings = configuration.settings
        let options = try KubernetesOptions(settings)
        var directory = environment.directory
        if let folder = settings.entries("kube_meta_preload_cache_dir").last {
            do throws(FileSystemError) {
                directory = try PodCache(folder: folder.value, files: environment.files)
            } catch {
                throw Diagnostics(folder.valueMark.diagnostic(error.description))
            }
        }
        return KubernetesFilter(
            options,
            parsers: environment.parsers,
            directory: directory ?? PodCache(),
            mergeParser: try Self.parser(settings.entries("merge_parser").last, environment),
            tagParser: try Self.parser(settings.entries("regex_parser").last, environment)
        )
    }

    private static func parser(
        _ entry: Section.Entry?,
        _ environment: FilterEnvironment
    ) throws(Diagnostics) -> LineParser? {
        guard let entry else { return nil }
        return try environment.parsers.parser(entry)
    }
}

extension Diagnostics {
    /// One thing that is wrong.
    init(_ diagnostic: Diagnostic) { self.init([diagnostic]) }
}
