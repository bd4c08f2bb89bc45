import COpenSSL
import Cryptography
import Foundation
import Testing

@testable import Outbox

/// The examples of the RFCs, byte for byte.
@Suite(.timeLimit(.minutes(1))) struct EncryptionVectorTests {
    private func bytes(_ text: String) throws -> Data { try #require(Base64URL.bytes(text)) }

    /// RFC 8188, 3.1.
    @Test func oneRecord_isThatOfRFC8188() throws {
        let sealed = try PushEncryption.seal(
            Data("I am the walrus".utf8), key: SecretBytes(bytes("yqdlZ-tYemfogSmv7Ws5PQ")),
            salt: bytes("I1BsxtFttlv3u_Oo94xnmw"), name: Data())
        #expect(
            Base64URL.text(sealed) == "I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg")
    }

    /// RFC 8291, 5 and appendix A.
    @Test func message_isThatOfRFC8291() throws {
        let message = try PushEncryption.encrypt(
            Data("When I grow up, I want to be a watermelon".utf8),
            publicKey: bytes(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
            secret: bytes("BTBZMqHH6r4Tts7J_aSIgg"),
            sender: key(scalar: bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")),
            salt: bytes("DGv6ra1nlYgDCS1FRnbzlw"))
        #expect(
            Base64URL.text(message)
                == "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vC"
                + "YLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxs"
                + "j_Qulcy4a-fN")
    }

    /// The token of RFC 8292, 2.4, is good under the same check as ours.
    @Test func token_ofRFC8292_andOurs_areGood() throws {
        let theirs =
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN"
            + "1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazN"
            + "jjvW2L9OkSSHzvoD1oA"
        let claims = try claims(
            theirs, key: "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs")
        #expect(claims["aud"] as? String == "https://push.example.net")

        let service = PushService(
            key: try PushKey(P256Key()), contact: "mailto:owner@example.invalid", mayBePrivate: false)
        let now = Date(timeIntervalSince1970: 1_700_000_000)
        let header = try service.authorization(for: "https://push.example.net:8443/a?b", at: now)
        let words = try #require(header.wholeMatch(of: #/vapid t=([^,]+), k=(.+)/#))
        let own = try self.claims(String(words.1), key: String(words.2))
        #expect(own["aud"] as? String == "https://push.example.net:8443")
        #expect(own["sub"] as? String == "mailto:owner@example.invalid")
        let end = try #require(own["exp"] as? Int)
        #expect((1_700_000_001...1_700_086_400).contains(end), "services refuse more than a day")
    }

    private func claims(_ token: String, key: String) throws -> [String: Any] {
        let parts = token.split(separator: ".").map(String.init)
        try #require(parts.count == 3)
        let isGood = try isGood(
            Array(bytes(parts[2])), of: Array("\(parts[0]).\(parts[1])".utf8), point: Array(bytes(key)))
        #expect(isGood)
        return try #require(try JSONSerialization.jsonObject(with: bytes(parts[1])) as? [String: Any])
    }

    @Test func longestText_fits4096Bytes_longerIsRefused() throws {
        let receiver = try Data(P256Key().point())
        func size(_ count: Int) throws -> Int {
            try PushEncryption.encrypt(
                Data(count: count), publicKey: receiver, secret: Data(count: 16),
                sender: nil, salt: Data(count: 16)
            ).count
        }
        #expect(try size(PushEncryption.textLimit) == 4096)
        #expect(throws: PushEncryption.Failure.self) { try size(PushEncryption.textLimit + 1) }
    }

    @Test func keyThatIsNoPoint_isRefused() {
        #expect(throws: PushEncryption.Failure.self) {
            try PushEncryption.encrypt(
                Data("x".utf8), publicKey: Data([4] + [UInt8](repeating: 7, count: 64)), secret: Data(count: 16),
                sender: nil, salt: Data(count: 16))
        }
    }
}
