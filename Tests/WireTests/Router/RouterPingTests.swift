import SupervisorCore
import Testing

@testable import Wire

/// A ping to a peer is answered when what its sender wrote to that peer before has left the peer's queue.
@Suite struct RouterPingTests {
    private let a = BusRig.a
    private let b = BusRig.b
    private let c = BusRig.c

    private func payload(_ count: Int) -> String { String(repeating: "x", count: count) }

    @Test func pingToAPeer_isAnsweredWhenWhatWasBeforeItIsWritten() {
        var rig = BusRig(up: [a, b])
        rig.send(.event, from: a, to: b, id: rig.id(a, 1), payload: payload(1000))
        rig.send(.ping, from: a, to: b, id: rig.id(a, 2), payload: "abc")
        rig.send(.event, from: a, to: b, id: rig.id(a, 3), payload: payload(1000))
        #expect(rig.read(a).isEmpty)
        // The last byte is missing: not yet.
        _ = rig.router.flush(b, at: rig.now) { _ in 1015 }
        #expect(rig.read(a).isEmpty)
        _ = rig.router.flush(b, at: rig.now) { _ in 1 }
        #expect(rig.router.takeWritable().contains(a))
        #expect(rig.read(a) == [Frame(.pong, peer: b, id: rig.id(a, 2), payload: Array("abc".utf8))])
        _ = rig.router.flush(b, at: rig.now) { $0.count }
        #expect(rig.router.links[b]?.outbox.isEmpty == true)
        #expect(rig.router.links[b]?.outbox.countedBytes == 0)
    }

    @Test func pingWithNothingOnTheWay_isAnsweredAtOnce() {
        var rig = BusRig(up: [a, b, c])
        // Somebody else's frames are not waited for, a link that is down has no queue, no right is needed.
        rig.send(.event, from: b, to: c, id: rig.id(b, 1), payload: payload(1000))
        for (count, peer) in [b, c, PeerID(rawValue: 77), PeerID(rawValue: 0x8005)].enumerated() {
            rig.send(.ping, from: a, to: peer, id: rig.id(a, UInt32(count + 1)))
            #expect(rig.read(a) == [Frame(.pong, peer: peer, id: rig.id(a, UInt32(count + 1)))])
        }
        #expect(rig.decisions().isEmpty)
    }

    @Test func receiverEnds_itsPingsAreAnswered() {
        var rig = BusRig(up: [a, b])
        rig.send(.event, from: a, to: b, id: rig.id(a, 1), payload: payload(1000))
        rig.send(.ping, from: a, to: b, id: rig.id(a, 2))
        rig.down(b)
        #expect(rig.read(a).contains(Frame(.pong, peer: b, id: rig.id(a, 2))))
    }

    @Test func senderEnds_itsNextRunHearsNoPong() {
        var rig = BusRig(up: [a, b])
        rig.send(.event, from: a, to: b, id: rig.id(a, 1), payload: payload(1000))
        rig.send(.ping, from: a, to: b, id: rig.id(a, 2))
        rig.down(a)
        rig.join(a)
        _ = rig.read(b)
        #expect(rig.read(a).filter { $0.header.kind == .pong }.isEmpty)
    }

    @Test func requestThatIsTakenBack_letsThePingBehindItPass() {
        var rig = BusRig(up: [a, b])
        rig.send(.request, from: a, to: b, id: rig.id(a, 1), payload: payload(1000))
        rig.send(.ping, from: a, to: b, id: rig.id(a, 2))
        rig.send(.cancel, from: a, to: b, id: rig.id(a, 1))
        #expect(rig.read(a) == [Frame(.pong, peer: b, id: rig.id(a, 2))])
        #expect(rig.read(b).isEmpty)
    }

    @Test func pingsBehindAFullShare_areTakenInUpToTheirRoom() {
        var rig = BusRig(up: [a, b])
        rig.send(.event, from: a, to: b, id: rig.id(a, 1), payload: payload(65_536))
        for count in 2...100 { rig.send(.ping, from: a, to: b, id: rig.id(a, UInt32(count))) }
        let refused = rig.read(a)
        #expect(refused.map(\.code) == Array(repeating: .busy, count: 99 - Outbox.pingRoom / FrameHeader.byteCount))
        #expect(rig.read(b).count == 1)
        #expect(rig.read(a).count == Outbox.pingRoom / FrameHeader.byteCount)
    }

    @Test func pingWithAForeignID_endsTheLink() {
        var rig = BusRig(up: [a, b])
        rig.send(.ping, from: a, to: b, id: FrameID(rawValue: 5))
        #expect(rig.decisions() == [.endLink(a, .foreignID(FrameID(rawValue: 5)))])
    }
}
