internal import Glibc

/// What is said besides the answer, on standard error.
public enum Notes {
    /// Writes a line.
    public static func write(_ line: String) {
        var text = line + "\n"
        text.withUTF8 { bytes in
            // Nothing can be said about a standard error that takes nothing.
            _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
        }
    }

    /// Writes a warning.
    static func warn(_ text: String) { Self.write("warning: \(text)") }
}
