import Chance
import SupervisorCore
import Testing

@testable import Wire

/// Random scripts against what must always hold, whatever workers, clients and time do.
@Suite(.timeLimit(.minutes(1))) struct RouterScriptTests {
    /// What the peers of a script know, kept beside the router.
    private struct World {
        var rig = BusRig()
        var random: SplitMix
        /// Open requests as each living link sees them: made and not finished.
        var asked: [PeerID: Set<FrameID>] = [:]
        /// Requests that a worker read and did not finish.
        var toServe: [PeerID: [FrameID: PeerID]] = [:]
        var counts: [PeerID: UInt32] = [:]
        var clients: [PeerID] = []
        var finished = 0

        init(seed: UInt64) { random = SplitMix(seed: seed) }

        static let workers = [BusRig.a, BusRig.b, BusRig.c]

        mutating func pick<Element>(_ choices: [Element]) -> Element? { choices.randomElement(using: &random) }

        mutating func forget(_ peer: PeerID) {
            asked[peer] = nil
            toServe[peer] = nil
        }
    }

    @Test func randomScripts_finishEachRequestOnceAndStayBounded() throws {
        var finished = 0
        for seed in UInt64(1)...150 {
            var world = World(seed: seed)
            for step in 0..<400 {
                try act(&world)
                check(world, "seed \(seed), step \(step)")
            }
            try settle(&world, "seed \(seed)")
            finished += world.finished
        }
        #expect(finished > 2000)
    }

    private func act(_ world: inout World) throws {
        switch Int.random(in: 0..<20, using: &world.random) {
        case 0: toggle(&world)
        case 1: if world.clients.count < 3 { world.clients.append(try world.rig.joinClient()) }
        case 2:
            if Bool.random(using: &world.random), let client = world.pick(world.clients) {
                world.rig.down(client)
                world.forget(client)
                world.clients.removeAll { $0 == client }
            }
        case 3: world.rig.advance(.milliseconds(Int.random(in: 1...3000, using: &world.random)))
        case 4..<9: ask(&world)
        case 9..<13: serve(&world)
        case 13: cancel(&world)
        case 14: mischief(&world)
        case _: read(&world, allOf: false)
        }
        for decision in world.rig.decisions() {
            if case .endLink(let peer, let fault) = decision {
                #expect(fault == .takesNothing, "only who does not read is ended: \(fault)")
                world.forget(peer)
                world.clients.removeAll { $0 == peer }
            }
        }
    }

    private func toggle(_ world: inout World) {
        guard let worker = world.pick(World.workers) else { return }
        world.forget(worker)
        if world.rig.router.hasLink(worker) {
            world.rig.down(worker)
        } else {
            world.rig.join(worker)
            world.counts[worker] = 0
        }
    }

    private func ask(_ world: inout World) {
        let askers = [BusRig.a, BusRig.b].filter { world.rig.router.hasLink($0) } + world.clients
        guard let asker = world.pick(askers) else { return }
        let responder = asker == BusRig.b ? BusRig.a : BusRig.b
        let count = world.counts[asker, default: 0] + 1
        world.counts[asker] = count
        let id = asker.isClient ? FrameID(rawValue: UInt64(count)) : world.rig.id(asker, count)
        world.asked[asker, default: []].insert(id)
        let size = Int.random(in: 0...1, using: &world.random) * Int.random(in: 0...20_000, using: &world.random)
        world.rig.send(
            Frame(.request, peer: responder, id: id, payload: [UInt8](repeating: 0, count: size)), from: asker)
    }

    private func serve(_ world: inout World) {
        guard let worker = world.pick(World.workers.filter { world.rig.router.hasLink($0) }),
            let (id, requester) = world.pick(Array(world.toServe[worker, default: [:]]))
        else { return }
        let kind: FrameKind = world.pick([.reply, .error, .end, .stream, .stream, .stream]) ?? .reply
        if kind != .stream { world.toServe[worker]?[id] = nil }
        let size = Int.random(in: 0...20_000, using: &world.random)
        world.rig.send(Frame(kind, peer: requester, id: id, payload: [UInt8](repeating: 1, count: size)), from: worker)
    }

    private func cancel(_ world: inout World) {
        guard let asker = world.pick(Array(world.asked.keys)), let id = world.pick(Array(world.asked[asker] ?? []))
        else {
            return
        }
        world.asked[asker]?.remove(id)
        world.rig.send(.cancel, from: asker, to: asker == BusRig.b ? BusRig.a : BusRig.b, id: id)
    }

    /// c claims to answer what it was never asked, under every id there is.
    private func mischief(_ world: inout World) {
        guard world.rig.router.hasLink(BusRig.c), let id = world.pick(Array(world.rig.router.open.keys)) else { return }
        let kind = world.pick([FrameKind.reply, .error, .end, .stream, .credit, .cancel]) ?? .reply
        let peer = world.pick(World.workers + world.clients) ?? BusRig.a
        world.rig.send(Frame(kind, peer: peer, id: id, payload: [0, 0, 0, 1]), from: BusRig.c)
    }

    private func read(_ world: inout World, allOf everyone: Bool) {
        let readers = World.workers + world.clients
        for peer in everyone ? readers : [world.pick(readers) ?? BusRig.a] {
            guard world.rig.router.hasLink(peer) else { continue }
            for frame in world.rig.read(peer) { take(frame, by: peer, &world) }
        }
    }

    private func take(_ frame: Frame, by peer: PeerID, _ world: inout World) {
        let id = frame.header.id
        switch frame.header.kind {
        case .request: world.toServe[peer, default: [:]][id] = frame.header.peer
        case .cancel: world.toServe[peer]?[id] = nil
        case .reply, .end, .error:
            if world.toServe[peer]?.removeValue(forKey: id) != nil { return }
            // What was cancelled may still have been on its way; what is finished is finished once.
            if world.asked[peer]?.remove(id) != nil { world.finished += 1 }
        case .stream:
            // A piece never comes for what somebody else asked.
            #expect(peer.isClient || id.epoch == world.rig.id(peer, 0).epoch)
        case .hello, .welcome, .event, .credit, .ping, .pong, .drain, .drained, .ready, .status, .health: break
        }
    }

    private func check(_ world: World, _ comment: Comment) {
        let router = world.rig.router
        for (peer, link) in router.links {
            let asked = router.open.values.filter { $0.requester == peer }
            let served = router.open.values.filter { $0.responder == peer && $0.isSent }
            let streams = router.open.values.filter { $0.isStreaming && ($0.requester == peer || $0.responder == peer) }
            #expect(link.asking == asked.count && link.serving == served.count, comment)
            #expect(link.streams == streams.count, comment)
            #expect(link.outbox.countedBytes == link.outbox.queuedBytes, comment)
            #expect(link.outbox.queuedBytes <= Outbox.limit + 2 * Outbox.ownLimit, comment)
            // Nobody waits for an answer that the router has forgotten: it is open, or its end is queued.
            #expect(asked.count <= world.asked[peer, default: []].count, comment)
        }
        for request in router.open.values { #expect(router.links[request.requester] != nil, comment) }
        for (peer, queue) in router.waiting {
            #expect(queue.byteCount <= Router.waitBytesLimit && router.links[peer]?.isGreeted != true, comment)
        }
    }

    /// Everybody reads, answers and waits long enough: then nothing may be open any more.
    private func settle(_ world: inout World, _ comment: Comment) throws {
        for _ in 0..<3 {
            read(&world, allOf: true)
            for worker in World.workers where world.rig.router.hasLink(worker) {
                for (id, requester) in world.toServe[worker, default: [:]] {
                    world.rig.send(.reply, from: worker, to: requester, id: id)
                    read(&world, allOf: true)
                }
                world.toServe[worker] = nil
            }
            world.rig.advance(Router.waitLimit)
        }
        read(&world, allOf: true)
        #expect(world.rig.router.open.isEmpty, comment)
        for (peer, left) in world.asked where world.rig.router.hasLink(peer) {
            #expect(left.isEmpty, "\(comment): \(peer) still waits for \(left)")
        }
        for link in world.rig.router.links.values { #expect(link.outbox.queuedBytes == 0, comment) }
    }
}
