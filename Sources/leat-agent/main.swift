internal import Glibc
internal import LeatAgent

var environment: [String: String] = [:]
var entry = environ
while let text = entry.pointee {
    let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    environment[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
    entry += 1
}
exit(AgentProgram.run(arguments: Array(CommandLine.arguments.dropFirst()), environment: environment))
