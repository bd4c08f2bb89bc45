import SupervisorCore
import Testing

@testable import Wire

@Suite struct RouterGreetingTests {
    @Test func hello_isAnsweredByWhatTheWorkerMayKnow() {
        var rig = BusRig()
        rig.router.setValues(["x.port": "4096"], for: BusRig.b)
        rig.join(BusRig.b)
        let frames = rig.read(BusRig.b)
        #expect(frames.map(\.header.kind) == [.welcome])
        #expect(
            frames.first?.text == #"{"protocol":1,"epoch":1,"peer":2,"name":"b","#
                + #""peers":[{"name":"a","peer":1},{"name":"c","peer":3}],"may":["status"],"values":{"x.port":"4096"}}"#
        )
        #expect(rig.decisions() == [.joined(BusRig.b)])
    }

    @Test func eachRun_hasAnEpochOfItsOwn() {
        var rig = BusRig(up: [BusRig.a, BusRig.b])
        let before = rig.id(BusRig.a, 1)
        rig.down(BusRig.a)
        rig.join(BusRig.a)
        #expect(rig.id(BusRig.a, 1) != before)
        #expect(rig.id(BusRig.a, 1).epoch != rig.id(BusRig.b, 1).epoch)
    }

    @Test(arguments: [
        ("1 1", LinkFault.badHello), ("", .badHello), ("x y z", .badHello), ("2 3 a", .version(min: 2, max: 3)),
        ("0 0 a", .version(min: 0, max: 0)), ("1 1 " + String(repeating: "n", count: 65), .badHello),
    ])
    func badHello_endsTheLink(_ words: String, _ fault: LinkFault) {
        var rig = BusRig()
        rig.router.workerUp(BusRig.a, at: rig.now)
        rig.send(.hello, from: BusRig.a, payload: words)
        #expect(rig.decisions() == [.endLink(BusRig.a, fault)])
        #expect(!rig.router.hasLink(BusRig.a))
    }

    @Test(arguments: FrameKind.allCases.filter { $0 != .hello })
    func anythingBeforeHello_endsTheLink(_ kind: FrameKind) {
        var rig = BusRig()
        rig.router.workerUp(BusRig.a, at: rig.now)
        rig.send(kind, from: BusRig.a)
        #expect(rig.decisions() == [.endLink(BusRig.a, .greeting(kind))])
    }

    @Test(arguments: [FrameKind.hello, .welcome, .drain])
    func kindsThatWorkersNeverSend_endTheLink(_ kind: FrameKind) {
        var rig = BusRig(up: [BusRig.a, BusRig.b])
        rig.send(kind, from: BusRig.a)
        let fault: LinkFault = kind == .hello ? .greeting(kind) : .kind(kind, to: .nexusd)
        #expect(rig.decisions() == [.endLink(BusRig.a, fault)])
        #expect(rig.router.hasLink(BusRig.b))
    }

    @Test(arguments: [FrameKind.ready, .drained, .status, .health, .event, .welcome, .drain])
    func kindsThatClientsNeverSend_endTheLink(_ kind: FrameKind) throws {
        var rig = BusRig(up: [BusRig.a])
        let client = try rig.joinClient()
        rig.send(kind, from: client)
        #expect(rig.decisions() == [.endLink(client, .kind(kind, to: .nexusd))])
    }

    @Test func badBytes_endThatLinkAndNoOther() {
        var rig = BusRig(up: [BusRig.a, BusRig.b])
        let bytes: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 1, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]
        bytes.withUnsafeBytes { rig.router.received($0, from: BusRig.a, at: rig.now) }
        #expect(rig.decisions() == [.endLink(BusRig.a, .frame(.length(.max)))])
        #expect(rig.read(BusRig.b).map(\.text) == [#"{"event":"peer","peer":1,"name":"a","state":"down"}"#])
    }

    @Test func wordsAboutItself_areHandedUpClean() {
        var rig = BusRig(up: [BusRig.a])
        rig.send(.ready, from: BusRig.a)
        rig.send(.status, from: BusRig.a, payload: "3 of 4\nconnected\u{1B}[31m" + String(repeating: "x", count: 400))
        rig.send(.health, from: BusRig.a, payload: "web unhealthy no answer for 5 s")
        rig.send(.health, from: BusRig.a, payload: "web healthy")
        rig.send(.drained, from: BusRig.a)
        let decisions = rig.decisions()
        #expect(decisions.first == .ready(BusRig.a))
        guard case .status(BusRig.a, let line) = decisions[1] else { return #expect(Bool(false), "no status") }
        // The five bytes of the sequence are of those that are looked at.
        #expect(line.hasPrefix("3 of 4 connectedx") && line.utf8.count == Router.statusLimit - 5)
        #expect(
            decisions[2...] == [
                .health(child: "web", isHealthy: false, why: "no answer for 5 s", from: BusRig.a),
                .health(child: "web", isHealthy: true, why: "", from: BusRig.a), .drained(BusRig.a),
            ])
        rig.send(.health, from: BusRig.a, payload: "web fine")
        #expect(rig.decisions().isEmpty)
        #expect(rig.read(BusRig.a).map(\.code) == [.badRequest])
    }

    @Test func peersComeAndGo_andThoseWhoMayAddressThemHearIt() {
        var rig = BusRig(up: [BusRig.a, BusRig.c])
        rig.join(BusRig.b)
        rig.down(BusRig.b)
        #expect(rig.read(BusRig.a).map(\.text).map { $0.contains(#""up""#) } == [true, false])
        #expect(rig.read(BusRig.c).isEmpty)
    }

    @Test func ping_isEchoed() {
        var rig = BusRig(up: [BusRig.a])
        rig.send(.ping, from: BusRig.a, id: FrameID(rawValue: 5), payload: "abc")
        let frames = rig.read(BusRig.a)
        #expect(frames == [Frame(.pong, peer: .nexusd, id: FrameID(rawValue: 5), payload: Array("abc".utf8))])
        rig.send(.ping, from: BusRig.a, payload: String(repeating: "x", count: 65))
        #expect(rig.decisions() == [.endLink(BusRig.a, .kind(.ping, to: .nexusd))])
    }

    @Test func helloWithTheLongestName_isTakenWhole() throws {
        var rig = BusRig()
        let number = rig.router.clientUp(uid: 1000, mayAddressWorkers: false)
        let client = try #require(number)
        let name = String(repeating: "n", count: 64)
        rig.send(.hello, from: client, payload: "1 1 " + name)
        #expect(rig.read(client).first?.text.contains("\"name\":\"\(name)\"") == true)
    }

    @Test func drainBeforeHello_followsTheWelcome() {
        var rig = BusRig()
        rig.router.workerUp(BusRig.a, at: rig.now)
        rig.router.drain(BusRig.a)
        #expect(rig.read(BusRig.a).isEmpty)
        rig.send(.hello, from: BusRig.a, payload: "1 1 -")
        #expect(rig.read(BusRig.a).map(\.header.kind) == [.welcome, .drain])
    }

    @Test func changedValues_comeAsOneEvent() {
        var rig = BusRig(up: [BusRig.a])
        rig.router.setValues(["w.port": "1"], for: BusRig.a)
        rig.router.setValues(["w.port": "1"], for: BusRig.a)
        #expect(rig.read(BusRig.a).map(\.text) == [#"{"event":"values","values":{"w.port":"1"}}"#])
    }
}
