internal import LeatCore
internal import LeatParsing

extension HTTPForm {
    /// `body_key` and `headers_key`: each event is a request, whose body is the text of one field and whose headers are the
    /// members of another.
    struct SingleBody {
        private let bodyPath: FieldPath
        private let headersPath: FieldPath

        /// Reads both keys; `nil` without them.
        init?(_ settings: Settings) throws(Diagnostics) {
            switch (settings.entries("body_key").last, settings.entries("headers_key").last) {
            case (nil, nil): return nil
            case (let body?, let headers?):
                self.bodyPath = try FilterText.path(body.value, body)
                self.headersPath = try FilterText.path(headers.value, headers)
            case (let entry?, nil): throw Diagnostics(entry.keyMark.diagnostic("body_key needs headers_key beside it"))
            case (nil, let entry?): throw Diagnostics(entry.keyMark.diagnostic("headers_key needs body_key beside it"))
            }
        }

        /// The members of the event's headers, without braces.
        func headerMembers(_ record: UnsafeRawBufferPointer) -> [UInt8] {
            guard let range = self.headersPath.find(in: record), record[range.lowerBound] == UInt8(ascii: "{") else {
                return []
            }
            return Array(record.slice(range.lowerBound + 1..<range.upperBound - 1))
        }

        /// Headers of members; names and values that would break the request are left out or mended.
        static func headers(_ members: UnsafeRawBufferPointer) -> [(name: String, value: String)] {
            var headers: [(name: String, value: String)] = []
            var scanner = MemberScanner(members)
            while let member = scanner.next() {
                let name = JSONText.unescaped(members.slice(member.name))
                guard !name.isEmpty, name.allSatisfy(Self.isToken) else { continue }
                if Self.connectionHeaders.contains(String(decoding: name, as: UTF8.self).lowercased()) { continue }
                var value: [UInt8] = []
                RecordTemplate.appendText(of: members.slice(member.value), to: &value)
                // A new line would begin another header.
                for index in value.indices where value[index] < 0x20 || value[index] == 0x7F {
                    value[index] = UInt8(ascii: " ")
                }
                headers.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
            }
            return headers
        }

        /// What says how the request itself is sent.
        private static let connectionHeaders: Set<String> = [
            "connection", "content-length", "host", "transfer-encoding",
        ]

        /// Whether a byte may stand in a header's name (RFC 9110, section 5.6.2).
        private static func isToken(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }

        /// Appends the event's body.
        func append(_ record: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
            guard let range = self.bodyPath.find(in: record) else { return }
            RecordTemplate.appendText(of: record.slice(range), to: &bytes)
        }

        /// Why an event is no request, as JSON.
        func fault(of record: UnsafeRawBufferPointer) -> [UInt8]? {
            guard let body = self.bodyPath.find(in: record), record[body.lowerBound] == UInt8(ascii: "\"") else {
                return OutputQueue.reasonText("missing_body", "the field of body_key is missing, or no text")
            }
            guard let headers = self.headersPath.find(in: record), record[headers.lowerBound] == UInt8(ascii: "{")
            else {
                return OutputQueue.reasonText("missing_headers", "the field of headers_key is missing, or no object")
            }
            return nil
        }
    }
}
