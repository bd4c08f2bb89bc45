import SupervisorCore
import Testing

@testable import Wire

@Suite struct RouterRequestTests {
    private let a = BusRig.a
    private let b = BusRig.b
    private let c = BusRig.c

    @Test func requestAndReply_travelWithTheSenderInTheHeader() {
        var rig = BusRig(up: [a, b])
        let id = rig.id(a, 1)
        rig.send(.request, from: a, to: b, id: id, payload: "question")
        #expect(rig.read(b) == [Frame(.request, peer: a, id: id, payload: Array("question".utf8))])
        rig.send(.reply, from: b, to: a, id: id, payload: "answer")
        #expect(rig.read(a) == [Frame(.reply, peer: b, id: id, payload: Array("answer".utf8))])
        #expect(rig.router.open.isEmpty)
        // A second answer finishes nothing any more.
        rig.send(.reply, from: b, to: a, id: id, payload: "again")
        #expect(rig.read(a).isEmpty && rig.router.dropped == 1)
    }

    @Test func requestToNexusd_isTheShells() {
        var rig = BusRig(up: [a])
        let id = rig.id(a, 1)
        rig.send(.request, from: a, id: id, payload: "status")
        #expect(rig.decisions() == [.request(id, from: a, words: Array("status".utf8))])
        rig.router.reply(id, Array("{}".utf8))
        rig.router.reply(id, Array("{}".utf8))
        #expect(rig.read(a) == [Frame(.reply, peer: .nexusd, id: id, payload: Array("{}".utf8))])
    }

    @Test func longAnswerOfNexusd_comesInPieces() {
        var rig = BusRig(up: [a])
        let id = rig.id(a, 1)
        rig.send(.request, from: a, id: id, payload: "status")
        let json = [UInt8](repeating: 0x20, count: 700_000)
        rig.router.reply(id, json)
        let frames = rig.read(a)
        #expect(frames.last?.header.kind == .end && frames.dropLast().allSatisfy { $0.header.kind == .stream })
        #expect(frames.flatMap(\.payload) == json)
    }

    @Test func eventStreamThatNobodyReads_isCutWithWords() {
        var rig = BusRig(up: [a])
        let id = rig.id(a, 1)
        rig.send(.request, from: a, id: id, payload: "events")
        var sent = 0
        while rig.router.stream(id, [UInt8](repeating: 1, count: 1000)) { sent += 1 }
        #expect(sent == Outbox.limit / 1016)
        #expect(rig.router.open.isEmpty)
        #expect(rig.read(a).last?.code == .cut)
    }

    /// Whoever reads has to know that the answer had begun when it failed.
    @Test func errorThatEndsAStreamOfNexusd_comesBehindItsBytes() {
        var rig = BusRig(up: [a])
        let id = rig.id(a, 1)
        rig.send(.request, from: a, id: id, payload: "reload")
        _ = rig.router.stream(id, Array("{}\n".utf8))
        rig.router.fail(id, .failed, "web: it was given up for now")
        #expect(rig.router.open.isEmpty)
        let frames = rig.read(a)
        #expect(frames.map(\.header.kind) == [.stream, .error] && frames.last?.code == .failed, "\(frames)")
    }

    @Test func cancelToNexusd_stopsTheStream() {
        var rig = BusRig(up: [a])
        let id = rig.id(a, 1)
        rig.send(.request, from: a, id: id, payload: "events")
        rig.send(.cancel, from: a, id: id)
        #expect(rig.decisions().last == .cancelled(id))
        let isHeard = rig.router.stream(id, [1])
        #expect(!isHeard)
        #expect(rig.read(a).isEmpty)
    }

    // MARK: - Least privilege, by the sender's link

