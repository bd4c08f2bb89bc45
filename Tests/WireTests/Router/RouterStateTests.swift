import SupervisorCore
import Testing

@testable import Wire

/// The bus as bytes: for a nexusd that goes on as another program.
@Suite struct RouterStateTests {
    private let a = BusRig.a
    private let b = BusRig.b
    private let c = BusRig.c

    /// Half a frame that came, half a frame that went, an open request with a stream, one that waits, pings, lost events.
    private func busy() -> BusRig {
        var rig = BusRig(up: [a, b])
        rig.send(.request, from: a, to: b, id: rig.id(a, 1), payload: "one")
        rig.send(.request, from: b, to: a, id: rig.id(b, 1), payload: "two")
        rig.send(.stream, from: b, to: a, id: rig.id(a, 1), payload: "some of the answer")
        rig.send(.request, from: b, to: c, id: rig.id(b, 2), payload: "for one that is down")
        rig.send(.ping, from: a, to: b, id: rig.id(a, 2), payload: "?")
        _ = rig.router.flush(a, at: rig.now) { min($0.count, 21) }
        let half = Frame(.event, peer: b, id: rig.id(a, 3), payload: Array("half".utf8)).bytes.prefix(18)
        half.withUnsafeBytes { rig.router.received($0, from: a, at: rig.now) }
        _ = rig.decisions()
        return rig
    }

    private func restored(_ rig: BusRig) throws -> BusRig {
        var next = rig
        next.router = try Router(workers: rig.router.workers.values.map { $0 }, encoded: rig.router.encoded())
        return next
    }

    @Test func restored_isTheSame() throws {
        let rig = busy()
        let next = try restored(rig)
        #expect(next.router.encoded() == rig.router.encoded())
        for peer in [a, b] {
            let (link, other) = (rig.router.links[peer], next.router.links[peer])
            #expect(link?.asking == other?.asking && link?.serving == other?.serving && link?.streams == other?.streams)
            #expect(link?.outbox.countedBytes == other?.outbox.countedBytes)
            #expect(other?.outbox.queuedBytes == link?.outbox.queuedBytes)
        }
        #expect(next.router.openCount == 3)
        #expect(next.router.nextDeadline == rig.router.nextDeadline)
    }

    @Test func everyRestOfAFrame_goesOnWhereItWas() throws {
        var (one, other) = (busy(), try restored(busy()))
        for rig in [0, 1] {
            var rest = rig == 0 ? one : other
            let bytes = Frame(.event, peer: b, id: rest.id(a, 3), payload: Array("half".utf8)).bytes
            bytes.suffix(from: 18).withUnsafeBytes { rest.router.received($0, from: a, at: rest.now) }
            rest.send(.reply, from: a, to: b, id: rest.id(b, 1), payload: "answer")
            rest.join(c)
            if rig == 0 { one = rest } else { other = rest }
        }
        for peer in [a, b, c] { #expect(one.read(peer) == other.read(peer)) }
        #expect(one.decisions() == other.decisions())
        #expect(one.router.encoded() == other.router.encoded())
    }

    @Test func nexusdsOwnPart_isFinishedBefore() throws {
        var rig = busy()
        let client = try rig.joinClient()
        rig.send(.request, from: b, id: rig.id(b, 9), payload: "events")
        rig.send(.request, from: client, to: b, id: FrameID(rawValue: 1), payload: "hello")
        _ = rig.router.ask(b, Array("probe".utf8), at: rig.now)
        rig.router.leaveOnlyWorkers("it goes on", at: rig.now)
        let next = try restored(rig)
        #expect(next.router.openCount == 3 && next.router.links.count == 2)
        let id = rig.id(b, 9)
        #expect(rig.read(b).contains { $0.header.kind == .error && $0.header.id == id })
    }

    @Test func truncatedOrDamaged_isRefused_orFitsItself() throws {
        let bytes = busy().router.encoded()
        let workers = busy().router.workers.values.map { $0 }
        for count in bytes.indices {
            #expect(throws: ByteError.self) { try Router(workers: workers, encoded: Array(bytes[..<count])) }
        }
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= 0x55
            guard var router = try? Router(workers: workers, encoded: damaged) else { continue }
            for peer in [a, b] {
                #expect(router.links[peer].map { $0.outbox.countedBytes >= 0 } ?? true)
                _ = router.flush(peer, at: Instant(nanoseconds: 0)) { $0.count }
                router.linkDown(peer, at: Instant(nanoseconds: 0))
            }
        }
    }
}
