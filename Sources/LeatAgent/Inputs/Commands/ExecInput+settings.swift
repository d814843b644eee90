internal import LeatCore
internal import LeatParsing

extension ExecInput.Options {
    /// The options of an `[INPUT] exec`.
    init(_ plugin: PluginConfiguration) throws(Diagnostics) {
        let settings = plugin.settings
        self.command = settings.text("command") ?? ""
        if self.command.isEmpty {
            throw Diagnostics(plugin.mark.diagnostic("the input exec needs command", hint: "add Command uptime"))
        }
        self.endsAgent = settings.flag("exit_after_oneshot")
        self.runsOnce = settings.flag("oneshot") || self.endsAgent
        self.passesExitCode = settings.flag("propagate_exit_code")
        if self.passesExitCode, !self.endsAgent {
            throw Diagnostics(
                (settings.entries("propagate_exit_code").last?.keyMark ?? plugin.mark).diagnostic(
                    "propagate_exit_code says nothing while the agent goes on",
                    hint: "add Exit_After_Oneshot On"
                )
            )
        }
        self.interval = settings.interval
    }
}
