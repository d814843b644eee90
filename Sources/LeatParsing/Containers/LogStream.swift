/// The standard stream of a container that a line was written to.
public enum LogStream: UInt8, Hashable, Sendable, CaseIterable {
    case stdout = 0
    case stderr = 1

    /// The stream's name in log files and in the field `stream`.
    public var name: String {
        switch self {
        case .stdout: "stdout"
        case .stderr: "stderr"
        }
    }
}
