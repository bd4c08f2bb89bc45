/// SHA-256 (FIPS 180-4) of bytes that come piece by piece. Why not libcrypto's: nexusctl is static and has no library of
/// cryptography, and here nothing is secret: it tells one program file from another, and a damaged one from a whole one.
public struct SHA256Digest: Sendable {
    private var state: [UInt32] = [
        0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
    ]
    /// Less than a block.
    private var rest: [UInt8] = []
    private var count: UInt64 = 0

    private static let blockLength = 64
    private static let constants: [UInt32] = [
        0x428A_2F98, 0x7137_4491, 0xB5C0_FBCF, 0xE9B5_DBA5, 0x3956_C25B, 0x59F1_11F1, 0x923F_82A4, 0xAB1C_5ED5,
        0xD807_AA98, 0x1283_5B01, 0x2431_85BE, 0x550C_7DC3, 0x72BE_5D74, 0x80DE_B1FE, 0x9BDC_06A7, 0xC19B_F174,
        0xE49B_69C1, 0xEFBE_4786, 0x0FC1_9DC6, 0x240C_A1CC, 0x2DE9_2C6F, 0x4A74_84AA, 0x5CB0_A9DC, 0x76F9_88DA,
        0x983E_5152, 0xA831_C66D, 0xB003_27C8, 0xBF59_7FC7, 0xC6E0_0BF3, 0xD5A7_9147, 0x06CA_6351, 0x1429_2967,
        0x27B7_0A85, 0x2E1B_2138, 0x4D2C_6DFC, 0x5338_0D13, 0x650A_7354, 0x766A_0ABB, 0x81C2_C92E, 0x9272_2C85,
        0xA2BF_E8A1, 0xA81A_664B, 0xC24B_8B70, 0xC76C_51A3, 0xD192_E819, 0xD699_0624, 0xF40E_3585, 0x106A_A070,
        0x19A4_C116, 0x1E37_6C08, 0x2748_774C, 0x34B0_BCB5, 0x391C_0CB3, 0x4ED8_AA4A, 0x5B9C_CA4F, 0x682E_6FF3,
        0x748F_82EE, 0x78A5_636F, 0x84C8_7814, 0x8CC7_0208, 0x90BE_FFFA, 0xA450_6CEB, 0xBEF9_A3F7, 0xC671_78F2,
    ]

    /// Of nothing yet.
    public init() {}

    /// The next bytes.
    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        count += UInt64(bytes.count)
        var bytes = bytes
        if !rest.isEmpty {
            let missing = min(Self.blockLength - rest.count, bytes.count)
            rest.append(contentsOf: bytes[..<missing])
            bytes = UnsafeRawBufferPointer(rebasing: bytes[missing...])
            guard rest.count == Self.blockLength else { return }
            let block = rest
            rest.removeAll(keepingCapacity: true)
            block.withUnsafeBytes { digest($0) }
        }
        let whole = bytes.count / Self.blockLength * Self.blockLength
        digest(UnsafeRawBufferPointer(rebasing: bytes[..<whole]))
        rest.append(contentsOf: bytes[whole...])
    }

    /// The hash in 64 lower-case hexadecimal digits.
    public consuming func finish() -> String {
        let bits = count &* 8
        let padding = Self.blockLength - (rest.count + 9) % Self.blockLength
        var end = [UInt8](repeating: 0, count: 1 + padding % Self.blockLength + 8)
        end[0] = 0x80
        for place in 0..<8 { end[end.count - 1 - place] = UInt8(truncatingIfNeeded: bits >> UInt64(8 * place)) }
        end.withUnsafeBytes { add($0) }
        let digits = Array("0123456789abcdef".utf8)
        let text = state.flatMap { word in
            stride(from: 28, through: 0, by: -4).map { digits[Int(word >> UInt32($0) & 15)] }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whole blocks.
    private mutating func digest(_ blocks: UnsafeRawBufferPointer) {
        guard !blocks.isEmpty else { return }
        state.withUnsafeMutableBufferPointer { state in
            Self.constants.withUnsafeBufferPointer { constants in
                withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.blockLength) { words in
                    for start in stride(from: 0, to: blocks.count, by: Self.blockLength) {
                        for place in 0..<16 {
                            let word = blocks.loadUnaligned(fromByteOffset: start + 4 * place, as: UInt32.self)
                            words[place] = UInt32(bigEndian: word)
                        }
                        Self.expand(words)
                        Self.compress(state, words, constants)
                    }
                }
            }
        }
    }

    private static func turned(_ word: UInt32, _ bits: UInt32) -> UInt32 { word >> bits | word << (32 - bits) }

    private static func expand(_ words: UnsafeMutableBufferPointer<UInt32>) {
        for place in 16..<blockLength {
            let (late, early) = (words[place - 2], words[place - 15])
            let high = turned(late, 17) ^ turned(late, 19) ^ late >> 10
            let low = turned(early, 7) ^ turned(early, 18) ^ early >> 3
            words[place] = high &+ words[place - 7] &+ low &+ words[place - 16]
        }
    }

    private static func compress(
        _ state: UnsafeMutableBufferPointer<UInt32>, _ words: UnsafeMutableBufferPointer<UInt32>,
        _ constants: UnsafeBufferPointer<UInt32>
    ) {
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for place in 0..<blockLength {
            let choice = e & f ^ ~e & g
            let one = h &+ (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) &+ choice
            let first = one &+ constants[place] &+ words[place]
            let majority = a & b ^ a & c ^ b & c
            let second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) &+ majority
            (h, g, f, e) = (g, f, e, d &+ first)
            (d, c, b, a) = (c, b, a, first &+ second)
        }
        for (place, word) in [a, b, c, d, e, f, g, h].enumerated() { state[place] &+= word }
    }
}
