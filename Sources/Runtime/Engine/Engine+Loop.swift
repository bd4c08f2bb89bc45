import SupervisorCore
import System
import Wire

extension Engine {
    /// A loop that wakes this much after it meant to was held up: the machine slept, or the disk did.
    static let lateness: Duration = .seconds(5)

    /// Supervises until the tree has ended; the exit status of nexusd.
    func run() -> Int32 {
        begin()
        // A choice that was obeyed is on disk before nexusd goes, unless it is hurried.
        while finished == nil || (config.isRecording && shutdownLevel < 2) { turn() }
        return conclude()
    }

    func begin() {
        listener.open(surroundings.poller)
        let adoption = surroundings.takeAdoption()
        let goesOn = adoption?.handover != nil
        if !goesOn { say(LogEvent(.supervisorStarted, 5, beginning(adoption))) }
        if let refusal = surroundings.adoptionRefusal { say(LogEvent(.supervisorTrouble, 4, refusal + ".")) }
        if let refusal = surroundings.keepingRefusal {
            notes.append(refusal)
            say(LogEvent(.supervisorTrouble, 4, refusal.prefix(1).uppercased() + refusal.dropFirst() + "."))
        }
        surroundings.leftovers.events.forEach(say)
        if let note = surroundings.lifeNote { say(LogEvent(.supervisorTrouble, 3, note + ".")) }
        CredentialFiles.removeLeftovers(
            kernel, disposal, directory: surroundings.places.credentials,
            sparing: Set(adoption?.living.map { names[$0] } ?? []))
        if let adoption {
            if let handover = adoption.handover { resume(adoption, handover) } else { adopt(adoption) }
        }
        if let begun = surroundings.interruptedUpgrade { tellInterrupted(begun) }
        beginSchedules()
        turnBegan = kernel.monotonic()
        if adoption == nil {
            openAllSockets()
            core.start(at: now, jitter: jitter(), into: &actions)
            // Until log-writer runs for the first time it is as absent as after a crash.
            if logWriter != nil { outputGuard.begin(at: now) }
        }
        keepAll()
        board.touchAll()
        if let pipeWatch { try? surroundings.poller.add(pipeWatch.set, token: EventSource.outputs.token, for: []) }
        carryOut()
        endTurn()
        if goesOn { surroundings.tell(.serving) }
    }

    /// What this nexusd has, and of whom.
    private func beginning(_ adoption: Adoption?) -> String {
        let count = names.shown.children.count
        let what =
            adoption.map { adoption in
                let living = adoption.living.map { names[$0] }
                let more = living.count > 8 ? " and \(living.count - 8) more" : ""
                let runs =
                    living.isEmpty
                    ? "none of its runs is there any more"
                    : "of its runs go on \(living.prefix(8).joined(separator: ", "))\(more)"
                return
                    "goes on for an earlier one, which \(surroundings.predecessorsEnd), by its plan of \(count) children; \(runs)"
            } ?? "begins with \(count) children of \(planWords)"
        return "nexusd \(NexusVersion.current) (pid \(kernel.processID())) \(what)."
    }

    private var planWords: String {
        guard runsLastGood else { return surroundings.config }
        return "the last good plan, \(lastGood), for \(surroundings.config) was refused"
    }

    /// Where nexus-config keeps the plan that was accepted last.
    var lastGood: String { surroundings.directories.state + "/last-good" }

    func turn() {
        let deadline = nextDeadline
        plannedWake = deadline
        do {
            // What could not be carried out in the last turn goes on at once, after a look at everything else.
            let limit = isUnfinished ? .zero : deadline.map { $0 - now }
            try surroundings.poller.wait(atMost: limit)
        } catch {
            say(LogEvent(.supervisorTrouble, 2, "The loop cannot wait: \(error)."))
        }
        now = kernel.monotonic()
        turnBegan = now
        if let plannedWake, now >= plannedWake { loopClock.lateness.add(now - plannedWake) }
        if let plannedWake, now - plannedWake > Self.lateness { wasLate(by: now - plannedWake) }
        if surroundings.containment.goOn() { settleLingering() }
        goOnSignalling()
        let batch = surroundings.poller.batch
        // Deaths first: the way from a crash to its replacement is the shortest there is.
        for index in 0..<batch.count where batch[index].token == EventSource.signals.token { takeSignals() }
        for index in 0..<batch.count {
            let event = batch[index]
            if let source = EventSource(token: event.token) { take(source, event.events) }
        }
        takeDeadlines()
        settleConfig()
        carryOut()
        endTurn()
        loopClock.turns.add(kernel.monotonic() - turnBegan)
    }

