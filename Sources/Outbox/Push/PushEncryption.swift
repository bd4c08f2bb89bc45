import Crypto
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
    enum Failure: Error {
        /// The browser's key is no point of the curve.
        case key
        /// The text is too long.
        case length
    }

    /// A message for the browser with that key and secret. `sender` and `salt` are new for each message.
    static func encrypt(
        _ text: Data, publicKey: Data, secret: Data, sender: P256.KeyAgreement.PrivateKey, salt: Data
    ) throws -> Data {
        guard text.count <= textLimit else { throw Failure.length }
        guard let receiver = try? P256.KeyAgreement.PublicKey(x963Representation: publicKey) else { throw Failure.key }
        let own = sender.publicKey.x963Representation
        // RFC 8291, 3.4: both keys are bound into the secret, after an info that ends in a zero byte.
        let input = try sender.sharedSecretFromKeyAgreement(with: receiver).hkdfDerivedSymmetricKey(
            using: SHA256.self, salt: secret, sharedInfo: Data("WebPush: info\0".utf8) + publicKey + own,
            outputByteCount: 32)
        return try seal(text, key: input, salt: salt, name: own)
    }

    /// One record of `aes128gcm` (RFC 8188, 2): header, then the text and the delimiter of the last record, sealed.
    static func seal(_ text: Data, key: SymmetricKey, salt: Data, name: Data) throws -> Data {
        let derive = { (info: String, count: Int) in
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: key, salt: salt, info: Data("Content-Encoding: \(info)\0".utf8),
                outputByteCount: count)
        }
        let nonce = try derive("nonce", 12).withUnsafeBytes { try AES.GCM.Nonce(data: $0) }
        let sealed = try AES.GCM.seal(text + [2], using: derive("aes128gcm", 16), nonce: nonce)
        let size = withUnsafeBytes(of: recordSize.bigEndian) { Data($0) }
        return salt + size + [UInt8(name.count)] + name + sealed.ciphertext + sealed.tag
    }
}
