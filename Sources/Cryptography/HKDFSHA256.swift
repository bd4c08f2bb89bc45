import COpenSSL

/// Keys out of a secret: HKDF with SHA-256 (RFC 5869), both of its steps.
public enum HKDFSHA256 {
    /// Bytes that may be asked for (RFC 5869, 2.3: 255 hashes). OpenSSL takes at most 1024 of salt and 2048 of `info`
    /// (EVP_PKEY_CTX_set_hkdf_md(3ssl), 3.0 and 3.2), and refuses an empty secret.
    public static let limit = 255 * 32

    /// `count` bytes for what `info` says.
    public static func derive(
        from secret: SecretBytes, salt: [UInt8], info: [UInt8], count: Int
    ) throws(CryptographyFailure) -> SecretBytes {
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nil) else { throw CryptographyFailure("derive a key") }
        defer { EVP_PKEY_CTX_free(context) }
        let isReady = secret.withBytes {
            EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_CTX_set_hkdf_md(context, EVP_sha256()) == 1
                && EVP_PKEY_CTX_set1_hkdf_salt(context, salt, Int32(salt.count)) == 1
                && EVP_PKEY_CTX_set1_hkdf_key(context, $0.baseAddress, Int32($0.count)) == 1
                && EVP_PKEY_CTX_add1_hkdf_info(context, info, Int32(info.count)) == 1
        }
        guard isReady, (1...limit).contains(count) else { throw CryptographyFailure("derive a key of \(count) bytes") }
        return try SecretBytes(
            count: count,
            fill: { place in
                var length = count
                return EVP_PKEY_derive(context, place, &length) == 1 && length == count
            }, else: "derive a key of \(count) bytes")
    }
}
