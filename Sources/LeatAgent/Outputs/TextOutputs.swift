internal import Glibc
internal import LeatCore

/// `[OUTPUT] stdout` and `file`: writes events as lines to a descriptor.
final class TextOutput: BatchSender {
    /// How an event becomes a line.
    enum Form: Hashable {
        /// `[0] tag: [1700000000.123456789, {"log":"…"}]`, as Fluent Bit prints.
        case message
        /// `tag: [1700000000.123456789, {"log":"…"}]`, as Fluent Bit's file output writes.
        case out
        /// One object a line with the time as `date`.
        case jsonLines
        /// The record alone.
        case plain
    }

    private let form: Form
    private let descriptor: Int32
    private let loop: EventLoop
    private let ownsDescriptor: Bool

    init(form: Form, descriptor: Int32, ownsDescriptor: Bool, loop: EventLoop) {
        self.form = form
        self.descriptor = descriptor
        self.ownsDescriptor = ownsDescriptor
        self.loop = loop
    }

    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8] {
        var bytes: [UInt8] = []
        var number = 0
        chunk.forEachEvent(in: items) { event, record in
            self.append(event, record, number: number, to: &bytes)
            number += 1
        }
        return bytes
    }

    private func append(_ event: ChunkEvent, _ record: UnsafeRawBufferPointer, number: Int, to bytes: inout [UInt8]) {
        let time = Timestamp(nanoseconds: event.time)
        switch self.form {
        case .message, .out:
            if self.form == .message {
                bytes.append(contentsOf: "[\(number)] ".utf8)
            }
            bytes.append(contentsOf: event.head.tag)
            bytes.append(contentsOf: ": [\(time.seconds)".utf8)
            TimeText.appendFraction(nanoseconds: event.time, digitCount: 9, to: &bytes)
            bytes.append(", {")
            bytes.append(contentsOf: record)
            bytes.append("}]\n")
        case .jsonLines:
            bytes.append(contentsOf: "{\"date\":\(time.seconds)".utf8)
            TimeText.appendFraction(nanoseconds: event.time, digitCount: 6, to: &bytes)
            bytes.append(record.isEmpty ? "" : ",")
            bytes.append(contentsOf: record)
            bytes.append("}\n")
        case .plain:
            bytes.append(UInt8(ascii: "{"))
            bytes.append(contentsOf: record)
            bytes.append("}\n")
        }
    }

    func send(_ body: [UInt8], batch: OutputBatch, completion: @escaping (DeliveryResult) -> Void) {
        let result = self.write(body)
        self.loop.enqueue { completion(result) }
    }

    private func write(_ body: [UInt8]) -> DeliveryResult {
        body.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let rest = bytes.slice(done..<bytes.count)
                let count = Glibc.write(self.descriptor, rest.baseAddress, rest.count)
                if count >= 0 {
                    done += count
                } else if errno == EPIPE {
                    // Nobody reads any more; as everywhere, that is no error.
                    return .delivered
                } else if errno != EINTR {
                    return .again(reason: "cannot write: \(PlainStream.reason(errno))")
                }
            }
            return .delivered
        }
    }

    func close() {
        if self.ownsDescriptor { _ = Glibc.close(self.descriptor) }
    }
}

/// `[OUTPUT] null` and `counter`: take events without a chunk.
final class DirectOutput {
    let name: String
    let counters = OutputCounters()
    /// Prints the number of events, if at all.
    private let prints: Bool
    private let loop: EventLoop

    init(name: String, prints: Bool, loop: EventLoop) {
        self.name = name
        self.prints = prints
        self.loop = loop
    }

    /// Takes the events of one read.
    func take(_ events: EventList) {
        self.counters.acceptedEvents += UInt64(events.count)
        self.counters.deliveredEvents += UInt64(events.count)
        self.counters.deliveredBytes += UInt64(events.openStart)
        guard self.prints else { return }
        let line = Array(
            "\(self.loop.time.now().seconds),\(events.count) (total = \(self.counters.deliveredEvents))\n".utf8
        )
        _ = Glibc.write(STDOUT_FILENO, line, line.count)
    }
}
