import Chance
import SupervisorCore
import Testing

@testable import Wire

@Suite struct OutboxTests {
    /// A frame whose payload says which one it is, so that a torn stream is seen.
    private func frame(_ kind: FrameKind, _ number: Int, size: Int) -> Frame {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0) }
        return Frame(
            kind, peer: .nexusd, id: FrameID(epoch: Epoch(rawValue: 1), count: UInt32(number)), payload: payload)
    }

    /// The expert's case: 64 KiB of errors leave a gap that only a smaller data frame would fit into.
    @Test func urgentFrameThatDoesNotFit_letsNoDataBeforeIt() throws {
        var outbox = Outbox()
        outbox.put(own: frame(.event, 1, size: 20))
        for number in 2...4 { outbox.put(own: frame(.error, number, size: 30)) }
        var staged: [UInt8] = []
        // Room for two errors and a bit: enough for the event, not for the third error.
        outbox.stage(into: &staged, limit: 2 * 46 + 40)
        #expect(staged.count == 2 * 46)
        outbox.written(staged.count)
        outbox.stage(into: &staged, limit: .max)
        #expect(try ids(in: staged) == [2, 3, 4, 1])
    }

    @Test(arguments: 0..<40) func whatIsWritten_isWholeFramesWhateverTheKernelTakes(round: Int) throws {
        var random = SplitMix(seed: UInt64(round))
        var outbox = Outbox()
        var stream: [UInt8] = []
        var count = 0
        var bytes = 0
        for _ in 0..<400 {
            if Bool.random(using: &random) {
                count += 1
                let kind: FrameKind = Bool.random(using: &random) ? .error : .event
                let new = frame(kind, count, size: Int.random(in: 0...600, using: &random))
                outbox.put(own: new)
                bytes += new.byteCount
            } else {
                var staged: [UInt8] = []
                outbox.stage(into: &staged, limit: Int.random(in: 1...2000, using: &random))
                let taken = Int.random(in: 0...staged.count, using: &random)
                stream += staged[..<taken]
                outbox.written(taken)
            }
            #expect(outbox.queuedBytes == outbox.countedBytes)
        }
        outbox.stage(into: &stream, limit: .max)
        #expect(stream.count == bytes)
        #expect(Set(try ids(in: stream)) == Set((0..<count).map { UInt32($0 + 1) }))
    }

    /// Decodes a stream and checks each payload against its id.
    private func ids(in stream: [UInt8]) throws -> [UInt32] {
        var decoder = FrameDecoder()
        var ids: [UInt32] = []
        try stream.withUnsafeBytes { bytes in
            var rest = bytes
            while let found = try decoder.next(from: &rest) {
                let number = UInt32(truncatingIfNeeded: found.header.id.rawValue)
                ids.append(number)
                #expect(found.payload == frame(.event, Int(number), size: found.payload.count).payload)
            }
        }
        return ids
    }
}
