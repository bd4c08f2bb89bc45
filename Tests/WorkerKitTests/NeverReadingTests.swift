import Foundation
import Testing
import Wire

@Suite(.timeLimit(.minutes(1))) struct NeverReadingTests {
    /// Both write 5 MB at each other before they read a byte. Nobody may block for ever, and each event either
    /// arrives or is told to its sender.
    @Test func workersThatNeverReadWhileWriting_doNotLock() async throws {
        let shell = try BusShell([.init(1, "one", peers: [2]), .init(2, "two", peers: [1])])
        defer { shell.stop() }
        let count = 5000
        let ends = (try shell.connect(PeerID(rawValue: 1)), try shell.connect(PeerID(rawValue: 2)))
        async let one = Self.talk(ends.0, to: 2, count: count)
        async let two = Self.talk(ends.1, to: 1, count: count)
        let (first, second) = (try await one, try await two)
        #expect(first.lost + second.received == count)
        #expect(second.lost + first.received == count)
        #expect(first.received > 0 && second.received > 0)
    }

    private struct Tally: Sendable {
        var received = 0
        var lost = 0
    }

    /// On a thread of its own: it blocks.
    private static func talk(_ ends: (read: Int32, write: Int32), to peer: UInt16, count: Int) async throws -> Tally {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try converse(ends, PeerID(rawValue: peer), count) })
            }
        }
    }

    private static func converse(_ ends: (read: Int32, write: Int32), _ peer: PeerID, _ count: Int) throws -> Tally {
        var worker = try RawWorker(ends)
        let payload = [UInt8](repeating: 7, count: 1000)
        // Both must be there, or the first events are lost for that reason alone; a request waits for the other.
        worker.write(Frame(.request, peer: peer, id: FrameID(epoch: worker.epoch, count: 1)))
        for number in 1...UInt32(count) {
            worker.write(
                Frame(.event, peer: peer, id: FrameID(epoch: worker.epoch, count: number + 1), payload: payload))
        }
        // Its answer follows everything else on the same pipe, and nexusd answers after having judged all events.
        let last = FrameID(epoch: worker.epoch, count: UInt32(count) + 2)
        worker.write(Frame(.ping, peer: .nexusd, id: last))
        var tally = Tally()
        var isJudged = false
        while let frame = worker.next() {
            switch frame.header.kind {
            case .event where frame.header.peer != .nexusd: tally.received += 1
            case .request: worker.write(Frame(.reply, peer: peer, id: frame.header.id))
            case .pong: isJudged = true
            case .error:
                let words = String(decoding: frame.payload, as: UTF8.self)
                tally.lost += words.split(separator: "\"").compactMap { Int($0.prefix { $0.isNumber }) }.first ?? 0
            case _: break
            }
            // The reply to the request is in front of nothing: it was sent after all of the other's events.
            if isJudged, frame.header.kind == .reply { break }
        }
        return tally
    }
}
