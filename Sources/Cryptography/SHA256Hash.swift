import COpenSSL

/// SHA-256 (FIPS 180-4) of bytes that come piece by piece.
public final class SHA256Hash {
    private let context = EVP_MD_CTX_new()
    private var isSound: Bool

    /// Of nothing yet.
    public init() { isSound = EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 }

    deinit { EVP_MD_CTX_free(context) }

    /// The next bytes.
    public func add(_ bytes: [UInt8]) {
        isSound = isSound && EVP_DigestUpdate(context, bytes, bytes.count) == 1
    }

    /// The hash in 64 lower-case hexadecimal digits; nil: libcrypto refused. Nothing can be added behind it.
    public func finish() -> String? {
        var hash = [UInt8](repeating: 0, count: 32)
        guard isSound, EVP_DigestFinal_ex(context, &hash, nil) == 1 else { return nil }
        isSound = false
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: hash.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
