internal import LeatCore
internal import LeatParsing

/// Reads the `tls.…` keys of a plugin.
enum TLSSettings {
    /// The options of a plugin that has TLS on.
    static func options(_ settings: Settings, isServer: Bool) -> TLSOptions {
        var options = TLSOptions()
        options.verifies = settings.flag("tls.verify")
        options.verifiesHostname = settings.isSet("tls.verify_hostname") ? settings.flag("tls.verify_hostname") : true
        options.authorityFile = settings.text("tls.ca_file")
        options.authorityFolder = settings.text("tls.ca_path")
        options.certificateFile = settings.text("tls.crt_file")
        options.keyFile = settings.text("tls.key_file")
        options.keyPassword = settings.text("tls.key_passwd")
        options.serverName = settings.text("tls.vhost")
        options.ciphers = settings.text("tls.ciphers")
        if let version = Self.version(settings.text("tls.min_version")) { options.minimumVersion = version }
        options.maximumVersion = Self.version(settings.text("tls.max_version"))
        if isServer { options.verifiesClients = settings.flag("tls.verify_client_cert") }
        return options
    }

    /// `TLSv1.2`, `1.2` and the like.
    private static func version(_ text: String?) -> TLSVersion? {
        guard let text = text?.lowercased() else { return nil }
        return TLSVersion(rawValue: text) ?? TLSVersion(rawValue: "tlsv" + text)
    }

    /// Finds what is wrong with the keys.
    static func check(_ plugin: PluginConfiguration) throws(Diagnostics) {
        let settings = plugin.settings
        guard settings.has("tls"), settings.flag("tls") else { return }
        for key in ["tls.min_version", "tls.max_version"] {
            guard let entry = settings.entries(key).last, Self.version(entry.value) == nil else { continue }
            throw Diagnostics(
                entry.valueMark.diagnostic("'\(entry.value)' is no version of TLS", hint: "TLSv1.2 or TLSv1.3")
            )
        }
    }

    /// Finds what is wrong with the files that the keys name.
    static func checkFiles(_ plugin: PluginConfiguration, isServer: Bool) throws(Diagnostics) {
        let settings = plugin.settings
        guard settings.has("tls"), settings.flag("tls") else { return }
        let options = Self.options(settings, isServer: isServer)
        let mark = settings.entries("tls").last?.valueMark ?? plugin.mark
        do throws(TLSFailure) {
            if isServer { _ = try TLSServer(options) } else { _ = try TLSClient(options) }
        } catch {
            throw Diagnostics(mark.diagnostic(error.reason))
        }
    }
}
