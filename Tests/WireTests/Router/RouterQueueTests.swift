import SupervisorCore
import Testing

@testable import Wire

@Suite struct RouterQueueTests {
    private let a = BusRig.a
    private let b = BusRig.b
    private let c = BusRig.c

    private func payload(_ count: Int) -> String { String(repeating: "x", count: count) }

    /// An open stream from b to a.
    private func streaming() -> (BusRig, FrameID) {
        var rig = BusRig(up: [a, b])
        let id = rig.id(a, 1)
        rig.send(.request, from: a, to: b, id: id)
        _ = rig.read(b)
        return (rig, id)
    }

    @Test func fullQueue_isBusyForRequests() {
        var rig = BusRig(up: [a, b])
        for count in 1...5 {
            rig.send(.request, from: a, to: b, id: rig.id(a, UInt32(count)), payload: payload(20_000))
        }
        #expect(rig.read(a).map(\.header.id) == [rig.id(a, 4), rig.id(a, 5)])
        #expect(rig.read(b).count == 3)
        rig.send(.request, from: a, to: b, id: rig.id(a, 6), payload: payload(65_536))
        #expect(rig.read(b).count == 1, "an empty share holds the longest frame")
    }

    @Test func oneSendersShare_leavesRoomForOthers() {
        var rig = BusRig(up: [a, b, c])
        rig.send(.event, from: b, to: a, id: rig.id(b, 1), payload: payload(65_536))
        rig.send(.event, from: b, to: a, id: rig.id(b, 2))
        rig.send(.request, from: a, to: b, id: rig.id(a, 1))
        #expect(rig.read(b).map(\.header.kind) == [.error, .request])
    }

    @Test func lostEvents_areToldOnceWithTheirNumber() {
        var rig = BusRig(up: [a, b])
        for count in 1...200 { rig.send(.event, from: a, to: b, id: rig.id(a, UInt32(count)), payload: payload(1000)) }
        let frames = rig.read(a)
        #expect(frames.map(\.code) == [.busy])
        #expect(frames.first?.header.id == rig.id(a, 200))
        #expect(frames.first?.text.contains("136 events") == true)
        #expect(rig.read(b).count == 64)
    }

    @Test func pong_comesAfterTheWordAboutLostEvents() {
        var rig = BusRig(up: [a, b])
        for count in 1...100 { rig.send(.event, from: a, to: b, id: rig.id(a, UInt32(count)), payload: payload(1000)) }
        rig.send(.ping, from: a)
        #expect(rig.read(a).map(\.header.kind) == [.error, .pong])
    }

    @Test func whatIsShort_overtakesData() {
        var (rig, id) = streaming()
        rig.send(.event, from: a, to: b, id: rig.id(a, 2), payload: payload(60_000))
        rig.router.drain(b)
        rig.send(.ping, from: b)
        rig.credit(0, from: a, to: b, id: id)
        rig.send(.cancel, from: a, to: b, id: id)
        #expect(rig.read(b).map(\.header.kind) == [.drain, .pong, .credit, .cancel, .event])
    }

    @Test func errorThatEndsAStream_comesBehindWhatWasSentOfIt() {
        var (rig, id) = streaming()
        rig.send(.stream, from: b, to: a, id: id, payload: payload(1000))
        rig.send(.error, from: b, to: a, id: id, payload: "over")
        #expect(rig.read(a).map(\.header.kind) == [.stream, .error])
        // One about something else overtakes as ever.
        var other = streaming().0
        other.send(.event, from: b, to: a, id: other.id(b, 1), payload: payload(1000))
        other.send(.request, from: a, to: c, id: other.id(a, 2))
        #expect(other.read(a).map(\.header.kind) == [.error, .event])
    }

