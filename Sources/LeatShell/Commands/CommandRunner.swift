internal import Glibc
internal import LeatCore

/// Runs a command and says on standard error why it failed, if it did.
public enum CommandRunner {
    /// The status that the process ends with; with `asJSON` an error is an object on standard error.
    public static func status(asJSON: Bool = false, _ body: () async throws -> ExitStatus) async -> ExitStatus {
        do {
            return try await body()
        } catch is OutputClosed {
            return .success
        } catch is CancellationError {
            return .interrupted
        } catch let error as CommandError {
            Self.tell(error, asJSON: asJSON)
            return error.status
        } catch {
            Self.tell(CommandError(.ourBug, "unexpected error: \(error)"), asJSON: asJSON)
            return .ourBug
        }
    }

    private static func tell(_ error: CommandError, asJSON: Bool) {
        guard asJSON else {
            Notes.write(error.description)
            return
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("error")
        writer.value(error.message)
        writer.key("status")
        writer.value(Int(error.status.rawValue))
        writer.endObject()
        Notes.write(writer.text)
    }
}

/// The signals of the process.
public enum ProcessSignals {
    /// A reader that goes away shows as an error of writing; Ctrl-C is taken over.
    public static func prepare() {
        self.fillStandardDescriptors()
        signal(SIGPIPE, SIG_IGN)
        Interrupts.prepare()
    }

    /// What the caller has closed stays unusable, and does not become a socket's or a file's number.
    private static func fillStandardDescriptors() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}
