import Foundation
import Tunnel
import WorkerKit

/// Feeds the machine with what is seen, carries out what it says, tells nexusd how it is. Turns and commands go one after
/// the other, by `gate`: an actor alone is entered anew at each await.
actor TunnelKeeper {
    /// The child in Supervisor.toml.
    static let child = "cloudflared"
    /// The worker in Supervisor.toml, and in this child's `peers`.
    static let bridge = "chat-bridge"

    let bus: Bus
    let workshop: TunnelWorkshop
    let pace: Pace
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private let wakes: AsyncStream<Void>
    nonisolated let wake: AsyncStream<Void>.Continuation

    var machine: TunnelMachine
    var choice: TunnelChoice
    var preparation: TunnelWorkshop.Preparation?
    var measurement: TunnelMeasurement?
    /// Why the file says something else than `choice`; nil: it does not.
    var unwritten: TunnelError?
    /// What was chosen before cannot be read, in words.
    var damage: String?
    /// Settings that were refused while something older goes on.
    var complaint: String?
    /// The owner's file says another secret than the one with which cloudflared was started.
    var hasNewerSecret = false
    var programOnDisk = CloudflaredProgram.OnDisk.same
    /// As nexusd said at the last look.
    var isChildReady = false
    var childPID: Int32?
    var gate = TurnGate()
    var isLookingBeyond = false
    var isLookingFromOutside = false
    /// What the last look through the public address found there, when that was not this machine's page.
    var seenOutside: ChainCheck.Verdict?
    /// The directory with what is in force was taken away.
    var isDirectoryGone = false
    /// The first look is over.
    private(set) var hasBegun = false
    /// Followed so far: what was looked at before one is no news after it.
    var changes = 0
    /// True: nexusd has taken it.
    var lastOrder: Task<Bool, Never>?
    /// The end of a run, in words.
    var explained: Explained?
    var shown = ""
    var announced: String?
    var told: ChatNews?
    private var tail: LogTail
    private var turns = 0
    private var ticker: Task<Void, Never>?

    init(bus: Bus, workshop: TunnelWorkshop, pace: Pace) {
        self.bus = bus
        self.workshop = workshop
        self.pace = pace
        began = clock.now
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        machine = TunnelMachine(patience: pace.patience)
        do {
            choice = try TunnelChoice.read(in: workshop.directory)
        } catch {
            choice = TunnelChoice(mode: nil, isOn: false)
            // Where the file has no mode either there is nothing that a start could take.
            let way = workshop.settings.mode == .off ? "setup" : "start"
            damage = "what was chosen cannot be read, so it stays off until nexusctl tunnel \(way): \(error)"
        }
        tail = LogTail(path: workshop.logFile)
    }

    var now: Duration { clock.now - began }

    /// What is wanted: by command, else by the file.
    var wanted: TunnelMode { choice.wanted(workshop.settings.mode) }

    /// Nothing is in force that is not wanted: before nexusd may start the child, whose choice somebody may have kept there.
    /// Who asks before the first look waits for it: it begins with the gate.
    func makeReady() async {
        await enter()
        if wanted == .off { retract() }
    }

    /// Until it is cancelled.
    func run() async {
        let ears = [
            Task { for await _ in NetworkRoutes.changes() { wake.yield() } },
            Task { await hearOfChild() },
            // One that stands still in a thought has no time for this; looks have limits of their own.
            Task { await Watchdog.feed { await self.comeRound() } },
        ]
        defer {
            ears.forEach { $0.cancel() }
            ticker?.cancel()
        }
        await begin()
        wind()
        for await _ in wakes {
            await turn()
            if turns.isMultiple(of: pace.outside) { lookFromOutside() }
            if Task.isCancelled { return }
            wind()
        }
    }

    private func comeRound() {}

    /// The next look. While no tunnel is wanted there is none: what happens to the child is told.
    private func wind() {
        ticker?.cancel()
        ticker = nil
        if wanted == .off, choice.trial == nil, !machine.hasStray, unwritten == nil { return }
        ticker = Task { [wake, pace] in
            if (try? await Task.sleep(for: pace.look)) != nil { wake.yield() }
        }
    }

    /// Since `makeReady`, nobody else had a turn.
    private func begin() async {
        defer { gate.leave() }
        await act(on: .network(isUp: NetworkRoutes.leadOut()))
        if let damage { Log.error(damage) }
        settleChoice()
        await takeUp()
        await lookAtMetrics()
        await keepHalt()
        hasBegun = true
        show()
    }

    /// Until those who came before are through.
    func enter() async {
        await withCheckedContinuation { gate.enter($0) }
    }

    /// A tunnel that a tunnel-worker before this one had started goes on as it is: a new quick tunnel would have a new name.
    private func takeUp() async {
        guard wanted != .off else { return await act(on: .chosen(.off)) }
        let seen = await childReport()
        // What ended before this tunnel-worker began is no news.
        if let ended = seen?.lastEnd?.run { _ = machine.step(.child(.off(run: ended)), at: now) }
        if let halt = choice.halt, seen?.run == nil || halt != .stopped {
            return await act(on: .halted(wanted, halt))
        }
        guard let seen, !seen.isOff else {
            // Who stops it here takes away what it would be started with: that this is still there was somebody else's stop.
            if let ended = seen?.lastEnd?.run, workshop.isAfterStart(ended) {
                return await act(on: .halted(wanted, .stopped))
            }
            await choose(wanted)
            return
        }
        // What nexusd has given up for now is tried at once, by the settings of now.
        if !seen.isParked, await adopt(seen) { return }
        await choose(wanted)
    }

    /// Takes what was put in force by a tunnel-worker before this one for its own; true: it runs, and is what a start of now
    /// would be.
    func adopt(_ seen: ChildReport) async -> Bool {
        guard let standing = await workshop.standing(wanted) else { return false }
        preparation = standing
        await act(on: .found(standing.mode, run: seen.run))
        guard seen.run != nil, let same = await workshop.inForce(wanted, stopTimeout: await stopTimeout()) else {
            return false
        }
        preparation = same
        return true
    }

    /// Prepares what a mode needs and starts it; the error is that of its settings, and then what was before goes on.
    @discardableResult
    func choose(_ mode: TunnelMode) async -> TunnelError? {
        do {
            // Looked at before anything is stopped or written; the start prepares, with a port of that moment.
            try await workshop.check(mode)
            complaint = nil
            // Nothing is offered before it was looked at; what is held because it stood open is looked at anyway.
            if case .exposesMoreThanTheChat = machine.state {} else { await lookAtDoors() }
            await act(on: .chosen(mode))
        } catch {
            complain(error)
            let isBack = await putBackFormer(mode)
            // What was in force last goes on, also over a restart of everything: the start takes it back.
            if isBack || !machine.isUp, let last = await workshop.lastMode() {
                await lookAtDoors()
                await act(on: .chosen(last))
            } else {
                await act(on: .settingsRefused(error.description))
            }
        }
        return complaint.map { TunnelError($0) }
    }

    /// Said once, and shown until it is good.
    func complain(_ error: TunnelError) {
        if complaint != error.description { Log.error("not taken: \(error)") }
        complaint = error.description
    }

    private func turn() async {
        await enter()
        defer { gate.leave() }
        turns += 1
        if unwritten != nil, turns.isMultiple(of: pace.door) { writeChoice() }
        if settleChoice() { await follow() }
        // Somebody may start the child by its name: what is not wanted is not left open.
        guard wanted != .off else {
            await lookAtChild()
            return show()
        }
        await act(on: .network(isUp: NetworkRoutes.leadOut()))
        await lookAtChild()
        // The rest may take its time: what is said of an end is not to stand when the next run is there.
        if case .crashed = machine.state { show() }
        await lookAtMetrics()
        for fact in tail.facts() { await act(on: .logged(fact)) }
        if turns.isMultiple(of: pace.door) || machine.state == .starting { await lookAtDoors() }
        if turns.isMultiple(of: pace.door) || machine.awaitsEdge { lookAtUplink() }
        if turns.isMultiple(of: pace.settings) { await lookAtSettings() }
        await act(on: .tick)
        await keepHalt()
        show()
    }

    /// What keeps it down until a command is kept as long: over restarts of everything.
    func keepHalt() async {
        let halt = machine.halt?.bounded
        guard wanted != .off, halt != choice.halt else { return }
        if halt == .stopped, await isTreeEnding() { return }
        choice.halt = halt
        writeChoice()
    }

    /// It holds whatever becomes of the file: that it would be forgotten is said, and it is written when it can be.
    func writeChoice() {
        do {
            try choice.write(in: workshop.directory)
            if unwritten != nil { Log.notice("what was chosen is written now, and holds over restarts") }
            unwritten = nil
        } catch {
            if unwritten != error { Log.error("what was chosen holds, and cannot be written: \(error)") }
            unwritten = error
        }
    }

    // MARK: - Acting

    /// One event, and what follows from it.
    func act(on event: TunnelMachine.Event) async {
        let before = machine.state.name
        let actions = machine.step(event, at: now)
        for action in actions { await carryOut(action) }
        if machine.state.name != before { Log.notice("the tunnel: \(stateWords)") }
    }

    private func carryOut(_ action: TunnelMachine.Action) async {
        switch action {
        case .start(let transport): await start(transport, "start")
        case .restart(let transport, let why):
            Log.notice("cloudflared is started anew: \(why)")
            await start(transport, "restart")
        case .stop, .end:
            switch machine.state {
            // That passes, and whatever has become of the owner's settings meanwhile, this was in force.
            case .noNetwork, .noUplink, .noNames, .credentialsRefused, .crashed: workshop.setAside()
            case .off, .settingsRefused, .stopped, .starting, .connecting, .waitingForConfiguration, .connected,
                .degraded, .reconnecting, .originDown, .exposesMoreThanTheChat:
                retract()
            }
            // Told to stop it serves on what is under way, for minutes.
            order("stop", then: action == .end ? "signal \(Self.child) KILL" : nil)
        // It is for the start: of one that is ready a frame at each look would say nothing new.
        case .healthy: if !isChildReady { bus.health(of: Self.child, healthy: true) }
        case .mendChat: await mendChat()
        }
    }

    /// One that is down, or on its way, is in nexusd's hands.
    private func mendChat() async {
        guard let answer = try? await bus.ask("status \(Self.bridge)"), ChildReport(answer)?.isReady == true else {
            return
        }
        Log.error("\(Self.bridge) is ready and answers nobody on its socket: it is started anew")
        order("restart", Self.bridge)
    }

    private func start(_ transport: TunnelMachine.Transport, _ verb: String) async {
        do {
            preparation = try await workshop.prepare(
                machine.chosen, transport, stopTimeout: await stopTimeout(), after: machine.lastEnded)
            (programOnDisk, hasNewerSecret) = (.same, false)
            (measurement, seenOutside) = (nil, nil)
            // What was chosen lay there too.
            if isDirectoryGone { writeChoice() }
            isDirectoryGone = false
            if choice.trial == nil { workshop.forgetFormer() }
            order(verb)
        } catch {
            complain(error)
            let isBack = await putBackFormer(machine.chosen)
            if isBack || workshop.takeBack(), let standing = await workshop.standing(machine.chosen),
                verb == "restart" || standing.program != nil
            {
                // What was in force stays so.
                preparation = standing
                _ = machine.step(.found(standing.mode, run: nil), at: now)
                return order(verb)
            }
            retract()
            order("stop")
            _ = machine.step(.chosen(.off), at: now)
            _ = machine.step(.settingsRefused(error.description), at: now)
        }
    }

    /// What comes of it is seen; nobody waits for it here. Requests that wait would pile up while it does not come to be,
    /// until nexusd takes no more of them, not even a question. They go in the order in which they were given.
    /// - Parameter next: asked for when that is taken; whether that is, too, nobody waits for.
    private func order(_ verb: String, _ child: String = TunnelKeeper.child, then next: String? = nil) {
        lastOrder = Task { [bus, lastOrder] in
            _ = await lastOrder?.value
            do {
                _ = try await bus.ask("\(verb) \(child) --no-wait")
                // It fails where no process is left.
                if let next { _ = try? await bus.ask(next) }
                return true
            } catch let error as BusError where error.code == .refused {
                Log.error("\(error.message); [child.tunnel-worker] needs may = [\"\(verb):\(child)\"]")
            } catch {
                // It did not come to be, or something else was asked meanwhile: the next look tells.
                Log.info("\(verb) \(child): \(error)")
            }
            return false
        }
    }
}
