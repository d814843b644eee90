internal import LeatCore

/// Turns lines of files in another encoding into UTF-8; one, and its memory, serves all files of an input.
///
/// What is no text in the encoding becomes `invalidMark`: whoever writes the event replaces, marks and counts it as any
/// byte that is no UTF-8.
final class LineDecoder {
    /// A byte that is in no UTF-8 text.
    static let invalidMark: UInt8 = 0xFF
    /// More memory than this is given back with the next line.
    private static let keptByteCountMax = 1 << 20

    private enum Form {
        case unicode
        case table(CharacterTable)
        case converter(CharacterConverter)
    }

    /// The encoding of all files; `nil` when each file tells its own.
    let encoding: FileEncoding?
    private let form: Form
    private var memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4 << 10)

    /// A decoder; `nil` when the C library lacks the conversion.
    init?(_ encoding: TextEncoding) {
        switch encoding {
        case .utf16(let order): (self.encoding, self.form) = (.utf16(order), .unicode)
        case .detected: (self.encoding, self.form) = (nil, .unicode)
        case .singleByte(let name):
            guard let table = CharacterTable(from: name) else { return nil }
            (self.encoding, self.form) = (.converted, .table(table))
        case .multiByte(let name):
            guard let converter = CharacterConverter(from: name) else { return nil }
            (self.encoding, self.form) = (.converted, .converter(converter))
        }
    }

    deinit { self.memory.deallocate() }

    /// The text of a line that lies at `offset` of a file, valid until the next call.
    ///
    /// A byte order mark at the file's beginning is no text. `isCut` says that the line goes on behind its last byte, which
    /// may be in the middle of a character, then left out.
    func text(
        of line: UnsafeRawBufferPointer,
        _ encoding: FileEncoding,
        at offset: UInt64,
        isCut: Bool = false
    ) -> UnsafeRawBufferPointer {
        switch encoding {
        case .utf8: return offset == 0 && line.starts(with: [0xEF, 0xBB, 0xBF]) ? line.slice(3..<line.count) : line
        case .utf16(let order):
            // The first half of a unit at an odd offset was read before, as part of another line.
            let units = line.slice(min(Int(offset & 1), line.count)..<line.count)
            let text = self.utf16(units, order, isCut: isCut)
            return offset == 0 && text.starts(with: [0xEF, 0xBB, 0xBF]) ? text.slice(3..<text.count) : text
        case .converted: return self.converted(line, isCut: isCut)
        }
    }

    private func utf16(
        _ units: UnsafeRawBufferPointer,
        _ order: TextEncoding.ByteOrder,
        isCut: Bool
    ) -> UnsafeRawBufferPointer {
        self.reserve(UTF16Text.utf8ByteCountMax(of: units.count))
        guard let target = self.memory.baseAddress else { return units }
        return self.written(UTF16Text.write(units, order, isCut: isCut, to: target))
    }

    private func converted(_ line: UnsafeRawBufferPointer, isCut: Bool) -> UnsafeRawBufferPointer {
        // Fast path: all these encodings contain ASCII.
        if ByteSearch.isASCII(line) { return line }
        switch self.form {
        case .unicode: return line
        case .table(let table):
            self.reserve(CharacterTable.utf8ByteCountMax(of: line.count))
            guard let target = self.memory.baseAddress else { return line }
            return self.written(table.write(line, to: target))
        case .converter(let converter):
            self.reserve(CharacterConverter.utf8ByteCountMax(of: line.count))
            return self.written(converter.write(line, isCut: isCut, to: self.memory))
        }
    }

    private func written(_ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(UnsafeMutableRawBufferPointer(self.memory)).slice(0..<count)
    }

    private func reserve(_ byteCount: Int) {
        let isTooLarge = self.memory.count > Self.keptByteCountMax && byteCount <= Self.keptByteCountMax
        guard byteCount > self.memory.count || isTooLarge else { return }
        self.memory.deallocate()
        self.memory = .allocate(capacity: max(4 << 10, byteCount))
    }
}
