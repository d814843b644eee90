internal import COpenSSL

/// SHA-512 (FIPS 180-4) by the system's OpenSSL, which the forward protocol asks for.
enum SHA512 {
    /// The digest as lower-case hexadecimal digits.
    static func hexadecimal(_ bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: 64)
        var count: UInt32 = 0
        let result = EVP_Digest(bytes, bytes.count, &digest, &count, EVP_sha512(), nil)
        precondition(result == 1 && count == 64, "OpenSSL has no SHA-512")
        return SHA256.digits(digest)
    }
}
