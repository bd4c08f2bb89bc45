import ControlClient
import Testing

@Suite(.timeLimit(.minutes(1))) struct SHA256DigestTests {
    private func hash(_ bytes: [UInt8], pieces: Int = .max) -> String {
        var digest = SHA256Digest()
        var rest = bytes[...]
        while !rest.isEmpty {
            Array(rest.prefix(pieces)).withUnsafeBytes { digest.add($0) }
            rest = rest.dropFirst(pieces)
        }
        return digest.finish()
    }

    /// The examples of FIPS 180-4, and of NIST's file of long messages.
    @Test func examplesOfTheStandard() {
        #expect(hash([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(hash(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let words = Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)
        #expect(hash(words) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        let million = [UInt8](repeating: UInt8(ascii: "a"), count: 100_000)
        #expect(hash(million) == "6d1cf22d7cc09b085dfc25ee1a1f3ae0265804c607bc2074ad253bcc82fd81ee")
    }

    @Test func pieces_makeNoDifference() {
        for length in 0...200 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let whole = hash(bytes)
            for pieces in [1, 3, 55, 56, 63, 64, 65] { #expect(hash(bytes, pieces: pieces) == whole) }
        }
    }
}