    /// nexusd's own answer, of which more than 256 KiB are unread.
    @Test func answerThatIsCut_saysSoBehindWhatWasSent() {
        var rig = BusRig(up: [a])
        rig.send(.request, from: a, id: rig.id(a, 1), payload: "events")
        let asked = rig.router.takeDecisions().compactMap { decision -> FrameID? in
            if case .request(let id, _, _) = decision { id } else { nil }
        }
        guard let id = asked.first else { return #expect(Bool(false), "no request") }
        var sent = 0
        while rig.router.stream(id, Array(payload(60_000).utf8)) { sent += 1 }
        let frames = rig.read(a)
        #expect(frames.dropLast().map(\.header.kind) == Array(repeating: .stream, count: sent) && sent == 4)
        #expect(frames.last?.code == .cut)
    }

    @Test func frameThatIsBegun_isFinishedFirst() {
        var rig = BusRig(up: [a, b])
        rig.send(.event, from: a, to: b, id: rig.id(a, 1), payload: payload(1000))
        var head: [UInt8] = []
        let isLeft = rig.router.flush(b, at: rig.now) { bytes in
            head.append(contentsOf: bytes.prefix(10))
            return 10
        }
        rig.router.drain(b)
        var rest: [UInt8] = []
        _ = rig.router.flush(b, at: rig.now) { bytes in
            rest.append(contentsOf: bytes)
            return bytes.count
        }
        #expect(isLeft)
        let whole = Frame(.event, peer: a, id: rig.id(a, 1), payload: Array(payload(1000).utf8)).bytes
        #expect(head + rest == whole + Frame(.drain, peer: .nexusd, id: .none).bytes)
    }

    @Test func everyCutOfTheWrites_givesTheSameBytes() {
        for size in [1, 7, 15, 16, 17, 100, 999] {
            var rig = BusRig(up: [a, b])
            for count in 1...5 {
                rig.send(.event, from: a, to: b, id: rig.id(a, UInt32(count)), payload: payload(count * 9))
            }
            var bytes: [UInt8] = []
            while rig.router.flush(
                b, at: rig.now,
                {
                    bytes.append(contentsOf: $0.prefix(size))
                    return min(size, $0.count)
                })
            {}
            let expected = (1...5).flatMap {
                Frame(.event, peer: a, id: rig.id(a, UInt32($0)), payload: Array(payload($0 * 9).utf8)).bytes
            }
            #expect(bytes == expected)
        }
    }

    // MARK: - Streams

    @Test func stream_runsOnCredit() {
        var (rig, id) = streaming()
        rig.send(.stream, from: b, to: a, id: id, payload: payload(65_520))
        #expect(rig.read(a).count == 1)
        rig.credit(32_768, from: a, to: b, id: id)
        #expect(rig.read(b).map(\.header.kind) == [.credit])
        rig.send(.stream, from: b, to: a, id: id, payload: payload(32_752))
        rig.send(.end, from: b, to: a, id: id)
        #expect(rig.read(a).map(\.header.kind) == [.stream, .end])
        #expect(rig.router.open.isEmpty && rig.router.links[a]?.streams == 0 && rig.router.links[b]?.streams == 0)
    }

    @Test func streamBeyondItsCredit_isCutForBoth() {
        var (rig, id) = streaming()
        rig.send(.stream, from: b, to: a, id: id, payload: payload(65_520))
        _ = rig.read(a)
        rig.send(.stream, from: b, to: a, id: id)
        #expect(rig.read(a).map(\.code) == [.failed])
        #expect(rig.read(b).map(\.code) == [.failed])
    }

    @Test func creditBeyondAWindow_isRefused() {
        var (rig, id) = streaming()
        rig.credit(1, from: a, to: b, id: id)
        #expect(rig.read(a).map(\.code) == [.badRequest])
        #expect(rig.router.open.isEmpty)
    }

    @Test func streamForAFullQueue_isCutForBoth() {
        var (rig, id) = streaming()
        rig.send(.event, from: b, to: a, id: rig.id(b, 1), payload: payload(60_000))
        rig.send(.stream, from: b, to: a, id: id, payload: payload(10_000))
        #expect(rig.read(b).map(\.code) == [.cut])
        let frames = rig.read(a)
        #expect(frames.map(\.header.kind) == [.error, .event] && frames.first?.code == .cut)
        rig.send(.stream, from: b, to: a, id: id, payload: "more")
        #expect(rig.router.dropped == 1)
    }

    @Test func streamThatIsCut_isSoBehindWhatIsQueuedOfIt() {
        var (rig, id) = streaming()
        rig.send(.stream, from: b, to: a, id: id, payload: "begun")
        rig.send(.event, from: b, to: a, id: rig.id(b, 1), payload: payload(60_000))
        rig.send(.stream, from: b, to: a, id: id, payload: payload(10_000))
        let frames = rig.read(a)
        #expect(frames.map(\.header.kind) == [.stream, .event, .error] && frames.last?.code == .cut)
    }

    @Test func errorOfAPeer_neverOvertakesWhatItSentBefore() {
        var (rig, id) = streaming()
        rig.send(.stream, from: b, to: a, id: id, payload: "turn-started")
        rig.send(.error, from: b, to: a, id: id, payload: #"{"code":"unavailable","message":"not handed over"}"#)
        #expect(rig.read(a).map(\.header.kind) == [.stream, .error])
        let upload = rig.id(a, 2)
        rig.send(.request, from: a, to: b, id: upload)
        rig.send(.stream, from: a, to: b, id: upload, payload: "up")
        rig.send(.error, from: a, to: b, id: upload, payload: #"{"code":"failed","message":"no file"}"#)
        #expect(rig.read(b).map(\.header.kind) == [.request, .stream, .error])
    }

    @Test func streamOfAPeerThatEnds_isReadBeforeItsEnd() {
        var (rig, id) = streaming()
        rig.send(.stream, from: b, to: a, id: id, payload: "said")
        rig.down(b)
        let frames = rig.read(a).filter { $0.header.id == id }
        #expect(frames.map(\.header.kind) == [.stream, .error] && frames.last?.code == .peerRestarted)
    }

    /// `busy` says that the request may be made again; what was seen may have been carried out.
    @Test func answerThatFindsNoRoom_isCutAndNotBusy() {
        var (rig, id) = streaming()
        rig.send(.event, from: b, to: a, id: rig.id(b, 1), payload: payload(60_000))
        rig.send(.reply, from: b, to: a, id: id, payload: payload(10_000))
        #expect(rig.read(a).first?.code == .cut)
        let unseen = rig.id(a, 2)
        rig.send(.request, from: a, to: b, id: unseen, payload: payload(60_000))
        rig.send(.stream, from: a, to: b, id: unseen, payload: payload(10_000))
        #expect(rig.read(a).map(\.code) == [.busy], "no byte of the request was written")
        #expect(!rig.read(b).contains { $0.header.kind == .request })
    }

    @Test func upload_runsOnItsOwnCredit() {
        var (rig, id) = streaming()
        rig.send(.stream, from: a, to: b, id: id, payload: "up")
        rig.send(.end, from: a, to: b, id: id)
        rig.send(.stream, from: a, to: b, id: id, payload: "late")
        #expect(rig.read(b).map(\.header.kind) == [.stream, .end])
        #expect(rig.router.dropped == 1)
        rig.send(.reply, from: b, to: a, id: id)
        #expect(rig.read(a).map(\.header.kind) == [.reply])
    }

    @Test func tooManyStreams_areCut() {
        var rig = BusRig(up: [a, b])
        for count in 1...UInt32(Router.streamLimit + 1) {
            rig.send(.request, from: a, to: b, id: rig.id(a, count))
            _ = rig.read(b)
            rig.send(.stream, from: b, to: a, id: rig.id(a, count), payload: "x")
        }
        let frames = rig.read(a)
        #expect(frames.filter { $0.code == .cut }.map(\.header.id) == [rig.id(a, UInt32(Router.streamLimit + 1))])
        #expect(rig.router.links[a]?.streams == Router.streamLimit)
    }

    // MARK: - Those who do not read

    @Test func linkThatTakesNothing_isEndedAfterTenSeconds() {
        var rig = BusRig(up: [a, b])
        for count in 1...4 {
            rig.send(.request, from: a, to: b, id: rig.id(a, UInt32(count)), payload: payload(30_000))
        }
        rig.advance(.milliseconds(9_999))
        #expect(rig.decisions().isEmpty)
        rig.advance(.milliseconds(1))
        #expect(rig.decisions() == [.endLink(b, .takesNothing)])
        #expect(rig.read(a).count { $0.code == .peerRestarted } == 2)
    }

    @Test func linkThatTakesAByteNowAndThen_isKept() {
        var rig = BusRig(up: [a, b])
        for turn in 1...30 {
            for count in 1...3 {
                rig.send(.event, from: a, to: b, id: rig.id(a, UInt32(turn * 10 + count)), payload: payload(30_000))
            }
            rig.advance(.seconds(5))
            _ = rig.router.flush(b, at: rig.now) { _ in 1 }
            _ = rig.read(a)
        }
        #expect(rig.decisions().isEmpty)
    }

    @Test func linkThatReadsNoneOfItsErrors_isEnded() {
        var rig = BusRig(up: [a, b])
        var count: UInt32 = 0
        while rig.router.hasLink(a), count < 100_000 {
            count += 1
            rig.send(.request, from: a, to: c, id: rig.id(a, count))
            rig.router.tick(rig.now)
        }
        #expect(count < 4000)
        #expect(rig.decisions().contains(.endLink(a, .takesNothing)))
    }

    // MARK: - Control clients

    @Test func client_talksToAWorkerUnderItsOwnIds() throws {
        var rig = BusRig(up: [a, b])
        let (one, two) = (try rig.joinClient(), try rig.joinClient())
        let id = FrameID(rawValue: 1)
        rig.send(.request, from: one, to: b, id: id, payload: "one")
        rig.send(.request, from: two, to: b, id: id, payload: "two")
        let frames = rig.read(b)
        #expect(frames.map(\.header.kind) == [.event, .request, .event, .request])
        #expect(
            frames.first?.text
                == #"{"event":"client","peer":32768,"uid":1000,"name":"nexusctl","state":"joined"}"#)
        #expect(frames[1].header.id != frames[3].header.id)
        rig.send(.stream, from: b, to: two, id: frames[3].header.id, payload: "2")
        rig.send(.reply, from: b, to: one, id: frames[1].header.id, payload: "1")
        rig.send(.end, from: b, to: two, id: frames[3].header.id)
        #expect(rig.read(one) == [Frame(.reply, peer: b, id: id, payload: Array("1".utf8))])
        #expect(rig.read(two).map(\.header.id) == [id, id])
        rig.send(.request, from: one, to: b, id: id)
        #expect(rig.read(b).map(\.header.kind) == [.request], "it is known, and the id is free again")
    }

    @Test func clientLeaves_itsWorkersAreTold() throws {
        var rig = BusRig(up: [a, b])
        let client = try rig.joinClient()
        rig.send(.request, from: client, to: b, id: FrameID(rawValue: 9))
        let id = rig.read(b)[1].header.id
        rig.down(client)
        let frames = rig.read(b)
        #expect(frames.first == Frame(.cancel, peer: client, id: id))
        #expect(frames.last?.text.contains(#""left""#) == true)
        #expect(rig.read(a).isEmpty)
    }

    @Test func clientOfTheReadClass_reachesNoWorker() throws {
        var rig = BusRig(up: [a, b])
        let client = try rig.joinClient(mayAddressWorkers: false)
        rig.send(.request, from: client, to: b, id: FrameID(rawValue: 1))
        #expect(rig.read(client).map(\.code) == [.refused])
        #expect(rig.read(b).isEmpty)
    }

    @Test func workerThatAddressesAClient_isRefused() throws {
        var rig = BusRig(up: [a, b])
        let client = try rig.joinClient()
        rig.send(.request, from: b, to: client, id: rig.id(b, 1))
        #expect(rig.read(b).map(\.code) == [.refused])
        #expect(rig.read(client).isEmpty)
    }
}
