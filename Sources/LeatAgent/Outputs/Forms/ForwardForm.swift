internal import LeatCore
internal import LeatParsing

/// Messages of the output `forward`: PackedForward, one for each run of events of one tag.
struct ForwardForm {
    /// Instead of the route tag.
    var tag: RecordTemplate?
    /// Whether each message asks for an acknowledgement.
    var wantsAcks = true
    /// Whether the number of events is told.
    var sendsOptions = false
    var compresses = false
    var hasWholeSeconds = false
    /// Further options.
    var options: [(name: String, value: String)] = []

    /// The messages of some events, one behind the other.
    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8] {
        var bytes: [UInt8] = []
        var tag: [UInt8] = []
        var entries: [UInt8] = []
        var count = 0
        var firstNumber = 0
        chunk.forEachEvent(in: items) { event, record in
            let own = self.tag(event, record)
            if count > 0, own != tag {
                let place = ForwardPlace(chunk: chunk.number, createdAt: chunk.createdAtNanoseconds, event: firstNumber)
                self.append(tag, entries, count, place, to: &bytes)
                entries.removeAll(keepingCapacity: true)
                count = 0
            }
            if count == 0 { firstNumber = event.number }
            tag = own
            MessagePackWriter.append(array: 2, to: &entries)
            MessagePackWriter.append(time: event.time, asInteger: self.hasWholeSeconds, to: &entries)
            MessagePackWriter.append(members: record, to: &entries)
            count += 1
        }
        if count > 0 {
            let place = ForwardPlace(chunk: chunk.number, createdAt: chunk.createdAtNanoseconds, event: firstNumber)
            self.append(tag, entries, count, place, to: &bytes)
        }
        return bytes
    }

    private func tag(_ event: ChunkEvent, _ record: UnsafeRawBufferPointer) -> [UInt8] {
        guard let template = self.tag else { return event.head.tag }
        var text: [UInt8] = []
        template.append(to: &text, tag: event.head.tag, members: record)
        return text
    }

    /// Where a message's events come from, so that its id is the same whenever it is sent.
    private struct ForwardPlace {
        let chunk: UInt64
        let createdAt: Int64
        let event: Int
    }

    private func append(
        _ tag: [UInt8],
        _ entries: [UInt8],
        _ count: Int,
        _ place: ForwardPlace,
        to bytes: inout [UInt8]
    ) {
        MessagePackWriter.append(array: 3, to: &bytes)
        MessagePackWriter.append(text: tag, to: &bytes)
        let packed = self.compresses ? entries.withUnsafeBytes { Deflate.gzip($0) } : entries
        MessagePackWriter.append(binary: packed, to: &bytes)
        let tellsSize = self.sendsOptions || self.wantsAcks
        let optionCount =
            (tellsSize ? 2 : 0) + (self.wantsAcks ? 1 : 0) + (self.compresses ? 1 : 0) + self.options.count
        MessagePackWriter.append(map: optionCount, to: &bytes)
        if tellsSize {
            MessagePackWriter.append(text: "size", to: &bytes)
            MessagePackWriter.append(integer: Int64(count), to: &bytes)
            // 0 for logs, as Fluent Bit tells logs from metrics and traces.
            MessagePackWriter.append(text: "fluent_signal", to: &bytes)
            MessagePackWriter.append(integer: 0, to: &bytes)
        }
        if self.wantsAcks {
            MessagePackWriter.append(text: "chunk", to: &bytes)
            MessagePackWriter.append(text: Self.id(place, entries), to: &bytes)
        }
        if self.compresses {
            MessagePackWriter.append(text: "compressed", to: &bytes)
            MessagePackWriter.append(text: "gzip", to: &bytes)
        }
        for option in self.options {
            MessagePackWriter.append(text: option.name, to: &bytes)
            MessagePackWriter.append(text: option.value, to: &bytes)
        }
    }

    private static func id(_ place: ForwardPlace, _ entries: [UInt8]) -> String {
        var bytes = entries
        bytes.appendInteger(place.chunk)
        bytes.appendInteger(place.createdAt)
        bytes.appendInteger(place.event)
        let digest = bytes.withUnsafeBytes { Digest.xxh128($0) }
        var id: [UInt8] = []
        id.appendInteger(digest.high)
        id.appendInteger(digest.low)
        return Base64.text(id)
    }

    /// The ids of the messages in a body.
    static func ids(of body: [UInt8]) -> Set<String> {
        ByteSlice(body).withUnsafeBytes { bytes in
            var ids: Set<String> = []
            var reader = MessagePackReader(bytes)
            do throws(MessagePackReader.Failure) {
                while !reader.isAtEnd {
                    _ = try reader.array()
                    _ = try reader.text()
                    try reader.skip()
                    guard case .map(let count) = try reader.next() else { break }
                    for _ in 0..<count {
                        if try reader.text() == "chunk" { ids.insert(try reader.text()) } else { try reader.skip() }
                    }
                }
            } catch {
                preconditionFailure("our own message cannot be read: \(error)")
            }
            return ids
        }
    }
}
