internal import COpenSSL

/// SHA-256 (FIPS 180-4) and the HMAC made of it (RFC 2104), by the system's OpenSSL.
enum SHA256 {
    /// The digest as lower-case hexadecimal digits.
    static func hexadecimal(_ bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let result = EVP_Digest(bytes, bytes.count, &digest, &count, EVP_sha256(), nil)
        precondition(result == 1 && count == 32, "OpenSSL has no SHA-256")
        return Self.digits(digest)
    }

    /// The keyed digest of a text.
    static func hmac(_ text: String, key: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let bytes = Array(text.utf8)
        let result = HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, &digest, &count)
        precondition(result != nil && count == 32, "OpenSSL has no HMAC of SHA-256")
        return digest
    }

    /// Bytes as lower-case hexadecimal digits.
    static func digits(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
