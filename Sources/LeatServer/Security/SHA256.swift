internal import COpenSSL

/// SHA-256 (FIPS 180-4) by OpenSSL.
enum SHA256 {
    /// The digest of `bytes` in lower-case hexadecimal.
    static func hexadecimal(_ bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let result = EVP_Digest(bytes, bytes.count, &digest, &count, EVP_sha256(), nil)
        precondition(result == 1 && count == 32, "OpenSSL has no SHA-256")
        return digest.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
