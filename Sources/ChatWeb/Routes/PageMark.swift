import Cryptography
import HTTPTypes
import Hummingbird

/// By which tunnel-worker tells this machine's page from another's, whose files are the same: a random value of this run of
/// chat-bridge, which nobody is told. Who asks for the canary with a nonce gets the nonce's code under that value.
struct PageMark: Sendable {
    /// tunnel-worker's canary (Tunnel, ChatDoor): the one file that is asked so.
    static let path = "/page.webmanifest"
    /// Hexadecimal digits of a nonce, no more and no fewer: the value is used for nothing else, and on nothing longer.
    static let nonceDigits = 32

    private let value = SecretBytes(Secrets.random(32))

    /// The answer with the mark, where one was asked for. It is good for this question alone, so nobody keeps it.
    func seal(_ answer: Response, _ path: String, _ request: Request) -> Response {
        guard path == Self.path, let nonce = request.headers[.nexusNonce], let mark = code(of: nonce) else {
            return answer
        }
        var answer = answer
        answer.headers[.nexusMark] = mark
        answer.headers[.cacheControl] = "no-store"
        return answer
    }

    /// Nil: that is no nonce.
    func code(of nonce: String) -> String? {
        let bytes = Array(nonce.utf8)
        guard bytes.count == Self.nonceDigits, bytes.allSatisfy(Self.isDigit) else { return nil }
        return (try? HMACSHA256.code(of: bytes, key: value)).map(Secrets.hexadecimal)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

extension HTTPField.Name {
    /// A question of tunnel-worker's.
    static let nexusNonce = HTTPField.Name("X-Nexus-Nonce").unsafelyNamed
    /// The answer to it.
    static let nexusMark = HTTPField.Name("X-Nexus-Mark").unsafelyNamed
}
