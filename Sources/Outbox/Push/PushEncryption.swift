import Cryptography
import Foundation

/// Message encryption for Web Push (RFC 8291) over the encrypted content encoding `aes128gcm` (RFC 8188): only the browser
/// can read what its push service carries.
enum PushEncryption {
    /// The record size that is announced; the one record is shorter.
    private static let recordSize: UInt32 = 4096
    /// Bytes of text in one message: services must take 4096 bytes in all (RFC 8030, 7.2), of which header, tag and the
    /// delimiter of the padding take 103.
    static let textLimit = 3993

    /// Why a message cannot be made.
    enum Failure: Error, CustomStringConvertible {
        /// The browser's key is no point of the curve, or OpenSSL fails.
        case cryptography(CryptographyFailure)
        /// The text is too long, in bytes.
        case length(Int)
        /// The push service's address has no origin that a token can be made for.
        case endpoint

        var description: String {
            switch self {
            case .cryptography(let failure): failure.description
            case .length(let count): "a message of \(count) bytes; push services take \(textLimit)"
            case .endpoint: "its address is no https address"
            }
        }
    }

    /// A message for the browser with that key and secret. `salt` is new for each message, and so is `sender`;
    /// nil: it is made here.
    static func encrypt(
        _ text: Data, publicKey: Data, secret: Data, sender: P256Key?, salt: Data
    ) throws(Failure) -> Data {
        guard text.count <= textLimit else { throw .length(text.count) }
        do {
            let sender = if let sender { sender } else { try P256Key() }
            let own = try sender.point()
            // RFC 8291, 3.4: both keys are bound into the secret, after an info that ends in a zero byte.
            let input = try HKDFSHA256.derive(
                from: sender.agree(with: Array(publicKey)), salt: Array(secret),
                info: Array("WebPush: info\0".utf8) + publicKey + own, count: 32)
            return try seal(text, key: input, salt: salt, name: Data(own))
        } catch {
            throw .cryptography(error)
        }
    }

    /// One record of `aes128gcm` (RFC 8188, 2): header, then the text and the delimiter of the last record, sealed.
    static func seal(
        _ text: Data, key: SecretBytes, salt: Data, name: Data
    ) throws(CryptographyFailure) -> Data {
        func derive(_ info: String, _ count: Int) throws(CryptographyFailure) -> SecretBytes {
            try HKDFSHA256.derive(
                from: key, salt: Array(salt), info: Array("Content-Encoding: \(info)\0".utf8), count: count)
        }
        let sealed = try AES128GCM.seal(
            Array(text) + [2], key: derive("aes128gcm", AES128GCM.keyBytes),
            nonce: derive("nonce", AES128GCM.nonceBytes))
        let size = withUnsafeBytes(of: recordSize.bigEndian) { Data($0) }
        return salt + size + [UInt8(name.count)] + name + sealed
    }
}
