internal import Glibc
internal import LeatCore

/// Prints what an input hands on, in the form of Fluent Bit's chunk trace, while somebody looks.
enum ReadTrace {
    /// Writes one line to standard output.
    static func print(_ read: InputRead, of input: String) {
        let line = Self.line(read, of: input) + [UInt8(ascii: "\n")]
        // Whoever looks may have gone; then there is nobody to tell.
        _ = write(STDOUT_FILENO, line, line.count)
    }

    static func line(_ read: InputRead, of input: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append("{\"type\":1,\"plugin_instance\":")
        JSONWriter.append(string: input, to: &bytes)
        bytes.append(",\"tag\":")
        JSONWriter.append(string: read.tag.text, to: &bytes)
        bytes.append(",\"records\":[")
        for index in 0..<read.events.count {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append("{\"timestamp\":")
            TextForm.appendTime(read.events.times[index], digitCount: 9, to: &bytes)
            bytes.append(",\"record\":{")
            read.events.withMembers(of: index) { bytes.append(contentsOf: $0) }
            bytes.append("}}")
        }
        bytes.append("]}")
        return bytes
    }
}
