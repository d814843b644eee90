internal import LeatCore
internal import LeatParsing

/// What a configuration without errors makes before anything is opened: filters, and who gets which events.
struct CheckedPipeline {
    let filters: [FilterPipeline.NamedFilter]
    /// Filters of single outputs, by the output's number.
    let processors: [Int: [FilterPipeline.NamedFilter]]
    let router: Router
}

/// Finds what is wrong with a configuration and can only be seen when plugins are made.
struct ConfigurationCheck {
    private let configuration: AgentConfiguration
    private let disk: any FileSystem
    /// Whether files that only the real machine has may be missing.
    private let isDryRun: Bool
    private var processors: [Int: [FilterPipeline.NamedFilter]] = [:]

    /// Everything that is wrong.
    private(set) var diagnostics: [Diagnostic] = []

    init(_ configuration: AgentConfiguration, disk: any FileSystem, isDryRun: Bool = false) {
        self.configuration = configuration
        self.disk = disk
        self.isDryRun = isDryRun
    }

    /// Makes what needs neither state folder nor network; finds the remaining errors of the configuration.
    mutating func run() -> CheckedPipeline? {
        var filters: [FilterPipeline.NamedFilter] = []
        let parsers = ParserRegistry(self.configuration)
        self.diagnostics += parsers.check()
        for plugin in self.configuration.filters {
            if let filter = self.makeFilter(plugin, parsers) {
                filters.append(FilterPipeline.NamedFilter(name: plugin.displayName, filter: filter))
            }
        }
        for plugin in self.configuration.inputs {
            let configuration = self.configuration
            self.collect { () throws(Diagnostics) in try InputFactory.check(plugin, configuration) }
            self.checkMachine(plugin)
        }
        for plugin in self.configuration.inputs where !InputFactory.names.contains(plugin.name) {
            self.diagnostics.append(plugin.mark.diagnostic("the input '\(plugin.name)' is not part of this build"))
        }
        for plugin in self.configuration.outputs {
            let (configuration, disk) = (self.configuration, self.disk)
            self.collect { () throws(Diagnostics) in try OutputFactory.check(plugin, configuration, files: disk) }
            self.checkMachine(plugin)
        }
        if self.configuration.outputs.count > OutputSet.outputCountMax {
            self.diagnostics += [
                self.configuration.outputs[OutputSet.outputCountMax].mark.diagnostic(
                    "more than \(OutputSet.outputCountMax) outputs"
                )
            ]
        }
        self.makeProcessors(parsers)
        let router = Router(
            filters: self.configuration.filters.map { self.matcher($0) },
            outputs: self.configuration.outputs.map { self.outputMatcher($0) }
        )
        if self.diagnostics.contains(where: { $0.severity == .error }) { return nil }
        return CheckedPipeline(filters: filters, processors: self.processors, router: router)
    }

    /// A filter; `nil` when something is wrong with it, or when a dry run happens where it cannot be made.
    private mutating func makeFilter(_ plugin: PluginConfiguration, _ parsers: ParserRegistry) -> (any EventFilter)? {
        if self.isDryRun, plugin.name == "lua", LuaLibrary.open() == nil {
            self.diagnostics.append(LuaFilter.missingLibrary(plugin).with(severity: .warning))
            return nil
        }
        let environment = FilterEnvironment(files: self.disk, parsers: parsers)
        return FilterFactory.make(plugin, environment, diagnostics: &self.diagnostics)
    }

    /// Makes the filters that belong to one output each.
    private mutating func makeProcessors(_ parsers: ParserRegistry) {
        for (index, output) in self.configuration.outputs.enumerated() where !output.processors.isEmpty {
            for plugin in output.processors {
                guard let filter = self.makeFilter(plugin, parsers) else { continue }
                if filter.keepsEvents {
                    self.diagnostics.append(
                        plugin.mark.diagnostic(
                            "the filter '\(plugin.name)' keeps events and cannot be a processor of an output",
                            hint: "use it as a filter of the pipeline"
                        )
                    )
                }
                let name = "\(output.displayName).\(plugin.displayName)"
                self.processors[index, default: []].append(FilterPipeline.NamedFilter(name: name, filter: filter))
            }
        }
    }

    /// Looks for the files and libraries that a plugin needs; in a dry run, which may happen elsewhere, with warnings.
    private mutating func checkMachine(_ plugin: PluginConfiguration) {
        do throws(Diagnostics) {
            try TLSSettings.checkFiles(plugin, isServer: plugin.kind == .input)
            if plugin.name == "loki" { try LokiForm.checkMap(plugin, files: self.disk) }
            if plugin.name == "systemd", let failure = SystemJournal.loadFailure() {
                throw Diagnostics(plugin.mark.diagnostic("\(failure)"))
            }
        } catch {
            self.diagnostics += error.all.map { $0.with(severity: self.isDryRun ? .warning : .error) }
        }
    }

    private mutating func collect(_ body: () throws(Diagnostics) -> Void) {
        do throws(Diagnostics) { try body() } catch { self.diagnostics += error.all }
    }

    /// As `matcher`, but a single output without a rule takes what a single input reads, as in Fluent Bit.
    private mutating func outputMatcher(_ plugin: PluginConfiguration) -> Router.Matcher {
        let hasRule = plugin.settings.text("match") != nil || !plugin.settings.entries("match_regex").isEmpty
        if hasRule { return self.matcher(plugin) }
        if self.configuration.inputs.count == 1, self.configuration.outputs.count == 1 {
            return .pattern(TagPattern("*"))
        }
        self.diagnostics.append(
            plugin.mark.diagnostic(
                "the output '\(plugin.name)' has no Match and sees no event",
                hint: "add a line such as: Match *",
                severity: .warning
            )
        )
        return .pattern(.nothing)
    }

    /// `Match`, `Match_Regex`; without either nothing matches, as in Fluent Bit.
    private mutating func matcher(_ plugin: PluginConfiguration) -> Router.Matcher {
        if let entry = plugin.settings.entries("match_regex").last {
            do throws(PatternError) {
                return .regex(try Pattern(entry.value, options: PatternOptions(flavour: .ruby)))
            } catch {
                self.diagnostics.append(entry.valueMark.diagnostic("\(error)"))
            }
        }
        return .pattern(plugin.settings.text("match").map { TagPattern($0) } ?? .nothing)
    }
}

extension TagPattern {
    /// A pattern that no tag matches.
    static let nothing = TagPattern("\u{0}")
}
