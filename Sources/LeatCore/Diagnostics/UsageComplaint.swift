/// What is wrong with a command line, in the one style of all programs.
public enum UsageComplaint {
    /// A message of the argument parser in that style.
    ///
    /// - Parameters:
    ///   - message: Such as `Error: Unknown option '--x'`, with the usage in further lines.
    ///   - program: Who complains.
    /// - Returns: Such as `leat: unknown option '--x'`, with the further lines as they were.
    public static func text(_ message: String, program: String) -> String {
        var lines = message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines[0].hasPrefix("Error: ") { lines[0].removeFirst("Error: ".count) }
        let second = lines[0].dropFirst().first
        if second?.isLowercase == true || second == " " {
            lines[0] = lines[0].prefix(1).lowercased() + lines[0].dropFirst()
        }
        if lines[0].hasSuffix(".") { lines[0].removeLast() }
        return "\(program): " + lines.joined(separator: "\n")
    }
}
