internal import Glibc
internal import LeatCore
internal import LeatParsing

/// Records as Fluent Bit prints them for people: `{"log"=>"hello", "code"=>7, "ratio"=>0.500000, "user"=>nil}`.
///
/// The texts stand as they are, without escapes; whoever needs to read the lines back asks for JSON.
enum PrintedRecord {
    /// Appends the members of a record in braces.
    static func append(_ members: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        var scanner = MemberScanner(members)
        var isFirst = true
        while let member = scanner.next() {
            if !isFirst { bytes.append(", ") }
            isFirst = false
            bytes.append(UInt8(ascii: "\""))
            JSONText.appendUnescaped(members.slice(member.name), to: &bytes)
            bytes.append("\"=>")
            Self.append(value: members.slice(member.value), to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private static func append(value: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        let contents = value.count >= 2 ? value.slice(1..<value.count - 1) : value
        switch value.first {
        case UInt8(ascii: "\""):
            bytes.append(UInt8(ascii: "\""))
            JSONText.appendUnescaped(contents, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        case UInt8(ascii: "{"): Self.append(contents, to: &bytes)
        case UInt8(ascii: "["):
            bytes.append(UInt8(ascii: "["))
            var scanner = MemberScanner(contents)
            var isFirst = true
            while let element = scanner.nextElement() {
                if !isFirst { bytes.append(", ") }
                isFirst = false
                Self.append(value: contents.slice(element), to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case UInt8(ascii: "n"): bytes.append("nil")
        case UInt8(ascii: "t"), UInt8(ascii: "f"): bytes.append(contentsOf: value)
        default: Self.append(number: value, to: &bytes)
        }
    }

    /// Whole numbers as they are, others with six places, as C's `%f` does.
    private static func append(number text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        let isWhole = text.allSatisfy { $0 != UInt8(ascii: ".") && $0 | 0x20 != UInt8(ascii: "e") }
        guard !isWhole, let number = Double(String(decoding: text, as: UTF8.self)) else {
            return bytes.append(contentsOf: text)
        }
        // The largest finite number has 309 digits before its point.
        var buffer = [CChar](repeating: 0, count: 320)
        let count = withVaList([number]) { vsnprintf(&buffer, buffer.count, "%f", $0) }
        bytes.append(contentsOf: buffer[..<Int(count)].map { UInt8(bitPattern: $0) })
    }
}
