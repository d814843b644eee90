internal import LeatCore

/// Credentials of a profile in the files that AWS's tools share: `~/.aws/credentials` and `~/.aws/config`.
struct ProfileCredentials: CredentialSource {
    /// Keys of a profile that need a program, a person or another profile.
    private static let unsupported = [
        "credential_process", "sso_session", "sso_start_url", "role_arn", "login_session",
    ]

    /// `aws_profile` of the output.
    let profile: String?
    let surroundings: AWSSurroundings

    func fetch(_ body: @escaping (CredentialAnswer) -> Void) { body(self.answer()) }

    private func answer() -> CredentialAnswer {
        let name =
            self.profile ?? self.surroundings.variable("AWS_PROFILE")
            ?? self.surroundings.variable("AWS_DEFAULT_PROFILE") ?? "default"
        var reasons: [String] = []
        var found: [String: String]?
        // What the file of credentials says comes before what the other one says.
        for (variable, file, isConfiguration) in [
            ("AWS_SHARED_CREDENTIALS_FILE", "credentials", false), ("AWS_CONFIG_FILE", "config", true),
        ] {
            guard let path = self.path(variable, file) else { continue }
            do throws(FileSystemError) {
                let text = try self.surroundings.text(of: path)
                guard let keys = Self.keys(of: name, in: text, isConfiguration: isConfiguration) else {
                    reasons.append("no profile '\(name)' in \(path)")
                    continue
                }
                if let answer = Self.answer(keys, name, path) { return answer }
                found = keys.merging(found ?? [:]) { $1 }
            } catch {
                reasons.append("\(error)")
            }
        }
        if let found, let key = Self.unsupported.first(where: { found[$0] != nil }) {
            let hint = key == "role_arn" ? "set aws_role_arn instead" : "use keys or a role"
            return .failed("\(key) of the profile '\(name)' is not supported; \(hint)")
        }
        if found != nil { reasons.append("the profile '\(name)' has no aws_access_key_id and aws_secret_access_key") }
        if reasons.isEmpty { reasons.append("neither HOME nor AWS_SHARED_CREDENTIALS_FILE is set") }
        return .absent(reasons.joined(separator: "; "))
    }

    private func path(_ variable: String, _ file: String) -> String? {
        self.surroundings.variable(variable) ?? self.surroundings.variable("HOME").map { "\($0)/.aws/\(file)" }
    }

    /// The credentials that a profile has itself; `nil` when it has none.
    private static func answer(_ keys: [String: String], _ name: String, _ path: String) -> CredentialAnswer? {
        guard let id = keys["aws_access_key_id"], let secret = keys["aws_secret_access_key"] else { return nil }
        let token = keys["aws_session_token"].flatMap { $0.isEmpty ? nil : $0 }
        let credentials = AWSCredentials(accessKeyID: id, secretAccessKey: secret, sessionToken: token)
        return credentials.map { .found($0) } ?? .failed("the profile '\(name)' of \(path) is not complete")
    }

    /// The keys of a profile, in lower case; `nil` when a file has none of that name.
    ///
    /// Profiles but `default` are written `[profile name]` in the file of configuration, and `[name]` in the other one.
    static func keys(of profile: String, in text: String, isConfiguration: Bool) -> [String: String]? {
        var keys: [String: String]?
        var isInside = false
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard let first = words.first, !first.hasPrefix("#"), !first.hasPrefix(";") else { continue }
            if first.hasPrefix("[") {
                let title = line.split(separator: "[")[0].prefix { $0 != "]" }.split(separator: " ")
                let isNamed = title.count == 2 && title[0] == "profile" && title[1] == profile
                let isBare = title.count == 1 && title[0] == profile
                isInside = isConfiguration ? isNamed || isBare && profile == "default" : isBare
                if isInside, keys == nil { keys = [:] }
            } else if isInside, line.first != " ", line.first != "\t", let equals = line.firstIndex(of: "=") {
                let name = line[..<equals].split(separator: " ").joined(separator: " ").lowercased()
                let value = line[line.index(after: equals)...].split { $0 == " " || $0 == "\t" }
                keys?[name] = value.joined(separator: " ")
            }
        }
        return keys
    }
}
