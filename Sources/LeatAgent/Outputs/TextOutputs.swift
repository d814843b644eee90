internal import Glibc
internal import LeatCore

/// `[OUTPUT] stdout`: prints events.
final class StdoutOutput: BatchSender {
    private let form: TextForm
    private let loop: EventLoop

    init(form: TextForm, loop: EventLoop) {
        self.form = form
        self.loop = loop
    }

    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8] {
        var bytes: [UInt8] = []
        self.form.append(chunk, items, to: &bytes)
        return bytes
    }

    func send(_ body: [UInt8], batch: OutputBatch, completion: @escaping (DeliveryResult) -> Void) {
        let result = TextOutputs.write(body[...], to: STDOUT_FILENO)
        self.loop.enqueue { completion(result) }
    }

    func close() {}
}

/// What outputs of text have in common.
enum TextOutputs {
    /// Writes all bytes.
    static func write(_ body: ArraySlice<UInt8>, to descriptor: Int32) -> DeliveryResult {
        body.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let rest = bytes.slice(done..<bytes.count)
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count >= 0 {
                    done += count
                } else if errno == EPIPE {
                    // Nobody reads any more; as everywhere, that is no error.
                    return .delivered
                } else if errno == EAGAIN {
                    // A pipe that somebody made non-blocking.
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wait, 1, 1_000)
                } else if errno != EINTR {
                    return .again(reason: "cannot write: \(PlainStream.reason(errno))")
                }
            }
            return .delivered
        }
    }
}
