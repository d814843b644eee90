internal import Glibc
internal import LeatCore

/// `stdout`: prints events as they pass, and changes nothing: `[0] tag: [1700000000.123456789, {}, {"log"=>"…"}]`.
final class StdoutFilter: EventFilter {
    private let descriptor: Int32

    init(descriptor: Int32 = STDOUT_FILENO) { self.descriptor = descriptor }

    func apply(to events: inout EventList, tag: RouteTag, context: inout FilterContext) {
        var text: [UInt8] = []
        for index in 0..<events.count {
            let time = Timestamp(nanoseconds: events.times[index])
            text += "[\(index)] \(tag.text): [\(time.seconds)".utf8
            RecordTimeText.appendFraction(nanoseconds: events.times[index], digitCount: 9, to: &text)
            text += ", {}, ".utf8
            events.withMembers(of: index) { PrintedRecord.append($0, to: &text) }
            text += "]\n".utf8
        }
        self.write(text, &context)
    }

    private func write(_ text: [UInt8], _ context: inout FilterContext) {
        text.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = Glibc.write(
                    self.descriptor,
                    bytes.slice(done..<bytes.count).baseAddress,
                    bytes.count - done
                )
                if count > 0 {
                    done += count
                } else if count < 0, errno != EINTR {
                    // A reader that is gone or slow is no reason to hold events up.
                    if errno != EPIPE { context.warnings.append("standard output cannot be written") }
                    return
                }
            }
        }
    }
}