    /// Work that was cut off for the sake of the others.
    private var isUnfinished: Bool {
        nextAction < actions.count || hasMoreStatus || router.hasDecisions || !signalling.isEmpty
            || surroundings.containment.isBehind
    }

    /// Nobody is judged for what was not read in time; that goes for probes under way too.
    private func wasLate(by lateness: Duration) {
        for child in probing { self[child].run?.probe?.extend(by: lateness) }
        pulse.extend(by: lateness)
        feed(.late(lateness))
    }

    private func take(_ source: EventSource, _ events: PollEvents) {
        switch source {
        case .signals: break
        case .planOutput, .planDiagnostics: config.current?.run.take(source)
        case .clock: clockWasSet()
        case .disposal: takeDisposals()
        case .upgradeCheck: upgrade.check?.listen()
        case .listener: acceptClients()
        case .client(let number): serveClient(PeerID(rawValue: number), events)
        case .notify(let child): hearNotify(child)
        case .readyDescriptor(let child, let generation): readReadiness(child, generation)
        case .launch(let child, let generation):
            if let run = run(child, generation) { readLaunch(child, run) }
        case .busInput(let child, let generation): readBus(child, generation)
        case .busOutput(let child, let generation): if run(child, generation) != nil { writeBus(PeerID(child)) }
        case .population(let child, let generation): if run(child, generation) != nil { settleRun(child) }
        case .probe(let child, let generation): readProbe(child, generation)
        case .adopted(let child, let generation):
            if let run = run(child, generation) { adoptedEnded(child, run) }
        case .logLink(let generation): if journal.link?.generation == generation { readReports() }
        case .outputs: askLogWriter()
        case .logWriterErrors(let generation): readLogWriterErrors(generation)
        }
    }

    /// What is due by the clock.
    private func takeDeadlines() {
        if let due = reapAgainAt, due <= now {
            reapAgainAt = nil
            reap()
        }
        if let due = core.nextDeadline, due <= now {
            // A watchdog is judged after everything its child has said was heard.
            for cell in cells where cell.notify != nil { hearNotify(cell.id, all: true) }
            feed(.tick)
        }
        expireLaunches()
        expireProbes()
        if let due = router.nextDeadline, due <= now { router.tick(now) }
        expireSevered()
        expireClients()
        partings.expire(at: now)
        listener.resume(surroundings.poller, at: now)
        resumeLogLink()
        expireLastLines()
        lookAtMemory()
        settleWishes()
        if let due = pulse.deadline, due <= now { feelPulse() }
        if let due = outputGuard.deadline, due <= now { discardOutput() }
        if let due = crowded.deadline, due <= now { letOn() }
    }

    /// Everything that is not on the way from a death to a replacement.
    private func endTurn() {
        removePIDFiles()
        settleLeaving()
        settleBus()
        settleBoard()
        settleAnswers()
        journal.flush()
        watchLogLink()
        if journal.takeSent() { askLogWriter() }
        // Before anybody is told: what was answered must not be forgotten by a nexusd that is killed just then.
        keepState()
        // What is written may answer a ping: until nobody has anything new to read.
        while case let peers = router.takeWritable(), !peers.isEmpty { for peer in peers { writeBus(peer) } }
        // Who takes a long answer as fast as it is made brings no event: the next turn goes on with it.
        hasMoreStatus = answers.hasListing { router.answerBytes(for: $0) == 0 }
        serving.reset()
        announce()
        disposal.begin(with: surroundings.poller, token: EventSource.disposal.token, at: now)
        settleUpgrade()
    }

    private var nextDeadline: Instant? {
        var earliest: Instant?
        func consider(_ instant: Instant?) {
            if let instant, instant < earliest ?? Instant(nanoseconds: .max) { earliest = instant }
        }
        consider(core.nextDeadline)
        consider(config.deadline)
        consider(router.nextDeadline)
        consider(notify.deadline)
        consider(answers.deadline)
        consider(outputGuard.deadline)
        consider(pulse.deadline)
        consider(memory.deadline)
        consider(wishes.deadline)
        consider(crowded.deadline)
        consider(listener.resumeAt)
        consider(journal.link?.restsUntil)
        consider(disposal.retryAt)
        consider(partings.deadline)
        consider(reapAgainAt)
        consider(keepAgainAt)
        consider(keeper?.proofDue)
        consider(upgrade.deadline)
        consider(severed.first?.until)
        consider(board.deadline(started: started))
        for child in launching { consider(self[child].run?.launch?.deadline) }
        for child in probing { consider(self[child].run?.probe?.deadline) }
        for client in clients.values { consider(client.deadline) }
        return earliest
    }
}
