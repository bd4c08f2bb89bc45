import CSodium

/// Random secrets and their hashes.
enum Secrets {
    /// Bytes of a device's token.
    static let tokenBytes = 32

    /// libsodium's generator: getrandom(2).
    static func random(_ count: Int) -> [UInt8] {
        _ = sodium_init()
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf(&bytes, count)
        return bytes
    }

    /// SHA-256. What is hashed here is random and long: it needs no slow hash.
    static func hash(_ text: some StringProtocol) -> [UInt8] { hash(bytes: Array(text.utf8)) }

    /// The same of bytes.
    static func hash(bytes: [UInt8]) -> [UInt8] {
        var hash = [UInt8](repeating: 0, count: Int(crypto_hash_sha256_BYTES))
        crypto_hash_sha256(&hash, bytes, UInt64(bytes.count))
        return hash
    }

    /// A token as the cookie carries it: hexadecimal.
    static func token() -> String { hexadecimal(random(tokenBytes)) }

    /// Two digits a byte.
    static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
