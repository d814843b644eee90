internal import LeatCore

/// The certificate of the listeners that speak TLS.
struct TLSSettings: Hashable, Sendable {
    /// PEM, with the certificates of its issuers after it.
    var certificatePath = ""
    /// PEM.
    var keyPath = ""

    var isSet: Bool { !self.certificatePath.isEmpty && !self.keyPath.isEmpty }
}

/// The listeners for syslog; each is off unless it has an address.
struct SyslogSettings: Sendable {
    var tcp: ListenAddress?
    var udp: ListenAddress?
    /// TCP with TLS.
    var tls: ListenAddress?
    var repository = RepositoryNames.standard
    /// The parser that takes messages apart; empty: they are taken apart as syslog.
    var parser = ""
    /// The zone of dates without one.
    var zone = TimeZoneRules.utc
    /// Connections of each listener.
    var connectionCountMax = 5_000
    /// Whether other machines may reach a listener, although syslog asks nobody for a token.
    var isUnsafelyOpen = false

    var addresses: [ListenAddress] { [self.tcp, self.udp, self.tls].compactMap { $0 } }
}

/// The listeners for the forward protocol of Fluentd and Fluent Bit; each is off unless it has an address.
struct ForwardSettings: Sendable {
    var tcp: ListenAddress?
    var tls: ListenAddress?
    /// A file with the key that senders must know; empty: everybody may send.
    var keyPath = ""
    var repository = RepositoryNames.standard
    /// The parser that records' texts run through.
    var parser = ""
    /// Connections of each listener.
    var connectionCountMax = 5_000

    var addresses: [ListenAddress] { [self.tcp, self.tls].compactMap { $0 } }
}

extension ServerConfiguration {
    /// Whether the HTTP interface speaks TLS.
    public var hasCertificate: Bool { self.tls.isSet }

    /// What settings have to say to each other; `nil` when all is well.
    public var problem: String? {
        if self.tls.certificatePath.isEmpty != self.tls.keyPath.isEmpty {
            return "tls.certificate and tls.key belong together: set both or none"
        }
        if !self.tls.isSet, let address = self.syslog.tls ?? self.forward.tls {
            return "a listener with TLS on \(address) needs tls.certificate and tls.key"
        }
        for repository in [self.syslog.repository, self.forward.repository] where repository == RepositoryNames.own {
            return "only the server itself writes to '\(repository)'; choose another repository"
        }
        let isOpen = self.isUnsafelyOpen || self.syslog.isUnsafelyOpen
        if !isOpen, let address = self.syslog.addresses.first(where: { !$0.isLoopback }) {
            return
                "\(address) is reachable from other machines and syslog asks nobody for a token; listen on 127.0.0.1, "
                + "or set syslog.unsafe_open if everybody who reaches it may send"
        }
        if !self.isUnsafelyOpen, self.forward.keyPath.isEmpty,
            let address = self.forward.addresses.first(where: { !$0.isLoopback })
        {
            return "\(address) is reachable from other machines; set forward.shared_key_file, or listen on 127.0.0.1"
        }
        return nil
    }
}
