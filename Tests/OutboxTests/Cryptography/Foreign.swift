import COpenSSL
import Cryptography
import Testing

/// Hexadecimal digits as bytes; what stands between them is for the eye.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}

/// A key from its number alone (RFC 5915 without the public half, which is worked out by whoever reads it).
func key(scalar: some Collection<UInt8>) throws -> P256Key {
    let encoded = hex("30310201010420") + Array(scalar) + hex("a00a06082a8648ce3d030107")
    var text = [UInt8](repeating: 0, count: 128)
    let count = EVP_EncodeBlock(&text, encoded, Int32(encoded.count))
    let lines = String(decoding: text.prefix(Int(count)), as: UTF8.self)
    return try P256Key(pem: pem("EC PRIVATE KEY", lines))
}

/// Base64 in its frame.
func pem(_ name: String, _ lines: String) -> ArraySlice<UInt8> {
    var rest = lines[...]
    var text = "-----BEGIN \(name)-----\n"
    while !rest.isEmpty {
        text += rest.prefix(64) + "\n"
        rest = rest.dropFirst(64)
    }
    return Array((text + "-----END \(name)-----\n").utf8)[...]
}

/// Whether that is the signature (r, then s) of the point's owner, by other calls of OpenSSL than the product's.
func isGood(_ signature: [UInt8], of message: [UInt8], point: [UInt8]) throws -> Bool {
    try #require(signature.count == 64)
    let parsed = try #require(ECDSA_SIG_new())
    defer { ECDSA_SIG_free(parsed) }
    let r = BN_bin2bn(Array(signature[..<32]), 32, nil)
    let s = BN_bin2bn(Array(signature[32...]), 32, nil)
    try #require(ECDSA_SIG_set0(parsed, r, s) == 1)
    var encoded: UnsafeMutablePointer<UInt8>?
    let count = i2d_ECDSA_SIG(parsed, &encoded)
    defer { CRYPTO_free(encoded, #fileID, Int32(#line)) }
    let owner = try #require(EVP_PKEY_new())
    defer { EVP_PKEY_free(owner) }
    try P256Key().withHandle { try #require(EVP_PKEY_copy_parameters(owner, $0) == 1) }
    try #require(EVP_PKEY_set1_encoded_public_key(owner, point, point.count) == 1)
    let context = try #require(EVP_MD_CTX_new())
    defer { EVP_MD_CTX_free(context) }
    try #require(EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, owner) == 1)
    return EVP_DigestVerify(context, encoded, Int(count), message, message.count) == 1
}
