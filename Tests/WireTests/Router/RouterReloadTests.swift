import SupervisorCore
import Testing

@testable import Wire

@Suite struct RouterReloadTests {
    private func workers(_ a: Set<PeerID>, d: Bool = false) -> [Router.Worker] {
        [
            Router.Worker(peer: BusRig.a, name: "a", peers: a),
            Router.Worker(peer: BusRig.b, name: "b", peers: [BusRig.a], may: ["status"]),
            Router.Worker(peer: BusRig.c, name: "c", peers: []),
        ] + (d ? [Router.Worker(peer: PeerID(rawValue: 4), name: "d", peers: [])] : [])
    }

    @Test func otherPeers_areToldToLivingWorkers_andHoldAtOnce() {
        var rig = BusRig(up: [BusRig.a, BusRig.b, BusRig.c])
        rig.router.replaceWorkers(workers([BusRig.b, BusRig.c]))
        #expect(
            rig.read(BusRig.a).map(\.text) == [
                #"{"event":"peers","peers":[{"name":"b","peer":2},{"name":"c","peer":3}],"may":[]}"#
            ])
        #expect(
            rig.read(BusRig.b).map(\.text) == [#"{"event":"peers","peers":[{"name":"a","peer":1}],"may":["status"]}"#])
        #expect(rig.read(BusRig.c).isEmpty)
        rig.send(.request, from: BusRig.a, to: BusRig.c, id: rig.id(BusRig.a, 1), payload: "x")
        #expect(rig.read(BusRig.c).map(\.header.kind) == [.request])
        rig.send(.request, from: BusRig.b, to: BusRig.c, id: rig.id(BusRig.b, 1), payload: "x")
        #expect(rig.read(BusRig.b).map(\.code) == [.refused])
    }

    @Test func otherGrants_areTold() {
        var rig = BusRig(up: [BusRig.b])
        var workers = workers([BusRig.b])
        workers[1].peers = [BusRig.a, BusRig.c]
        workers[1].may = ["status", "restart:a"]
        rig.router.replaceWorkers(workers)
        #expect(rig.read(BusRig.b).last?.text.hasSuffix(#""may":["status","restart:a"]}"#) == true)
    }

    @Test func samePeers_areNotToldAgain() {
        var rig = BusRig(up: [BusRig.a])
        rig.router.replaceWorkers(workers([BusRig.b]))
        #expect(rig.read(BusRig.a).isEmpty)
    }

    @Test func openRequest_goesOn_thoughItsPeerIsNoneAnyMore() {
        var rig = BusRig(up: [BusRig.a, BusRig.b])
        rig.send(.request, from: BusRig.a, to: BusRig.b, id: rig.id(BusRig.a, 1), payload: "x")
        _ = rig.read(BusRig.b)
        rig.router.replaceWorkers(workers([]))
        rig.send(.reply, from: BusRig.b, to: BusRig.a, id: rig.id(BusRig.a, 1), payload: "y")
        #expect(rig.read(BusRig.a).map(\.header.kind) == [.event, .reply])
    }

    @Test func newWorker_canBeAddressed() {
        var rig = BusRig(up: [BusRig.a])
        let new = PeerID(rawValue: 4)
        rig.router.replaceWorkers(workers([BusRig.b, new], d: true))
        #expect(rig.read(BusRig.a).count == 1)
        rig.send(.request, from: BusRig.a, to: new, id: rig.id(BusRig.a, 1), payload: "x")
        rig.join(new)
        #expect(rig.read(new).map(\.header.kind) == [.welcome, .request])
    }
}
