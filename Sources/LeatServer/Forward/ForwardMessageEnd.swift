internal import LeatCore
internal import LeatParsing

/// Finds where the first message of a connection's bytes ends; goes on where it stopped, so that a large message that
/// comes in many pieces is read once.
struct ForwardMessageEnd {
    private var at = 0
    /// Values still missing: of the message, then of each open array or map.
    private var missing = [1]

    /// The length of the first message of `bytes`, which begin with what they began with at the last call; `nil` when
    /// its end has not come yet.
    mutating func find(in bytes: UnsafeRawBufferPointer) throws(MessagePackReader.Failure) -> Int? {
        while let last = self.missing.last {
            if last == 0 {
                self.missing.removeLast()
                continue
            }
            guard let inner = try self.next(in: bytes) else { return nil }
            self.missing[self.missing.count - 1] -= 1
            guard inner > 0 else { continue }
            guard self.missing.count <= MessagePackReader.depthMax else {
                throw .malformed("too many arrays and maps inside each other")
            }
            self.missing.append(inner)
        }
        return self.at
    }

    /// Passes one value, or the head of an array or map; the number of values inside, `nil` when it is not whole.
    private mutating func next(in bytes: UnsafeRawBufferPointer) throws(MessagePackReader.Failure) -> Int? {
        var reader = MessagePackReader(bytes, at: self.at)
        var inner = 0
        do throws(MessagePackReader.Failure) {
            switch try reader.next() {
            case .array(let count): inner = count
            case .map(let count): inner = 2 * count
            default: break
            }
        } catch {
            if error == .incomplete { return nil }
            throw error
        }
        self.at = reader.offset
        return inner
    }
}
