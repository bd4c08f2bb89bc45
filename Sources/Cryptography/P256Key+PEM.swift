import COpenSSL

/// Keys as text: PKCS #8 in PEM, as openssl genpkey(1) writes it.
extension P256Key {
    /// Reads that, or the older form for the curve alone (RFC 5915). Anything else is refused: other curves, keys without
    /// their private half, keys under a password (nobody is asked for one), a public half that belongs to another.
    public convenience init(pem: ArraySlice<UInt8>) throws(CryptographyFailure) {
        let what = "read a key of P-256"
        guard let memory = pem.withUnsafeBytes({ BIO_new_mem_buf($0.baseAddress, Int32($0.count)) }) else {
            throw CryptographyFailure(what)
        }
        defer { BIO_free(memory) }
        // Without a callback OpenSSL asks on the terminal.
        guard let read = PEM_read_bio_PrivateKey(memory, nil, { _, _, _, _ in -1 }, nil) else {
            throw CryptographyFailure(what)
        }
        self.init(owning: read)
        var name = [CChar](repeating: 0, count: 32)
        guard EVP_PKEY_get_group_name(read, &name, name.count, nil) == 1,
            OBJ_txt2nid(name) == NID_X9_62_prime256v1,
            let context = EVP_PKEY_CTX_new(read, nil)
        else { throw CryptographyFailure(what) }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_check(context) == 1 else { throw CryptographyFailure(what) }
    }

    /// The private key. OpenSSL overwrites its own copy; the caller should do so too.
    public func pem() throws(CryptographyFailure) -> SecretBytes {
        guard let memory = BIO_new(BIO_s_secmem()) else { throw CryptographyFailure("write a key") }
        defer { BIO_free(memory) }
        guard PEM_write_bio_PrivateKey(memory, handle, nil, nil, 0, nil, nil) == 1 else {
            throw CryptographyFailure("write a key")
        }
        let count = BIO_ctrl_pending(memory)
        return try SecretBytes(
            count: count, fill: { BIO_read(memory, $0, Int32(count)) == Int32(count) }, else: "write a key")
    }
}
