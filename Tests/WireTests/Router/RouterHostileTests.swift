import Chance
import SupervisorCore
import Testing

@testable import Wire

/// A worker that may address nobody writes whatever it likes; the others must not notice.
@Suite(.timeLimit(.minutes(1))) struct RouterHostileTests {
    private static func frame(_ random: inout SplitMix, _ rig: BusRig, open: FrameID) -> Frame {
        let kind = FrameKind.allCases.randomElement(using: &random) ?? .event
        let peers = [PeerID.nexusd, BusRig.a, BusRig.b, BusRig.c, PeerID(rawValue: 9), .firstClient]
        let own = rig.id(BusRig.c, UInt32.random(in: 0...3, using: &random))
        let ids = [open, .none, own, own, own, FrameID(rawValue: random.next())]
        let size = Bool.random(using: &random) ? 4 : Int.random(in: 0...2000, using: &random)
        let payload = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        return Frame(
            kind, peer: peers.randomElement(using: &random) ?? .nexusd,
            id: ids.randomElement(using: &random) ?? .none, payload: payload)
    }

    @Test func anyFrames_reachNobodyAndEndNoOtherLink() throws {
        for seed in UInt64(1)...40 {
            var random = SplitMix(seed: seed)
            var rig = BusRig(up: [BusRig.a, BusRig.b, BusRig.c])
            let client = try rig.joinClient()
            let open = rig.id(BusRig.a, 1)
            rig.send(.request, from: BusRig.a, to: BusRig.b, id: open)
            _ = rig.read(BusRig.b)
            for _ in 0..<100 {
                if !rig.router.hasLink(BusRig.c) { rig.join(BusRig.c) }
                rig.send(Self.frame(&random, rig, open: open), from: BusRig.c)
                _ = rig.read(BusRig.c)
                for peer in [BusRig.a, BusRig.b, client] {
                    let strangers = rig.read(peer).filter { $0.header.peer != .nexusd }
                    #expect(strangers.isEmpty, "seed \(seed)")
                }
                for case .endLink(let peer, _) in rig.decisions() { #expect(peer == BusRig.c, "seed \(seed)") }
                for link in rig.router.links.values { #expect(link.asking >= 0 && link.serving >= 0) }
            }
            rig.send(.reply, from: BusRig.b, to: BusRig.a, id: open)
            #expect(rig.read(BusRig.a).map(\.header.kind) == [.reply], "seed \(seed)")
        }
    }

    @Test func anyBytes_endThatLinkAlone() {
        for seed in UInt64(1)...200 {
            var random = SplitMix(seed: seed)
            var rig = BusRig(up: [BusRig.a, BusRig.b, BusRig.c])
            for _ in 0..<20 {
                let bytes = (0..<Int.random(in: 1...300, using: &random)).map { _ in
                    UInt8(truncatingIfNeeded: random.next())
                }
                bytes.withUnsafeBytes { rig.router.received($0, from: BusRig.c, at: rig.now) }
            }
            #expect(rig.router.hasLink(BusRig.a) && rig.router.hasLink(BusRig.b), "seed \(seed)")
            #expect(!rig.router.hasLink(BusRig.c), "seed \(seed)")
        }
    }
}
