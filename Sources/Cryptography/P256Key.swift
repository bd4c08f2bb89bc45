import COpenSSL

/// A private key on the curve P-256 with its public half, for agreement (ECDH) and signatures (ECDSA with SHA-256).
///
/// @unchecked Sendable: OpenSSL's keys may be used by several threads at once as long as none changes them
/// (openssl-threads(7ssl)), and nobody changes this one after it was made. It overwrites the key when it frees it.
public final class P256Key: @unchecked Sendable {
    /// Bytes of a point as it is written here: 4, then both coordinates (SEC 1, 2.3.3, uncompressed).
    public static let pointBytes = 65
    /// Bytes of a signature: r, then s, each 32 bytes (RFC 7518, 3.4).
    public static let signatureBytes = 64

    let handle: OpaquePointer

    init(owning handle: OpaquePointer) { self.handle = handle }

    /// A new one.
    public init() throws(CryptographyFailure) {
        var made: OpaquePointer?
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else { throw CryptographyFailure("make a key") }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
            EVP_PKEY_generate(context, &made) == 1, let made
        else { throw CryptographyFailure("make a key") }
        handle = made
    }

    deinit { EVP_PKEY_free(handle) }

    /// Lends OpenSSL's EVP_PKEY, for what else can be done with one; it is good inside of `body` only.
    public func withHandle<Result, Failure: Error>(
        _ body: (OpaquePointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(handle)
    }

    /// Whether these bytes are a point of the curve, with which a key could be agreed on.
    public static func isPoint(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == pointBytes, bytes.first == 4, let group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)
        else { return false }
        defer { EC_GROUP_free(group) }
        guard let point = EC_POINT_new(group) else { return false }
        defer { EC_POINT_free(point) }
        return EC_POINT_oct2point(group, point, bytes, bytes.count, nil) == 1
            && EC_POINT_is_on_curve(group, point, nil) == 1
    }

    /// The public half as a point.
    public func point() throws(CryptographyFailure) -> [UInt8] {
        var place: UnsafeMutablePointer<UInt8>?
        let count = EVP_PKEY_get1_encoded_public_key(handle, &place)
        guard count == Self.pointBytes, let place else { throw CryptographyFailure("write a point") }
        defer { CRYPTO_free(place, #fileID, Int32(#line)) }
        return Array(UnsafeBufferPointer(start: place, count: count))
    }

    /// What only the two key holders know: the x coordinate of the product (SEC 1, 3.3.1). A `point` that is not on the
    /// curve is refused, as it would give away bits of this key.
    public func agree(with point: [UInt8]) throws(CryptographyFailure) -> SecretBytes {
        let what = "agree with a key that is no point of the curve"
        guard point.count == Self.pointBytes, point.first == 4, let peer = EVP_PKEY_new() else {
            throw CryptographyFailure(what)
        }
        defer { EVP_PKEY_free(peer) }
        guard EVP_PKEY_copy_parameters(peer, handle) == 1,
            EVP_PKEY_set1_encoded_public_key(peer, point, point.count) == 1,
            let context = EVP_PKEY_CTX_new(handle, nil)
        else { throw CryptographyFailure(what) }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_derive_init(context) == 1, EVP_PKEY_derive_set_peer(context, peer) == 1 else {
            throw CryptographyFailure(what)
        }
        return try SecretBytes(
            count: 32,
            fill: { place in
                var count = 32
                return EVP_PKEY_derive(context, place, &count) == 1 && count == 32
            }, else: what)
    }

    /// A signature of SHA-256 over `message`.
    public func sign(_ message: [UInt8]) throws(CryptographyFailure) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw CryptographyFailure("sign") }
        defer { EVP_MD_CTX_free(context) }
        // As DER it takes at most 72 bytes: two numbers of 33 with two bytes each, and two for the sequence.
        var encoded = [UInt8](repeating: 0, count: 72)
        var count = encoded.count
        guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, handle) == 1,
            EVP_DigestSign(context, &encoded, &count, message, message.count) == 1
        else { throw CryptographyFailure("sign") }
        return try Self.plain(encoded, count)
    }

    /// The two numbers of a signature side by side.
    private static func plain(_ encoded: [UInt8], _ count: Int) throws(CryptographyFailure) -> [UInt8] {
        let signature = encoded.withUnsafeBufferPointer {
            var start = $0.baseAddress
            return d2i_ECDSA_SIG(nil, &start, count)
        }
        guard let signature else { throw CryptographyFailure("read its own signature") }
        defer { ECDSA_SIG_free(signature) }
        var plain = [UInt8](repeating: 0, count: signatureBytes)
        let isWritten = plain.withUnsafeMutableBufferPointer {
            guard let place = $0.baseAddress else { return false }
            return BN_bn2binpad(ECDSA_SIG_get0_r(signature), place, 32) == 32
                && BN_bn2binpad(ECDSA_SIG_get0_s(signature), place + 32, 32) == 32
        }
        guard isWritten else { throw CryptographyFailure("write a signature") }
        return plain
    }
}
