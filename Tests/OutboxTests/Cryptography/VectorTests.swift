import Cryptography
import Testing

/// The examples of the standards, byte for byte.
@Suite(.timeLimit(.minutes(1))) struct VectorTests {
    /// RFC 4231, 4.2, 4.3 and 4.7 (a key longer than a block).
    @Test func codes_areThoseOfRFC4231() throws {
        let cases: [([UInt8], String, String)] = [
            (
                [UInt8](repeating: 0x0b, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ]
        for (key, message, code) in cases {
            #expect(try HMACSHA256.code(of: Array(message.utf8), key: SecretBytes(key)) == hex(code))
        }
    }

    /// RFC 5869, A.1 and A.2.
    @Test func derivedKeys_areThoseOfRFC5869() throws {
        let short = try HKDFSHA256.derive(
            from: SecretBytes([UInt8](repeating: 0x0b, count: 22)), salt: Array(0...0x0c), info: Array(0xf0...0xf9),
            count: 42)
        #expect(
            short.withBytes { Array($0) }
                == hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"))
        let long = try HKDFSHA256.derive(
            from: SecretBytes(0...0x4f), salt: Array(0x60...0xaf), info: Array(0xb0...0xff), count: 82)
        #expect(
            long.withBytes { Array($0) }
                == hex(
                    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                        + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"))
        for count in [0, HKDFSHA256.limit + 1] {
            #expect(throws: CryptographyFailure.self) {
                try HKDFSHA256.derive(from: SecretBytes([1]), salt: [], info: [], count: count)
            }
        }
    }

    /// The GCM specification (McGrew and Viega), test cases 1 to 3.
    @Test func sealedTexts_areThoseOfTheSpecification() throws {
        let zeros = SecretBytes([UInt8](repeating: 0, count: 16))
        let nonce = SecretBytes([UInt8](repeating: 0, count: 12))
        #expect(try AES128GCM.seal([], key: zeros, nonce: nonce) == hex("58e2fccefa7e3061367f1d57a4e7455a"))
        #expect(
            try AES128GCM.seal([UInt8](repeating: 0, count: 16), key: zeros, nonce: nonce)
                == hex("0388dace60b6a392f328c2b971b2fe78 ab6e47d42cec13bdf53a67b21257bddf"))
        let text = hex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
                + "ba637b391aafd255")
        #expect(
            try AES128GCM.seal(
                text, key: SecretBytes(hex("feffe9928665731c6d6a8f9467308308")),
                nonce: SecretBytes(hex("cafebabefacedbaddecaf888")))
                == hex(
                    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0a"
                        + "ac973d58e091473f5985 4d5c2af327cd64a62cf35abd2ba6fab4"))
    }

    @Test func keyOrNonceOfAnotherLength_isRefused() {
        for (key, nonce) in [(15, 12), (32, 12), (16, 11), (16, 0)] {
            #expect(throws: CryptographyFailure.self) {
                try AES128GCM.seal(
                    [1], key: SecretBytes([UInt8](repeating: 1, count: key)),
                    nonce: SecretBytes([UInt8](repeating: 1, count: nonce)))
            }
        }
    }
}
