internal import LeatCore
internal import LeatParsing

/// `Merge_Log` while a container's line is read: the object's members go into the record as they stand in the file.
///
/// Otherwise the line would be escaped into `log`, for the filter `kubernetes` to take the escapes out again. Lines that
/// need more than a copy are left to the filter, so that both ways give the same record.
struct EarlyMerge: Hashable, Sendable {
    /// Whether line ends behind texts are taken off (`Merge_Log_Trim`).
    let trims: Bool

    /// What is between the braces of an object that can be copied; `nil` when the filter must look at the line.
    ///
    /// `partialName` is the name of the member that says whether a line was whole.
    func members(of message: UnsafeRawBufferPointer, partialName: [UInt8]) -> Range<Int>? {
        guard message.count > 2, message[0] == UInt8(ascii: "{") else { return nil }
        do throws(JSONError) {
            var scanner = try JSONObjectScanner(message)
            let start = scanner.offset
            var isEmpty = true
            var names = NameSketch()
            while let member = try scanner.next() {
                if self.trims && member.valueHasEscapes { return nil }
                let name = message.slice(member.rawKey)
                if Self.isOwn(name, partialName) || names.insert(name) { return nil }
                isEmpty = false
            }
            guard !isEmpty, message.slice(scanner.offset..<message.count).trimmed.isEmpty else { return nil }
            // Between tokens it would end the line for some readers.
            guard message.firstIndex(ofByte: UInt8(ascii: "\r"), from: 0) == nil else { return nil }
            return start..<scanner.offset - 1
        } catch {
            return nil
        }
    }

    /// Whether a name is one that the record has or gets: one of the two must go.
    private static func isOwn(_ name: UnsafeRawBufferPointer, _ partialName: [UInt8]) -> Bool {
        switch name.count {
        case 4 where name.isEqual(to: "time"), 6 where name.isEqual(to: "stream"): true
        case 10 where name.isEqual(to: "kubernetes"): true
        case partialName.count: partialName.withUnsafeBytes { $0.elementsEqual(name) }
        default: false
        }
    }
}
