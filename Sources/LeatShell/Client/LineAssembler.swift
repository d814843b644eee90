internal import Glibc

/// Cuts bytes that arrive in pieces into lines; only a line that lies in two pieces is copied.
struct LineAssembler {
    private var tail: [UInt8] = []

    /// Calls `body` with every line that is complete now, without its newline.
    mutating func add(_ piece: UnsafeRawBufferPointer, body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        var rest = piece
        while let base = rest.baseAddress, let found = memchr(base, 0x0A, rest.count) {
            let length = base.distance(to: UnsafeRawPointer(found))
            let line = UnsafeRawBufferPointer(rebasing: rest[..<length])
            rest = UnsafeRawBufferPointer(rebasing: rest[(length + 1)...])
            if self.tail.isEmpty {
                try body(line)
            } else {
                self.tail.append(contentsOf: line)
                try self.tail.withUnsafeBytes(body)
                self.tail.removeAll(keepingCapacity: true)
            }
        }
        self.tail.append(contentsOf: rest)
    }

    /// Calls `body` with what is left when no newline ended it.
    mutating func finish(body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        guard !self.tail.isEmpty else { return }
        try self.tail.withUnsafeBytes(body)
        self.tail.removeAll()
    }
}
