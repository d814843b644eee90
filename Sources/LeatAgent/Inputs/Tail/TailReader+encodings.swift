internal import LeatCore

// MARK: - Files that are not UTF-8

extension TailReader {
    /// Takes the whole lines of `bytes` from `start` on; the number of bytes taken.
    func takeEncodedLines(
        _ bytes: UnsafeRawBufferPointer,
        from start: Int,
        _ file: TailFile,
        _ shaper: inout LineShaper,
        by decoder: LineDecoder,
        now: Moment,
        into events: inout EventList
    ) -> Int {
        let part = bytes.slice(start..<bytes.count)
        let base = file.state.offset
        var place = Self.place(base, file, now)
        if case .utf16(let order) = file.encoding {
            var splitter = UTF16LineSplitter(part, order, offset: base)
            while let range = splitter.next() {
                place.offset = base + UInt64(range.lowerBound)
                let text = decoder.text(of: part.slice(range), file.encoding, at: place.offset)
                self.take(part.slice(range), text, at: place, file, &shaper, into: &events)
            }
            return splitter.rest.lowerBound
        }
        var splitter = LineSplitter(part)
        while let range = splitter.next() {
            place.offset = base + UInt64(range.lowerBound)
            let text = decoder.text(of: part.slice(range), file.encoding, at: place.offset)
            self.take(part.slice(range), text, at: place, file, &shaper, into: &events)
        }
        return splitter.rest.lowerBound
    }

    /// Notes the encoding of a file; where the beginning must tell it, that is what comes behind a hole.
    static func findEncoding(of file: TailFile, _ decoder: LineDecoder) throws(FileSystemError) {
        if let encoding = decoder.encoding {
            (file.encoding, file.isEncodingKnown) = (encoding, true)
            return
        }
        let window = UnsafeMutableRawBufferPointer.allocate(byteCount: FileEncoding.detectionByteCount, alignment: 16)
        defer { window.deallocate() }
        var offset: UInt64 = 0
        while true {
            let count = try file.file.read(at: offset, into: window)
            let start = UnsafeRawBufferPointer(rebasing: window[..<count])
            let hole = (start.firstIndex { $0 != 0 } ?? count) & ~1
            if hole == 0 || count == 0 {
                (file.encoding, file.isEncodingKnown) = FileEncoding.detect(start)
                return
            }
            offset += UInt64(hole)
        }
    }
}
