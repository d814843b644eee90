internal import Glibc
internal import LeatCore

extension RowFunctions {
    /// Digests, hashes and codings.
    static let digestMakers: [String: Maker] = [
        "crypto:md5": { call, _ in Self.digest(call) { Hexadecimal.text(MessageDigest.md5($0)) } },
        "crypto:sha1": { call, _ in Self.digest(call) { Hexadecimal.text(MessageDigest.sha1($0)) } },
        "crypto:sha256": { call, _ in Self.digest(call) { Hexadecimal.text(MessageDigest.sha256($0)) } },
        "hash": { call, _ in
            let limit = call.integer("limit").map { UInt64($0) }
            let seed = UInt64(truncatingIfNeeded: call.integer("seed") ?? 0)
            return Self.digest(call) { bytes in
                let hash = bytes.withUnsafeBytes { Digest.xxh3($0, seed: seed) }
                return Array(String(limit.map { hash % $0 } ?? hash).utf8)
            }
        },
        "tokenHash": { call, _ in
            Self.converted(call) { value in
                let hash = TextCase.tokenShape(value).withUnsafeBytes { Digest.xxh3($0) }
                return Array(String(hash, radix: 16).utf8)
            }
        },
        "shannonEntropy": { call, _ in Self.converted(call) { Self.entropy($0) } },
        "base64Encode": { call, _ in Self.converted(call) { Base64.encoded($0) } },
        "base64Decode": { call, _ throws(CallProblem) in
            let charset = try Charset(call)
            return Self.converted(call) { value in Base64.decoded(value).map { charset.utf8($0) } }
        },
        "urlEncode": { call, _ in Self.converted(call) { PercentCoding.encoded($0) } },
        "urlDecode": { call, _ in Self.converted(call) { Array(PercentCoding.decoded($0.text).utf8) } },
        "hashRewrite": { call, _ throws(CallProblem) in try Self.hashRewrite(call) },
    ]

    /// A function of the text of one field.
    private static func converted(
        _ call: BoundCall,
        _ convert: @escaping @Sendable (UnsafeRawBufferPointer) -> [UInt8]?
    ) -> RowFunctionKind {
        .function(ValueFunction([call.field("field")], as: call.outputName) { $0[0].flatMap(convert) })
    }

    /// A function of the values of several fields, end to end; events that have none of them are left alone.
    private static func digest(
        _ call: BoundCall,
        _ compute: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) -> RowFunctionKind {
        let fields = call.fields("field")
        return .function(
            ValueFunction(fields, as: call.outputName) { inputs in
                var bytes: [UInt8] = []
                var isPresent = false
                for index in fields.indices {
                    guard let value = inputs[index] else { continue }
                    isPresent = true
                    bytes.append(contentsOf: value)
                }
                return isPresent ? compute(bytes) : nil
            }
        )
    }

    /// Bits per character: the sum of -p log2 p over the characters of the text.
    private static func entropy(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        var counts: [Unicode.Scalar: Int] = [:]
        var total = 0.0
        for scalar in value.text.unicodeScalars {
            counts[scalar, default: 0] += 1
            total += 1
        }
        var entropy = 0.0
        // In the order of the characters, so that rounding is the same each time.
        for (_, count) in counts.sorted(by: { $0.key < $1.key }) {
            let share = Double(count) / total
            entropy -= share * log2(share)
        }
        var bytes: [UInt8] = []
        NumberText.append(entropy == 0 ? 0 : entropy, to: &bytes)
        return bytes
    }

    private static func hashRewrite(_ call: BoundCall) throws(CallProblem) -> RowFunctionKind {
        let hash = try SaltedHash(call)
        let field = call.text("field") ?? ""
        let target = call.text("as") ?? field
        let rewritesText = call.text("replaceInRawstring")?.lowercased() != "false"
        return .function(
            FieldsFunction([.field(field), .field("@rawstring")], outputs: [target], writesOtherNames: true) {
                inputs,
                outputs in
                guard let value = inputs[0] else { return }
                let hashed = hash.text(Array(value))
                outputs.set(0, to: hashed)
                if rewritesText, let raw = inputs.text(1), !value.isEmpty {
                    let replaced = raw.replacing(value.text, with: String(decoding: hashed, as: UTF8.self))
                    outputs.set(field: "@rawstring", to: replaced)
                }
            }
        )
    }
}

/// The hash of a value with a salt, cut to a number of bits, in base 64.
struct SaltedHash: Sendable {
    private let salt: [UInt8]
    private let byteCount: Int
    private let digest: @Sendable ([UInt8]) -> [UInt8]

    init(_ call: BoundCall) throws(CallProblem) {
        let name = call.text("hash")?.lowercased() ?? "sha256"
        switch name {
        case "sha256": self.digest = { MessageDigest.sha256($0) }
        case "sha512": self.digest = { MessageDigest.sha512($0) }
        default: throw call.problem("the hash '\(name)' is not known", of: "hash", hint: "it is sha256 or sha512")
        }
        let most = name == "sha512" ? 512 : 256
        guard let bits = call.integer("bits"), bits > 0, bits <= most, bits % 8 == 0 else {
            throw call.problem("'bits' is a multiple of 8 up to \(most)", of: "bits")
        }
        self.salt = Array((call.text("salt") ?? "").utf8)
        self.byteCount = bits / 8
    }

    func text(_ value: [UInt8]) -> [UInt8] {
        Base64.encoded(self.digest(self.salt + value).prefix(self.byteCount))
    }
}

extension TextCase {
    /// The shape of a text: runs of letters, digits and white space become one mark each.
    static func tokenShape(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        var shape: [UInt8] = []
        for byte in value {
            let isLetter = (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte >= 0x80
            let mark: UInt8 =
                isLetter || byte == UInt8(ascii: "_")
                ? UInt8(ascii: "a") : byte >= 48 && byte <= 57 ? UInt8(ascii: "0") : byte <= 0x20 ? 0x20 : byte
            let isRun = mark == UInt8(ascii: "a") || mark == UInt8(ascii: "0") || mark == 0x20
            if !(isRun && shape.last == mark) { shape.append(mark) }
        }
        return shape
    }
}
