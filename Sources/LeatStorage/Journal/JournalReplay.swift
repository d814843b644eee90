internal import LeatCore

/// What lay in a journal file.
struct JournalReplay {
    /// The whole frames, in the order of the file.
    var frames: [JournalFrame] = []
    /// Where each of them begins, in bytes.
    var offsets: [Int] = []
    /// Stretches that hold no whole frame.
    var gaps: [Gap] = []

    struct Gap: Hashable {
        /// Offset in the file, in bytes.
        var offset: Int
        var byteCount: Int
        var reason: String
    }

    static let fileMagic = Array("LEATJRN1".utf8)

    /// Reads a whole journal file; never fails, since whatever is damaged becomes a gap.
    init(file: ByteSlice) {
        guard file.count >= Self.fileMagic.count, file[0..<Self.fileMagic.count].array == Self.fileMagic else {
            if file.count > 0 { self.scan(file, from: 0, because: "no journal header") }
            return
        }
        self.scan(file, from: Self.fileMagic.count, because: nil)
    }

    private mutating func scan(_ file: ByteSlice, from start: Int, because firstReason: String?) {
        var offset = start
        var gapStart: Int?
        var reason = firstReason ?? ""
        if firstReason != nil { gapStart = start }
        while offset < file.count {
            do {
                let (frame, byteCount) = try JournalFrame.read(file[offset..<file.count])
                if let begin = gapStart {
                    self.gaps.append(Gap(offset: begin, byteCount: offset - begin, reason: reason))
                    gapStart = nil
                }
                self.frames.append(frame)
                self.offsets.append(offset)
                offset += byteCount
            } catch {
                if gapStart == nil {
                    gapStart = offset
                    reason = error.reason
                }
                offset = Self.nextMagic(in: file, after: offset)
            }
        }
        if let begin = gapStart {
            self.gaps.append(Gap(offset: begin, byteCount: file.count - begin, reason: reason))
        }
    }

    /// The next place where a frame may begin, or the end of the file.
    ///
    /// Any place, not only multiples of the alignment: a byte may be missing before it.
    private static func nextMagic(in file: ByteSlice, after offset: Int) -> Int {
        let bytes = file.unsafeBytes
        defer { withExtendedLifetime(file) {} }
        var next = offset + 1
        while next + 4 <= bytes.count {
            if UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: next, as: UInt32.self)) == JournalFrame.magic {
                return next
            }
            next += 1
        }
        return file.count
    }
}
