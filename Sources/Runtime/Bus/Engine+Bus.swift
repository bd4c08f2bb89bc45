import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    /// What a worker wrote: at most one buffer a turn, so that no link can keep the others waiting.
    func readBus(_ child: ChildID, _ generation: EventSource.Generation) {
        guard let run = run(child, generation) else { return }
        var isOpen = true
        switch run.busInput {
        case .some(let fd):
            let scratch = UnsafeMutableRawBufferPointer(rebasing: surroundings.scratch[..<65_536])
            do {
                let count = try kernel.read(fd, into: scratch)
                isOpen = count > 0
                let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
                if isOpen { router.received(bytes, from: PeerID(child), at: now) }
            } catch {
                isOpen = error == .again
            }
        case .none: return
        }
        guard !isOpen else { return }
        // What it was asked fails now.
        closeBus(run, of: child)
        sever(run, of: child)
    }

    /// The worker is mostly about to exit, and then judged by how it does.
    private func sever(_ run: LivingRun, of child: ChildID) {
        if severed.contains(where: { $0.child == child && $0.run == run.id }) { return }
        severed.append(Severed(child: child, run: run.id, until: now + Self.severedPatience))
    }

    /// A worker that closed its link, or an end of it, and may be about to exit.
    struct Severed {
        let child: ChildID
        let run: RunID
        let until: Instant
    }

    /// For a worker to exit after it has closed its link; one that stays is of no use to anybody.
    static let severedPatience: Duration = .seconds(2)

    func expireSevered() {
        guard let first = severed.first, first.until <= now else { return }
        severed.removeFirst()
        guard let run = self[first.child].run, run.id == first.run, !run.hasExited else { return }
        say(
            LogEvent(
                .linkBroken, 4, "\(names[first.child]) closed its link and did not exit.", names[first.child], first.run
            ))
        remark(first.child, first.run, "it closed its link of the bus and did not exit")
        feed(.linkBroken(first.child, first.run, .crash))
    }

    /// Writes what waits for a worker or a client.
    func writeBus(_ peer: PeerID) {
        if peer.isClient { return writeClient(peer) }
        guard let child = peer.child, has(child), let run = self[child].run, !run.readsNoMore else { return }
        let flushed: Flushed
        switch run.busOutput {
        case .some(let fd): flushed = flush(peer, into: fd)
        case .none: return
        }
        guard flushed != .broken else { return stopWriting(run, of: child) }
        let waits = flushed == .waits
        guard waits != run.awaitsRoom else { return }
        run.awaitsRoom = waits
        let token = EventSource.busOutput(child, run.generation).token
        switch run.busOutput {
        case .some(let fd):
            if waits {
                try? surroundings.poller.add(fd, token: token, for: .writable)
            } else {
                surroundings.poller.remove(fd)
            }
        case .none: break
        }
    }

    /// What came of writing all that is queued for a link.
    enum Flushed {
        case whole
        /// Something is left until there is room.
        case waits
        /// Nothing will ever be taken again: its reader is gone, which the kernel reports as writable without end.
        case broken
    }

    func flush(_ peer: PeerID, into fd: borrowing OwnedFD) -> Flushed {
        while true {
            var takes = true
            var failure: Errno?
            let waits = router.flush(peer, at: now) { bytes in
                do throws(Errno) {
                    let count = try kernel.write(fd, bytes)
                    takes = count == bytes.count
                    return count
                } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { return failure == .again ? .waits : .broken }
            if !waits { return .whole }
            if !takes { return .waits }
        }
    }

    /// What the worker wrote before is still read, to the end of its link; it has the time of one that closed the whole.
    private func stopWriting(_ run: LivingRun, of child: ChildID) {
        if run.awaitsRoom { leave(run.busOutput) }
        run.awaitsRoom = false
        run.readsNoMore = true
        sever(run, of: child)
    }

    /// The link of a run ends; the router tells everybody who waits for it.
    func closeBus(_ run: LivingRun, of child: ChildID) {
        guard plan.isWorker(child) else { return }
        leave(run.busInput)
        if run.awaitsRoom { leave(run.busOutput) }
        run.awaitsRoom = false
        run.busInput = nil
        run.busOutput = nil
        router.linkDown(PeerID(child), at: now)
    }

    /// Carries out what the router decided, until it has nothing more to say.
    func settleBus() {
        while true {
            let decisions = router.takeDecisions()
            if decisions.isEmpty { break }
            for decision in decisions { take(decision) }
            carryOut()
        }
    }

    private func take(_ decision: BusDecision) {
        switch decision {
        case .joined(let peer): joined(peer)
        case .request(let id, let peer, let words): serve(id, from: peer, words)
        case .cancelled(let id):
            answers.forget(id)
            config.forget(id)
        case .answered(let id, let payload): finishQuestion(id, HTTPAnswer(payload))
        case .unanswered(let id, let why): finishQuestion(id, .none(why))
        case .ready(let peer):
            if let (child, run) = living(peer), plan.traits(child).readiness == .bus { feed(.ready(child, run.id)) }
        case .drained(let peer): if let (child, run) = living(peer) { feed(.drained(child, run.id)) }
        case .status(let peer, let text):
            if let (child, run) = living(peer) { self[child].status = text.blotting(run.secrets) }
        case .health(let name, let isHealthy, let why, let peer): takeHealth(name, isHealthy, why, from: peer)
        case .refused(let peer, let other):
            let target = router.name(of: other) ?? "peer \(other.rawValue)"
            auditRefusal("\(words(of: peer)) may not address \(target)", peer)
        case .endLink(let peer, let fault): endLink(peer, fault)
        }
    }

    private func living(_ peer: PeerID) -> (ChildID, LivingRun)? {
        guard let child = peer.child, has(child), let run = self[child].run else { return nil }
        return (child, run)
    }

    private func takeHealth(_ name: String, _ isHealthy: Bool, _ why: String, from peer: PeerID) {
        guard let (worker, speaker) = living(peer) else { return }
        guard let child = names.child(named: name), plan.traits(worker).worker?.mayJudge(child) == true else {
            return auditRefusal("\(names[worker]) may not report the health of \(name)", peer)
        }
        guard let run = self[child].run, !run.hasExited else { return }
        // The worker may know its own secrets and, by its peers, those of the child.
        let words = why.isEmpty ? "unhealthy" : why.blotting(speaker.secrets + run.secrets)
        self[child].health = isHealthy ? nil : "\(names[worker]): \(words)"
        if isHealthy, plan.traits(child).readiness == .health { feed(.ready(child, run.id)) }
        feed(.judged(child, run.id, healthy: isHealthy))
    }

    private func endLink(_ peer: PeerID, _ fault: LinkFault) {
        if peer.isClient { return dismiss(peer, fault.lastWord) }
        guard let (child, run) = living(peer) else { return }
        say(LogEvent(.linkBroken, 4, "The link of \(names[child]) was ended: \(fault).", names[child], run.id))
        switch run.busOutput {
        case .some(let fd): _ = fault.lastWord.withUnsafeBytes { try? kernel.write(fd, $0) }
        case .none: break
        }
        closeBus(run, of: child)
        remark(child, run.id, "its link of the bus was ended: \(fault)")
        feed(.linkBroken(child, run.id, fault.isStall ? .probe : .crash))
    }

    /// Who a peer is, for the log.
    func words(of peer: PeerID) -> String {
        clients[peer]?.words ?? router.name(of: peer) ?? "peer \(peer.rawValue)"
    }

    /// A line about who used a control verb: never left out.
    func audit(_ sentence: String, _ peer: PeerID) { tell(.audit, 5, sentence + ".", peer) }

    /// A line about what somebody was refused, one a second and asker.
    func auditRefusal(_ sentence: String, _ peer: PeerID) {
        let asker =
            clients[peer].map { RefusalMeters.Asker.user($0.credentials.user) } ?? peer.child.map { .worker($0) }
        guard let asker, let untold = refusedAskers.take(asker, at: now) else { return }
        tell(.refused, 4, sentence + "." + RefusalMeter.words(untold), peer)
    }

    private func tell(_ kind: EventKind, _ priority: UInt8, _ words: String, _ peer: PeerID) {
        var fields: [LogEvent.Field] = []
        if let client = clients[peer] {
            fields.append(LogEvent.Field(name: "CLIENT_UID", value: String(client.credentials.user)))
            fields.append(LogEvent.Field(name: "CLIENT_PID", value: client.credentials.process.description))
        }
        let child = peer.child.flatMap { has($0) ? names[$0] : nil }
        say(LogEvent(kind, priority, words, child, nil, fields))
    }
}
