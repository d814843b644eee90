internal import Glibc

/// A conversion of the C library (`iconv`) from an encoding of several bytes per character into UTF-8.
final class CharacterConverter {
    private let handle: iconv_t

    /// The conversion from an encoding of this name; `nil` when it is not installed.
    init?(from name: String) {
        guard let handle = iconv_open("UTF-8", name), handle != iconv_t(bitPattern: -1) else { return nil }
        self.handle = handle
    }

    deinit { iconv_close(self.handle) }

    /// Most bytes that `byteCount` bytes become: three for each, as half-width kana do.
    static func utf8ByteCountMax(of byteCount: Int) -> Int { byteCount * 3 }

    /// Writes what `bytes` say to `target`, with `LineDecoder.invalidMark` for what is no text; the number of bytes.
    ///
    /// `target` must have room for `utf8ByteCountMax`. What a cut left of a character at the end is left out when `isCut`
    /// says so.
    func write(
        _ bytes: UnsafeRawBufferPointer,
        isCut: Bool,
        to target: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        var done = 0
        var count = 0
        while done < bytes.count {
            let step = self.convert(bytes, from: done, to: target, from: count)
            done += step.consumed
            count += step.written
            guard let error = step.error else { break }
            precondition(error != E2BIG, "a character became more than three bytes for each of its own")
            if error == EINVAL, isCut { break }
            target[count] = LineDecoder.invalidMark
            count += 1
            done += error == EILSEQ ? self.invalidByteCount(bytes, at: done) : 1
        }
        return count + self.finish(target, from: count)
    }

    /// Writes a letter that was kept for an accent that may follow, and begins anew.
    private func finish(_ target: UnsafeMutableBufferPointer<UInt8>, from end: Int) -> Int {
        var output = target.baseAddress.map { UnsafeMutableRawPointer($0 + end).assumingMemoryBound(to: CChar.self) }
        var room = target.count - end
        iconv(self.handle, nil, nil, &output, &room)
        return target.count - end - room
    }

    private func convert(
        _ bytes: UnsafeRawBufferPointer,
        from start: Int,
        to target: UnsafeMutableBufferPointer<UInt8>,
        from end: Int
    ) -> (consumed: Int, written: Int, error: Int32?) {
        // The C library takes it as changeable, and does not change it.
        let source = UnsafeMutableRawBufferPointer(mutating: bytes).baseAddress
        var input = source.map { ($0 + start).assumingMemoryBound(to: CChar.self) }
        var inputCount = bytes.count - start
        var output = target.baseAddress.map { UnsafeMutableRawPointer($0 + end).assumingMemoryBound(to: CChar.self) }
        var room = target.count - end
        let result = iconv(self.handle, &input, &inputCount, &output, &room)
        let error = result == -1 ? errno : nil
        return (bytes.count - start - inputCount, target.count - end - room, error)
    }

    /// Number of bytes of something that is no character: a first byte takes a second one with it, unless that may be
    /// ASCII, so that no quote or brace is lost.
    private func invalidByteCount(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        guard index + 1 < bytes.count, bytes[index + 1] >= 0x80 else { return 1 }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4) { target in
            let alone = UnsafeRawBufferPointer(rebasing: bytes[index...index])
            defer { _ = self.finish(target, from: 0) }
            return self.convert(alone, from: 0, to: target, from: 0).error == EINVAL ? 2 : 1
        }
    }
}

/// What each byte of an encoding of one byte per character is in UTF-8.
struct CharacterTable {
    /// Per byte the bytes of its character, the first one lowest, and in the highest byte their number.
    private let entries: [UInt32]

    /// The table of an encoding of this name; `nil` when it is not installed.
    init?(from name: String) {
        guard let converter = CharacterConverter(from: name) else { return nil }
        var entries: [UInt32] = []
        for byte in UInt8.min...UInt8.max {
            // Each by itself: some conversions would combine a letter with the accent behind it.
            entries.append(Self.entry(byte, converter))
        }
        self.entries = entries
    }

    private static func entry(_ byte: UInt8, _ converter: CharacterConverter) -> UInt32 {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: CharacterConverter.utf8ByteCountMax(of: 1)) { target in
            let count = withUnsafeBytes(of: byte) { converter.write($0, isCut: false, to: target) }
            return (0..<count).reduce(UInt32(count) << 24) { $0 | UInt32(target[$1]) << (8 * UInt32($1)) }
        }
    }

    /// Most bytes that `byteCount` bytes become, and what a write of four at once needs behind them.
    static func utf8ByteCountMax(of byteCount: Int) -> Int { byteCount * 3 + 1 }

    /// Writes what `bytes` say to `target`, which must have room for `utf8ByteCountMax`; the number of bytes.
    func write(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int {
        var count = 0
        self.entries.withUnsafeBufferPointer { entries in
            for byte in bytes {
                let entry = entries[Int(byte)]
                target.storeBytes(of: entry.littleEndian, toByteOffset: count, as: UInt32.self)
                count += Int(entry >> 24)
            }
        }
        return count
    }
}
