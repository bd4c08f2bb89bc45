import COpenSSL
import Cryptography
import Testing

/// Keys on P-256: as text, for agreement, for signatures.
@Suite(.timeLimit(.minutes(1))) struct KeyTests {
    @Test func keyAsText_isTheSameAgain() throws {
        let key = try P256Key()
        let text = try key.pem().withBytes { Array($0) }
        #expect(String(decoding: text, as: UTF8.self).hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        #expect(try P256Key(pem: text[...]).point() == key.point())
    }

    @Test func textThatIsNoKeyOfP256_isRefused() throws {
        let text = try P256Key().pem().withBytes { Array($0) }
        let bad: [(String, ArraySlice<UInt8>)] = [
            ("nothing", []), ("no PEM", Array("nonsense".utf8)[...]), ("cut off", text.prefix(100)),
            ("another curve", try foreign { EVP_PKEY_CTX_set_group_name($0, "P-384") == 1 }),
            ("under a password", try foreign(password: "x") { EVP_PKEY_CTX_set_group_name($0, "P-256") == 1 }),
        ]
        for (what, text) in bad {
            #expect(throws: CryptographyFailure.self, "\(what)") { try P256Key(pem: text) }
        }
        #expect(ERR_peek_error() == 0, "a failure leaves none for the next")
        // 0 and the number of points are no keys (SEC 1, 3.2.1).
        #expect(throws: CryptographyFailure.self) { try key(scalar: [UInt8](repeating: 0, count: 32)) }
        #expect(throws: CryptographyFailure.self) {
            try key(scalar: hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"))
        }
    }

    private func foreign(password: String? = nil, _ set: (OpaquePointer) -> Bool) throws -> ArraySlice<UInt8> {
        let context = try #require(EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil))
        defer { EVP_PKEY_CTX_free(context) }
        var made: OpaquePointer?
        try #require(EVP_PKEY_keygen_init(context) == 1 && set(context) && EVP_PKEY_generate(context, &made) == 1)
        defer { EVP_PKEY_free(made) }
        let memory = try #require(BIO_new(BIO_s_mem()))
        defer { BIO_free(memory) }
        let cipher = password == nil ? nil : EVP_aes_256_cbc()
        let word = password.map { Array($0.utf8) }
        try #require(
            PEM_write_bio_PrivateKey(memory, made, cipher, word, Int32(word?.count ?? 0), nil, nil) == 1)
        var text = [UInt8](repeating: 0, count: 4096)
        return text[..<Int(BIO_read(memory, &text, 4096))]
    }

    /// RFC 5903, 8.1: both sides come to the same secret.
    @Test func agreement_isThatOfRFC5903() throws {
        let initiator = try key(scalar: hex("C88F01F5 10D9AC3F 70A292DA A2316DE5 44E9AAB8 AFE84049 C62A9C57 862D1433"))
        let responder = try key(scalar: hex("C6EF9C5D 78AE012A 011164AC B397CE20 88685D8F 06BF9BE0 B283AB46 476BEE53"))
        let secret = hex("D6840F6B 42F6EDAF D13116E0 E1256520 2FEF8E9E CE7DCE03 812464D0 4B9442DE")
        #expect(try initiator.agree(with: responder.point()).withBytes { Array($0) } == secret)
        #expect(try responder.agree(with: initiator.point()).withBytes { Array($0) } == secret)
    }

    @Test func pointThatIsNone_isRefused() throws {
        let mine = try P256Key()
        let good = try P256Key().point()
        var off = good
        off[64] ^= 1
        let compressed = [2 + good[64] % 2] + good[1...32]
        let hybrid = [6 + good[64] % 2] + good[1...]
        let all: [[UInt8]] = [off, compressed, hybrid, [], [0], good.dropLast(), good + [0]]
        for bad in all {
            #expect(throws: CryptographyFailure.self, "\(bad)") { try mine.agree(with: bad) }
        }
        #expect(throws: Never.self) { try mine.agree(with: good) }
    }

    /// Numbers that begin with zeros, once in 128 times, are written as long as the others.
    @Test func signatures_areGood_64BytesLong_andOfThatMessageOnly() throws {
        let key = try P256Key()
        let point = try key.point()
        for number in 0..<600 {
            let message = Array("message \(number)".utf8)
            let signature = try key.sign(message)
            let isGood = try isGood(signature, of: message, point: point)
            #expect(isGood)
        }
        let signature = try key.sign([])
        #expect(try !isGood(signature, of: [0], point: point))
        #expect(try !isGood(signature, of: [], point: P256Key().point()))
    }
}
