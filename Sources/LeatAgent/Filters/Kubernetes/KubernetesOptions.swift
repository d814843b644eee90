internal import LeatCore
internal import LeatParsing

/// What the `kubernetes` filter was configured to do.
struct KubernetesOptions: Sendable {
    let tagPrefix: String
    let mergesLog: Bool
    let mergeKey: String?
    let trimsMerged: Bool
    let keepsLog: Bool
    let addsLabels: Bool
    let addsAnnotations: Bool
    let addsOwners: Bool
    let addsNamespaceLabels: Bool
    let addsNamespaceAnnotations: Bool
    let addsPod: Bool
    let obeysExclude: Bool
    let obeysParser: Bool
    let usesTagOnly: Bool
    let usesJournal: Bool
    let usesDummy: Bool
    let usesKubelet: Bool
    let namespaceFile: String?
    /// How the cluster is reached; `nil` when it is not asked.
    let client: PodClient.Options?

    init(_ settings: Settings) throws(Diagnostics) {
        self.tagPrefix = settings.text("kube_tag_prefix") ?? ""
        self.mergesLog = settings.flag("merge_log") || settings.flag("merge_json_log")
        self.mergeKey = settings.text("merge_log_key")
        self.trimsMerged = settings.flag("merge_log_trim")
        self.keepsLog = settings.flag("keep_log")
        self.addsLabels = settings.flag("labels")
        self.addsAnnotations = settings.flag("annotations")
        self.addsOwners = settings.flag("owner_references")
        self.addsNamespaceLabels = settings.flag("namespace_labels")
        self.addsNamespaceAnnotations = settings.flag("namespace_annotations")
        self.addsPod = !settings.flag("namespace_metadata_only")
        self.obeysExclude = settings.flag("k8s-logging.exclude")
        self.obeysParser = settings.flag("k8s-logging.parser")
        self.usesTagOnly = settings.flag("use_tag_for_meta")
        self.usesJournal = settings.flag("use_journal")
        self.usesDummy = settings.flag("dummy_meta")
        self.usesKubelet = settings.flag("use_kubelet")
        self.namespaceFile = settings.text("kube_namespace_file")
        let isAsked = !self.usesTagOnly && !self.usesDummy && !settings.isSet("kube_meta_preload_cache_dir")
        self.client = isAsked ? try Self.client(settings, usesKubelet: self.usesKubelet) : nil
    }

    private static func client(_ settings: Settings, usesKubelet: Bool) throws(Diagnostics) -> PodClient.Options {
        var host = settings.text("kubelet_host") ?? "127.0.0.1"
        var port = settings.integer("kubelet_port") ?? 10250
        var isEncrypted = true
        if !usesKubelet {
            let text = settings.text("kube_url") ?? ""
            guard let address = WebAddress(text) else {
                throw Diagnostics(
                    (settings.entries("kube_url").last?.valueMark ?? settings.section.mark).diagnostic(
                        "'\(text)' is no address of an API server",
                        hint: "such as https://kubernetes.default.svc:443"
                    )
                )
            }
            (isEncrypted, host, port) = (address.isEncrypted, address.host, address.port)
        }
        var endpoint = Endpoint(host: host, port: port)
        // A watch is silent for as long as nothing changes; the server ends it after 5 minutes.
        endpoint.responseTimeout = .seconds(360)
        let isVerified = settings.flag("tls.verify")
        return PodClient.Options(
            endpoint: endpoint,
            tls: isEncrypted
                ? TLSOptions(
                    verifies: isVerified,
                    verifiesHostname: settings.flag("tls.verify_hostname"),
                    authorityFile: isVerified ? settings.text("kube_ca_file") : nil,
                    authorityFolder: isVerified ? settings.text("kube_ca_path") : nil,
                    serverName: settings.text("tls.vhost")
                ) : nil,
            tokenFile: settings.text("kube_token_file"),
            tokenCommand: settings.text("kube_token_command"),
            tokenLifeNanoseconds: UInt64(max(1, settings.nanoseconds("kube_token_ttl") ?? 600_000_000_000))
        )
    }

    /// Who is asked about what, from the surroundings of a pod: `NODE_NAME` is set by the DaemonSet, `HOSTNAME` is our pod.
    func source(environment: [String: String], files: any FileSystem) -> PodWatch.Source {
        if self.usesKubelet { return .kubelet }
        var namespace: String?
        if let file = self.namespaceFile {
            do throws(FileSystemError) {
                namespace = try files.contents(file).withUnsafeBytes { $0.trimmed.text }
            } catch {
                namespace = nil  // Outside of a pod there is none.
            }
        }
        let node = environment["NODE_NAME"] ?? environment["K8S_NODE_NAME"] ?? environment["KUBERNETES_NODE_NAME"]
        return .apiServer(node: node, ownNamespace: namespace, ownPod: namespace == nil ? nil : environment["HOSTNAME"])
    }
}
