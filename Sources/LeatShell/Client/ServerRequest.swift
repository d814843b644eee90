internal import LeatCore

/// A request to the server, before the connection adds its own headers.
struct ServerRequest: Sendable {
    enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    var method: Method
    /// Path and query, percent-encoded, from `/`.
    var path: String
    var headers: [(String, String)] = []
    var body: [UInt8] = []

    /// Whether sending it twice does what sending it once does.
    var isRepeatable: Bool { self.method == .get || self.method == .put || self.method == .patch }

    init(_ method: Method, _ path: String, headers: [(String, String)] = [], body: [UInt8] = []) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
    }

    /// The path of something with a name below that of all of its kind.
    ///
    /// - Throws: For an empty name, with which the path would be that of all.
    static func path(_ all: String, _ name: String) throws(CommandError) -> String {
        guard !name.isEmpty else { throw CommandError(.usage, "the name is empty") }
        return "\(all)/\(Self.encoded(name))"
    }

    /// A part of a path in which everything but letters, digits and `-._~` is percent-encoded.
    static func encoded(_ part: String) -> String {
        var result = ""
        for byte in part.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }
}

/// Status and headers of an answer; header names are in lower case.
struct ServerReplyHead: Sendable {
    var status: Int
    var headers: [String: String]
}

/// A whole answer.
struct ServerReply: Sendable {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]

    /// The body as text.
    var text: String { String(decoding: self.body, as: UTF8.self) }

    /// The body as JSON.
    func json() throws -> JSONValue {
        do {
            return try self.body.withUnsafeBytes { try JSONValue($0) }
        } catch {
            throw CommandError(.serverUnreachable, "the server's answer is not JSON: \(error)")
        }
    }
}
