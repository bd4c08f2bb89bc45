import SupervisorCore
import Testing

@testable import Wire

/// Requests of nexusd's own.
@Suite(.timeLimit(.minutes(1))) struct RouterAskingTests {
    private func ask(_ rig: inout BusRig, _ words: String = "probe") -> FrameID? {
        rig.router.ask(BusRig.c, Array(words.utf8), at: rig.now)
    }

    @Test func answer_comesBackOnce_underItsId() throws {
        var rig = BusRig(up: [BusRig.c])
        let (first, second) = (try #require(ask(&rig, "one")), try #require(ask(&rig, "two")))
        let frames = rig.read(BusRig.c)
        #expect(frames.map(\.header.kind) == [.request, .request] && frames.map(\.text) == ["one", "two"])
        #expect(frames.allSatisfy { $0.header.peer == .nexusd && $0.header.id.epoch.rawValue == 0 })
        rig.send(.reply, from: BusRig.c, id: second, payload: "2")
        rig.send(.reply, from: BusRig.c, id: second, payload: "again")
        rig.send(.error, from: BusRig.c, id: first, payload: "no")
        #expect(rig.decisions() == [.answered(second, Array("2".utf8)), .unanswered(first, "no")])
        #expect(rig.router.openCount == 0 && rig.router.dropped == 1)
    }

    @Test func workerThatIsNotThere_isNotAsked() {
        var rig = BusRig()
        #expect(ask(&rig) == nil)
        rig.router.workerUp(BusRig.c, at: rig.now)
        #expect(ask(&rig) == nil, "it has not said hello")
        #expect(rig.router.openCount == 0 && rig.decisions().isEmpty)
    }

    @Test func workerThatGoes_leavesNothingUnanswered() throws {
        var rig = BusRig(up: [BusRig.c])
        let id = try #require(ask(&rig))
        _ = rig.read(BusRig.c)
        rig.down(BusRig.c)
        #expect(rig.decisions() == [.unanswered(id, "c ended while the request was open")])
        #expect(rig.router.openCount == 0)
    }

    @Test func requestThatIsGivenUp_isTakenBack_orCancelled() throws {
        var rig = BusRig(up: [BusRig.c])
        let unseen = try #require(ask(&rig, "unseen"))
        rig.router.withdraw(unseen)
        #expect(rig.read(BusRig.c).isEmpty)
        let seen = try #require(ask(&rig, "seen"))
        _ = rig.read(BusRig.c)
        rig.router.withdraw(seen)
        let frames = rig.read(BusRig.c)
        #expect(frames.map(\.header.kind) == [.cancel] && frames.first?.header.id == seen)
        rig.send(.reply, from: BusRig.c, id: seen, payload: "late")
        #expect(rig.decisions().isEmpty && rig.router.openCount == 0)
    }

    @Test func onlyTheOneThatWasAsked_mayAnswer() throws {
        var rig = BusRig(up: [BusRig.a, BusRig.c])
        let id = try #require(ask(&rig))
        rig.send(.reply, from: BusRig.a, id: id, payload: "forged")
        rig.send(.reply, from: BusRig.c, to: BusRig.a, id: id, payload: "astray")
        #expect(rig.decisions().isEmpty && rig.router.openCount == 1)
        rig.send(.reply, from: BusRig.c, id: id, payload: "true")
        #expect(rig.decisions() == [.answered(id, Array("true".utf8))])
    }

    @Test func streamForAnAnswer_endsTheRequest() throws {
        var rig = BusRig(up: [BusRig.c])
        let id = try #require(ask(&rig))
        _ = rig.read(BusRig.c)
        rig.send(.stream, from: BusRig.c, id: id, payload: "x")
        guard case .unanswered(id, _)? = rig.decisions().first else {
            Issue.record("it went on")
            return
        }
        #expect(rig.read(BusRig.c).map(\.header.kind) == [.error] && rig.router.openCount == 0)
    }

    @Test func openRequests_areBounded() {
        var rig = BusRig(up: [BusRig.c])
        var count = 0
        while ask(&rig) != nil { count += 1 }
        #expect(count > 0 && count <= Router.requestLimit)
    }
}
