internal import LeatCore

/// The names that an object of an administrative request may have: a misspelt one would silently change nothing.
enum MemberNames {
    /// Refuses an object with a member of another name.
    ///
    /// - Throws: 400 with the nearest name.
    static func check(_ body: JSONValue, _ names: [String]) throws(RequestFault) {
        for member in body.object ?? [] where !names.contains(member.key) {
            let hint =
                NearestName.find(member.key, among: names).map { "did you mean '\($0)'?" }
                ?? "known are \(names.joined(separator: ", "))"
            throw .text(400, "bad_request", "unknown member '\(member.key)'; \(hint)")
        }
    }
}
