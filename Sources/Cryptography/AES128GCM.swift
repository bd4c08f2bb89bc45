import COpenSSL

/// AES-128 in Galois/Counter Mode (NIST SP 800-38D), with nonces of 12 bytes and tags of 16.
public enum AES128GCM {
    /// Bytes of a key.
    public static let keyBytes = 16
    /// Bytes of a nonce: one for each message under the same key.
    public static let nonceBytes = 12
    /// Bytes of the tag behind what is sealed.
    public static let tagBytes = 16
    /// Bytes of text: what OpenSSL counts them with.
    public static let textLimit = Int(Int32.max) - tagBytes

    /// The text encrypted, and its tag.
    public static func seal(
        _ text: [UInt8], key: SecretBytes, nonce: SecretBytes
    ) throws(CryptographyFailure) -> [UInt8] {
        guard key.count == keyBytes, nonce.count == nonceBytes, text.count <= textLimit,
            let context = EVP_CIPHER_CTX_new()
        else { throw CryptographyFailure("seal \(text.count) bytes") }
        // Frees what it knows of the key overwritten (EVP_CIPHER_CTX_reset(3ssl)).
        defer { EVP_CIPHER_CTX_free(context) }
        var sealed = [UInt8](repeating: 0, count: text.count + tagBytes)
        let isDone = sealed.withUnsafeMutableBufferPointer { sealed in
            guard let place = sealed.baseAddress else { return false }
            var written: Int32 = 0
            var rest: Int32 = 0
            let isReady = key.withBytes { key in
                nonce.withBytes {
                    EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nil, key.baseAddress, $0.baseAddress) == 1
                }
            }
            return isReady && EVP_EncryptUpdate(context, place, &written, text, Int32(text.count)) == 1
                && EVP_EncryptFinal_ex(context, place + Int(written), &rest) == 1
                && Int(written + rest) == text.count
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes), place + text.count) == 1
        }
        guard isDone else { throw CryptographyFailure("seal \(text.count) bytes") }
        return sealed
    }
}
