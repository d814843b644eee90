internal import LeatCore
internal import LeatParsing

/// The `aws_…` keys of an output.
struct AWSSettings {
    let region: String
    let service: String
    let profile: String?
    /// A role to take, and what its owner wants to hear.
    let role: String?
    let externalID: String?
    /// The Security Token Service.
    let tokenService: WebAddress
    /// Authorities of the services' certificates, where they are not the system's.
    let tls: TLSOptions
}

extension AWSSettings {
    /// `nil` when requests are not to be signed.
    init?(_ settings: Settings) throws(Diagnostics) {
        guard settings.has("aws_auth"), settings.flag("aws_auth") else { return nil }
        let mark = settings.entries("aws_auth").last?.keyMark ?? settings.section.mark
        let serviceKey = settings.has("aws_service") ? "aws_service" : "aws_service_name"
        var wrong = Self.conflicts(settings)
        for (key, example) in [("aws_region", "eu-central-1"), (serviceKey, "es")] {
            guard let text = settings.text(key), !text.isEmpty else {
                wrong.append(mark.diagnostic("aws_auth needs \(key)", hint: "such as \(example)"))
                continue
            }
            // Both are part of the signature, and one is part of a host's name.
            if !text.utf8.allSatisfy({ Self.isNameByte($0) }), let entry = settings.entries(key).last {
                wrong.append(entry.valueMark.diagnostic("'\(text)' is no \(key)", hint: "such as \(example)"))
            }
        }
        if let entry = settings.entries("aws_role_arn").last, !entry.value.hasPrefix("arn:") {
            let hint = "such as arn:aws:iam::123456789012:role/logs"
            wrong.append(entry.valueMark.diagnostic("'\(entry.value)' is no ARN", hint: hint))
        }
        let region = settings.text("aws_region") ?? ""
        let address = settings.text("aws_sts_endpoint") ?? "sts.\(region).\(Self.domain(of: region))"
        let tokenService = WebAddress(address.contains("://") ? address : "https://\(address)")
        if tokenService == nil, let entry = settings.entries("aws_sts_endpoint").last {
            let hint = "such as https://sts.eu-central-1.amazonaws.com"
            wrong.append(entry.valueMark.diagnostic("'\(entry.value)' is no address", hint: hint))
        }
        guard wrong.isEmpty, let tokenService else { throw Diagnostics(wrong) }
        self.init(
            region: region,
            service: settings.text(serviceKey) ?? "",
            profile: settings.text("aws_profile").flatMap { $0.isEmpty ? nil : $0 },
            role: settings.text("aws_role_arn"),
            externalID: settings.text("aws_external_id"),
            tokenService: tokenService,
            tls: TLSOptions(
                authorityFile: settings.text("tls.ca_file"),
                authorityFolder: settings.text("tls.ca_path")
            )
        )
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }

    /// Where the services of a region are.
    private static func domain(of region: String) -> String {
        switch region {
        case _ where region.hasPrefix("cn-"): "amazonaws.com.cn"
        case _ where region.hasPrefix("eusc-"): "amazonaws.eu"
        default: "amazonaws.com"
        }
    }

    /// Other keys that say who sends: a request has one `Authorization`.
    private static func conflicts(_ settings: Settings) -> [Diagnostic] {
        var entries: [(Section.Entry, String)] = []
        for key in ["http_user", "bearer_token", "http_api_key", "cloud_auth"] where settings.has(key) {
            if let entry = settings.entries(key).last { entries.append((entry, key)) }
        }
        if settings.has("oauth2.enable"), settings.flag("oauth2.enable"),
            let entry = settings.entries("oauth2.enable").last
        {
            entries.append((entry, "oauth2.enable"))
        }
        if settings.has("header") {
            for entry in settings.entries("header") {
                guard SettingValue.words(entry.value, limit: 2).first?.equalsIgnoringCase("authorization") == true
                else { continue }
                entries.append((entry, "a header Authorization"))
            }
        }
        return entries.map { entry, name in
            entry.keyMark.diagnostic(
                "aws_auth and \(name) exclude each other",
                hint: "a request has one proof of who sends it"
            )
        }
    }
}
