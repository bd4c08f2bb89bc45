import Plan
import SupervisorCore
import System
import Wire

/// nexusd goes on as another program in the same process: the same children, pidfds, pipes and sockets. The program that is
/// installed now is asked first whether it could; whatever fails leaves this one at work.
extension Engine {
    /// `upgrade`.
    func askForUpgrade(_ id: FrameID, _ peer: PeerID) {
        audit("\(words(of: peer)) asks: upgrade", peer)
        guard state != .stopping else { return router.fail(id, .failed, "the tree is being stopped") }
        guard upgrade.stage == nil else { return router.fail(id, .busy, "an upgrade is under way") }
        answers.add(id, from: peer, .upgrade)
        do throws(Errno) {
            guard surroundings.programDescriptor >= 0 else { throw .noEntry }
            upgrade.begin(try UpgradeCheck(surroundings, HandoverMemory.make(handover(), kernel)))
        } catch {
            upgrade.count += 1
            refuseUpgrade("\(surroundings.program) cannot be asked whether it could take over: \(error)")
        }
    }

    /// At the end of each turn: what is next, if it can be done now.
    func settleUpgrade() {
        guard let stage = upgrade.stage else { return }
        guard state != .stopping else {
            _ = upgrade.check?.finish()
            return refuseUpgrade("the tree is being stopped")
        }
        switch stage {
        case .checking(let check):
            check.expire(at: now)
            guard check.isOver else { return }
            switch check.finish() {
            case .refused(let why): return refuseUpgrade("\(surroundings.program) \(why)")
            case .fits(let version): upgrade.wait(for: version, at: now)
            }
            settleUpgrade()
        case .waiting(let version, let until):
            if upgradeObstacle == nil { shutDoor(for: version) }
            guard let obstacle = upgradeObstacle else { return handOver() }
            if until <= now {
                refuseUpgrade("within \(UpgradeDesk.patience.words) there was no moment for it: \(obstacle)")
            }
        }
    }

    /// What only this program can finish.
    private var upgradeObstacle: String? {
        if nextAction < actions.count || router.hasDecisions { return "there is too much to do" }
        if let child = launching.first { return "\(names[child]) is not executed yet" }
        if config.current != nil || config.isRecording { return "nexus-config runs" }
        if let child = signalling.first { return "a signal is on its way to \(names[child])" }
        if surroundings.containment.isBehind { return "orphans are being looked at" }
        if let link = severed.first { return "\(names[link.child]) has closed its link and is about to exit" }
        return disposal.isIdle ? nil : "descriptors that others sent are still being closed"
    }

    /// Who asks is told to ask the next program, and comes to it by the same socket.
    private func shutDoor(for version: String) {
        guard !upgrade.isShut else { return }
        upgrade.isShut = true
        listener.shut(surroundings.poller)
        if let entry = answers.takeUpgrade() {
            var json = JSONWriter(capacity: 96)
            json.object {
                $0.field("outcome", "begins")
                $0.field("number", upgrade.count)
                $0.field("version", version)
            }
            router.reply(entry.id, json.bytes)
        }
        let words = "nexusd goes on as another program (nexusctl upgrade): ask again"
        let last = Frame(.error, peer: .nexusd, id: .none, payload: BusErrorCode.unavailable.payload(words)).bytes
        for peer in Array(clients.keys) {
            writeClient(peer)
            dismiss(peer, last)
        }
        partings.endAll()
        for child in probing { if let run = self[child].run { dropProbe(child, run) } }
        router.leaveOnlyWorkers(words, at: now)
        answers = OpenAnswers()
        settleBus()
        while case let peers = router.takeWritable(), !peers.isEmpty { for peer in peers { writeBus(peer) } }
        disposal.begin(with: surroundings.poller, token: EventSource.disposal.token, at: now)
    }

