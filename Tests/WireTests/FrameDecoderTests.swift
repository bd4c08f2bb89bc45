import Chance
import Testing

@testable import Wire

@Suite(.timeLimit(.minutes(1))) struct FrameDecoderTests {
    private func frames(in bytes: [UInt8], split: (Int) -> Int) throws -> [Frame] {
        var decoder = FrameDecoder()
        var frames: [Frame] = []
        var offset = 0
        while offset < bytes.count {
            let count = min(max(1, split(offset)), bytes.count - offset)
            try bytes[offset..<offset + count].withUnsafeBytes { piece in
                var rest = piece
                while let frame = try decoder.next(from: &rest) { frames.append(frame) }
                #expect(rest.isEmpty)
            }
            offset += count
        }
        #expect(decoder.isAtBoundary)
        return frames
    }

    private let sample: [Frame] = [
        Frame(.hello, peer: .nexusd, id: .none, payload: Array("1 1 worker".utf8)),
        Frame(.ready, peer: .nexusd, id: .none),
        Frame(.request, peer: PeerID(rawValue: 0x8001), id: FrameID(rawValue: .max), payload: [0, 255, 10]),
        Frame(
            .stream, peer: PeerID(rawValue: 7), id: FrameID(rawValue: 1), payload: [UInt8](repeating: 9, count: 65_536)),
        Frame(.end, peer: PeerID(rawValue: 7), id: FrameID(rawValue: 1)),
    ]

    @Test func header_isLaidOutAsDocumented() {
        let frame = Frame(
            .reply, peer: PeerID(rawValue: 0x8001), id: FrameID(epoch: Epoch(rawValue: 2), count: 3), payload: [0xAA])
        #expect(frame.bytes == [0, 0, 0, 1, 1, 4, 0x80, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xAA])
    }

    @Test(arguments: [1, 2, 3, 15, 16, 17, 1000, 65_536, 1 << 20])
    func anySplit_givesTheSameFrames(_ size: Int) throws {
        #expect(try frames(in: sample.flatMap(\.bytes), split: { _ in size }) == sample)
    }

    @Test func randomSplits_giveTheSameFrames() throws {
        var random = SplitMix(seed: 7)
        for _ in 0..<50 {
            let size = Int.random(in: 1...4000, using: &random)
            let split = try frames(in: sample.flatMap(\.bytes)) { _ in Int.random(in: 1...size, using: &random) }
            #expect(split == sample, "seed 7")
        }
    }

    private func error(_ bytes: [UInt8]) -> FrameError? {
        var decoder = FrameDecoder()
        return bytes.withUnsafeBytes { bytes -> FrameError? in
            var rest = bytes
            do {
                while try decoder.next(from: &rest) != nil {}
                return nil
            } catch {
                return error as? FrameError
            }
        }
    }

    @Test func tooLong_isRefusedBeforeItComes() {
        var bytes = Frame(.event, peer: .nexusd, id: .none).bytes
        bytes.replaceSubrange(0..<4, with: [0, 1, 0, 1])
        #expect(error(bytes) == .length(65_537))
        bytes.replaceSubrange(0..<4, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(error(bytes) == .length(.max))
    }

    @Test func otherVersionOrKind_isRefused() {
        var bytes = Frame(.event, peer: .nexusd, id: .none).bytes
        bytes[4] = 2
        #expect(error(bytes) == .version(2))
        bytes[4] = 1
        bytes[5] = 0
        #expect(error(bytes) == .kind(0))
        bytes[5] = 18
        #expect(error(bytes) == .kind(18))
    }

    @Test func halfFrame_isNoBoundary() throws {
        var decoder = FrameDecoder()
        try sample[0].bytes.dropLast().withUnsafeBytes { bytes in
            var rest = bytes
            let frame = try decoder.next(from: &rest)
            #expect(frame == nil)
        }
        #expect(!decoder.isAtBoundary)
    }

    @Test func randomBytes_endInAnErrorOrAreHeldBounded() {
        for seed in UInt64(1)...300 {
            var random = SplitMix(seed: seed)
            var bytes = (0..<Int.random(in: 0...2000, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Half of them get past the first checks, or only the version would ever be tested.
            if seed % 2 == 0, bytes.count > 6 { bytes.replaceSubrange(0..<6, with: [0, 0, 3, 0, 1, 3]) }
            _ = error(bytes)
        }
    }
}
