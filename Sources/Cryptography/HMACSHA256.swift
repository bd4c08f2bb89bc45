import COpenSSL

/// HMAC with SHA-256 (RFC 2104, FIPS 198-1).
public enum HMACSHA256 {
    /// Bytes of a code.
    public static let codeBytes = 32

    /// The code of `message` under `key`.
    public static func code(of message: [UInt8], key: SecretBytes) throws(CryptographyFailure) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: codeBytes)
        let isDone = key.withBytes {
            HMAC(EVP_sha256(), $0.baseAddress, Int32($0.count), message, message.count, &code, nil) != nil
        }
        guard isDone else { throw CryptographyFailure("make a code") }
        return code
    }
}