    private func handOver() {
        journal.flush()
        keepState()
        do throws(Errno) {
            try surroundings.tellHandingOver(BegunUpgrade(number: upgrade.count, from: NexusVersion.current))
        } catch {
            return refuseUpgrade(
                "it cannot be written down that it begins (\(surroundings.places.stage): \(error); \(error.remedy)), by "
                    + "which the runs would be kept should \(surroundings.program) not serve")
        }
        let error: Errno
        do throws(Errno) {
            let handover = handover()
            error = try execute(handover, HandoverMemory.make(handover, kernel))
        } catch let failure {
            error = failure
        }
        surroundings.tell(.serving)
        refuseUpgrade("\(surroundings.program) cannot be executed: \(error)")
    }

    /// Comes back only where that failed.
    private func execute(_ handover: Handover, _ document: borrowing OwnedFD) throws(Errno) -> Errno {
        let program = surroundings.programDescriptor
        let numbers = handover.numbers.union([document.raw, program])
        defer { for raw in numbers { try? kernel.closeOnExec(raw, true) } }
        for raw in numbers { try kernel.closeOnExec(raw, false) }
        notify.reloading(at: now)
        let ticket = HandoverTicket(document: document.raw, program: program)
        return kernel.execute(surroundings.program, handover.head.arguments, ticket.environment(kernel))
    }

    /// Nothing came of it: this program goes on, and says why.
    private func refuseUpgrade(_ why: String) {
        let wasShut = upgrade.isShut
        upgrade.end()
        tellUpgrade(.refused(why), from: NexusVersion.current)
        if let entry = answers.takeUpgrade() { router.fail(entry.id, .failed, why) }
        guard wasShut else { return }
        listener.open(surroundings.poller)
        for child in names.ids { if let run = self[child].run { feed(.unprobed(child, run.id)) } }
        carryOut()
    }

    /// The program of an upgrade ended before it served, and this one was started in its place.
    func tellInterrupted(_ begun: BegunUpgrade) {
        upgrade.count = begun.number
        let runs = cells.count { $0.run != nil }
        let own = "nexusd \(NexusVersion.current) (pid \(kernel.processID()))"
        tellUpgrade(
            .interrupted(
                "the program that took over from nexusd \(begun.from) ended before it served; \(own) was started in its place, "
                    + (runs == 0 ? "and begins from nothing" : "and \(counted(runs, "run")) of before go on")),
            from: begun.from)
    }

    /// In the log, in `status` and in `version`.
    func tellUpgrade(_ result: UpgradeOutcome.Result, from: String) {
        let milliseconds = kernel.wallClock() / 1_000_000
        upgrade.last = UpgradeOutcome(number: upgrade.count, from: from, milliseconds: milliseconds, result: result)
        let time = timestamp(second: milliseconds / 1000)
        let own = "nexusd \(NexusVersion.current)"
        let note: String
        let event: LogEvent
        let number = [LogEvent.Field(name: "UPGRADE", value: String(upgrade.count))]
        switch result {
        case .done:
            note =
                "\(own) went on in place of \(from) at \(time) (upgrade \(upgrade.count)); its children are as they were"
            let children = "\(cells.count { $0.run != nil }) runs"
            let words = "\(own) (pid \(kernel.processID())) goes on in place of \(from), with \(children) as they were."
            event = LogEvent(.upgraded, 5, words, nil, nil, number)
        case .refused(let why):
            note = "the upgrade of \(time) was refused, and \(own) goes on: \(why)"
            event = LogEvent(.upgradeRefused, 3, "No upgrade, \(own) goes on: \(why).", nil, nil, number)
        case .interrupted(let why):
            note = "the upgrade before \(time) came to nothing: \(why)"
            event = LogEvent(.upgradeRefused, 3, "No upgrade: \(why).", nil, nil, number)
        }
        notes.removeAll { $0 == upgrade.note }
        notes.append(note)
        upgrade.note = note
        say(event)
    }
}