    @Test func peerThatMayNotBeAddressed_isRefusedAloud() {
        var rig = BusRig(up: [a, b, c])
        rig.send(.request, from: a, to: c, id: rig.id(a, 1))
        rig.send(.event, from: c, to: a, id: rig.id(c, 1))
        rig.send(.request, from: a, to: a, id: rig.id(a, 2))
        rig.send(.request, from: a, to: PeerID(rawValue: 77), id: rig.id(a, 3))
        rig.send(.request, from: a, to: .firstClient, id: rig.id(a, 4))
        #expect(rig.read(a).map(\.code) == [.refused, .refused, .refused, .refused])
        #expect(rig.read(c).map(\.code) == [.refused])
        #expect(
            rig.decisions() == [
                .refused(from: a, to: c), .refused(from: c, to: a), .refused(from: a, to: a),
                .refused(from: a, to: PeerID(rawValue: 77)), .refused(from: a, to: .firstClient),
            ])
    }

    @Test func idOfAnotherEpoch_endsTheLink() {
        for kind in [FrameKind.request, .event] {
            var rig = BusRig(up: [a, b])
            let foreign = rig.id(b, 1)
            rig.send(kind, from: a, to: b, id: foreign)
            #expect(rig.decisions() == [.endLink(a, .foreignID(foreign))])
            #expect(rig.read(b).count == 1, "only the news that a is down")
        }
    }

    @Test func idInUse_endsTheLink() {
        var rig = BusRig(up: [a, b])
        rig.send(.request, from: a, to: b, id: rig.id(a, 1))
        rig.send(.request, from: a, to: b, id: rig.id(a, 1))
        #expect(rig.decisions() == [.endLink(a, .idInUse(FrameID(epoch: Epoch(rawValue: 1), count: 1)))])
    }

    @Test(arguments: [FrameKind.reply, .error, .stream, .end, .credit, .cancel])
    func answersToWhatOthersAsked_areDropped(_ kind: FrameKind) {
        var rig = BusRig(up: [a, b, c])
        let id = rig.id(a, 1)
        rig.send(.request, from: a, to: b, id: id)
        _ = rig.read(b)
        // c was not asked; b answers somebody else; a claims to answer itself.
        rig.send(kind, from: c, to: a, id: id, payload: "\0\0\0\u{1}")
        rig.send(kind, from: b, to: c, id: id, payload: "\0\0\0\u{1}")
        rig.send(kind, from: a, to: c, id: id, payload: "\0\0\0\u{1}")
        #expect(rig.router.dropped == 3)
        #expect(rig.read(a).isEmpty && rig.read(b).isEmpty && rig.read(c).isEmpty)
        #expect(rig.router.open.count == 1)
    }

    @Test func deadIncarnationsAnswer_neverReachesTheNewOne() {
        var rig = BusRig(up: [a, b])
        let old = rig.id(a, 7)
        rig.send(.request, from: a, to: b, id: old)
        _ = rig.read(b)
        rig.down(a)
        rig.join(a)
        _ = rig.read(a)
        rig.send(.request, from: a, to: b, id: rig.id(a, 7))
        rig.send(.reply, from: b, to: a, id: old, payload: "late")
        #expect(rig.read(a).isEmpty && rig.router.dropped == 1)
    }

    // MARK: - Ends

    @Test func responderDies_requesterIsTold() {
        var rig = BusRig(up: [a, b])
        let ids = (1...3).map { rig.id(a, $0) }
        for id in ids { rig.send(.request, from: a, to: b, id: id) }
        rig.send(.reply, from: b, to: a, id: ids[1])
        rig.down(b)
        let frames = rig.read(a)
        #expect(Set(frames.filter { $0.code == .peerRestarted }.map(\.header.id)) == [ids[0], ids[2]])
        #expect(frames.count { $0.header.kind == .reply } == 1)
        #expect(rig.router.open.isEmpty)
    }

    @Test func requesterDies_responderIsTold() {
        var rig = BusRig(up: [a, b])
        let (seen, unseen) = (rig.id(a, 1), rig.id(a, 2))
        rig.send(.request, from: a, to: b, id: seen)
        _ = rig.read(b)
        rig.send(.request, from: a, to: b, id: unseen)
        rig.down(a)
        let frames = rig.read(b)
        #expect(frames.filter { $0.header.kind == .cancel } == [Frame(.cancel, peer: a, id: seen)])
        #expect(!frames.contains { $0.header.kind == .request }, "what was not seen is taken back")
    }

    @Test func cancel_reachesAResponderThatSawTheRequest() {
        var rig = BusRig(up: [a, b])
        let id = rig.id(a, 1)
        rig.send(.request, from: a, to: b, id: id)
        rig.send(.cancel, from: a, to: b, id: id)
        #expect(rig.read(b).isEmpty, "taken back")
        let other = rig.id(a, 2)
        rig.send(.request, from: a, to: b, id: other)
        _ = rig.read(b)
        rig.send(.cancel, from: a, to: b, id: other)
        #expect(rig.read(b) == [Frame(.cancel, peer: a, id: other)])
        rig.send(.reply, from: b, to: a, id: other)
        #expect(rig.read(a).isEmpty)
    }

    @Test func tooManyOpenRequests_areBusy() {
        var rig = BusRig(up: [a, b])
        for count in 1...UInt32(Router.requestLimit) {
            rig.send(.request, from: a, to: b, id: rig.id(a, count))
            _ = rig.read(b)
        }
        rig.send(.request, from: a, to: b, id: rig.id(a, 2000))
        #expect(rig.read(a).map(\.code) == [.busy])
        rig.send(.reply, from: b, to: a, id: rig.id(a, 5))
        rig.send(.request, from: a, to: b, id: rig.id(a, 2001))
        #expect(rig.read(a).map(\.header.kind) == [.reply])
    }

    // MARK: - Waiting for a worker that is down

    @Test func requestForAWorkerThatIsDown_waitsForIt() {
        var rig = BusRig(up: [a])
        let id = rig.id(a, 1)
        rig.send(.request, from: a, to: b, id: id, payload: "early")
        rig.advance(.milliseconds(4900))
        rig.router.workerUp(b, at: rig.now)
        #expect(rig.read(b).isEmpty, "nothing before hello")
        rig.send(.hello, from: b, payload: "1 1 -")
        #expect(rig.read(b).map(\.header.kind) == [.welcome, .request])
        rig.advance(.seconds(60))
        #expect(rig.router.hasLink(b) && rig.router.open.count == 1)
        rig.send(.reply, from: b, to: a, id: id)
        #expect(rig.read(a).last?.header.kind == .reply)
    }

    @Test func runThatEndsBeforeHello_leavesTheRequestWaiting() {
        var rig = BusRig(up: [a])
        rig.send(.request, from: a, to: b, id: rig.id(a, 1))
        rig.router.workerUp(b, at: rig.now)
        rig.down(b)
        #expect(rig.read(a).isEmpty)
        rig.join(b)
        #expect(rig.read(b).last?.header.kind == .request)
        #expect(rig.router.links[b]?.serving == 1)
    }

    @Test func waitingTooLong_isUnavailable() {
        var rig = BusRig(up: [a])
        rig.send(.request, from: a, to: b, id: rig.id(a, 1))
        #expect(rig.router.nextDeadline == rig.now + Router.waitLimit)
        rig.advance(Router.waitLimit)
        #expect(rig.read(a).map(\.code) == [.unavailable])
        #expect(rig.router.nextDeadline == nil && rig.router.waiting.isEmpty)
    }

    @Test func tooMuchWaiting_isUnavailableAtOnce() {
        var rig = BusRig(up: [a])
        let payload = String(repeating: "x", count: 40_000)
        rig.send(.request, from: a, to: b, id: rig.id(a, 1), payload: payload)
        rig.send(.request, from: a, to: b, id: rig.id(a, 2), payload: payload)
        #expect(rig.read(a).map(\.header.id) == [rig.id(a, 2)])
        rig.send(.cancel, from: a, to: b, id: rig.id(a, 1))
        rig.send(.request, from: a, to: b, id: rig.id(a, 3), payload: payload)
        #expect(rig.read(a).isEmpty, "the cancelled one made room")
    }

    @Test func waitingRequestsOfADeadRequester_areForgotten() {
        var rig = BusRig(up: [a])
        rig.send(.request, from: a, to: b, id: rig.id(a, 1))
        rig.down(a)
        rig.join(b)
        #expect(!rig.read(b).contains { $0.header.kind == .request })
        #expect(rig.router.open.isEmpty && rig.router.waiting.isEmpty)
    }

    @Test func onlyRequestsWait() {
        var rig = BusRig(up: [a])
        rig.send(.event, from: a, to: b, id: rig.id(a, 1))
        let frames = rig.read(a)
        #expect(frames.map(\.code) == [.busy] && frames.first?.header.id == rig.id(a, 1))
    }
}
