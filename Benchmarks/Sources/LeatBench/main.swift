import Foundation

signal(SIGPIPE, SIG_IGN)
do {
    let options = try BenchOptions(arguments: Array(CommandLine.arguments.dropFirst()))
    try BenchRun(options: options).run()
} catch {
    FileHandle.standardError.write(Data("leat-bench: \(error)\n".utf8))
    exit(error is UsageError ? 64 : 1)
}
