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
    /// What was chosen before cannot be read, in words.
    var damage: String?
    /// Settings that were refused while something older goes on.
    var complaint: String?
    var hasNewProgram = false
    var gate = TurnGate()
    /// Followed so far: what was looked at before one is no news after it.
    var changes = 0
    private var lastOrder: Task<Void, Never>?
    private var tail: LogTail
    private var turns = 0
    private var shown = ""
    private var announced: String?

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
            damage = "what was chosen cannot be read, so it stays off until nexusctl tunnel start: \(error)"
        }
        tail = LogTail(path: workshop.logFile)
    }

    var now: Duration { clock.now - began }

    /// What is wanted: by command, else by the file.
    var wanted: TunnelMode { choice.wanted(workshop.settings.mode) }

    /// Until it is cancelled.
    func run() async {
        let routes = Task { for await _ in NetworkRoutes.changes() { wake.yield() } }
        let ticks = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: pace.look)
                wake.yield()
            }
        }
        defer {
            routes.cancel()
            ticks.cancel()
        }
        await begin()
        for await _ in wakes {
            await turn()
            if turns.isMultiple(of: pace.outside) { await lookFromOutside() }
            if Task.isCancelled { return }
        }
    }

    private func begin() async {
        await enter()
        defer { gate.leave() }
        await act(on: .network(isUp: NetworkRoutes.hasDefault()))
        if let damage { Log.error(damage) }
        settleChoice()
        await takeUp()
        show()
    }

    /// Until those who came before are through.
    func enter() async {
        await withCheckedContinuation { gate.enter($0) }
    }

    /// A tunnel that a tunnel-worker before this one had started goes on as it is: a new quick tunnel would have a new name.
    private func takeUp() async {
        guard wanted != .off else { return await act(on: .chosen(.off)) }
        if let answer = try? await bus.ask("status \(Self.child)"), let seen = ChildReport(answer), seen.isRunning,
            let run = seen.run
        {
            preparation = await workshop.inForce(wanted)
            if preparation != nil { return await act(on: .found(wanted, run: run)) }
            // It runs on settings that are others now: when they are good, what follows is a restart and no start.
            if (try? await workshop.check(wanted)) != nil { await act(on: .found(wanted, run: run)) }
        }
        await choose(wanted)
    }

    /// Prepares what a mode needs and starts it; the error is that of its settings, and then what was before goes on.
    @discardableResult
    func choose(_ mode: TunnelMode) async -> TunnelError? {
        do {
            // Looked at before anything is stopped or written; the start prepares, with a port of that moment.
            try await workshop.check(mode)
            complaint = nil
            await act(on: .chosen(mode))
            return nil
        } catch {
            complaint = error.description
            await act(on: .settingsRefused(error.description))
            return error
        }
    }

    private func turn() async {
        await enter()
        defer { gate.leave() }
        turns += 1
        if settleChoice() { await follow() }
        // Somebody may start the child by its name: what is not wanted is not left open.
        guard wanted != .off else { return await lookAtChild() }
        await act(on: .network(isUp: NetworkRoutes.hasDefault()))
        await lookAtChild()
        await lookAtMetrics()
        for fact in tail.facts() { await act(on: .logged(fact)) }
        // Nothing is offered before it was looked at.
        if turns.isMultiple(of: pace.door) || machine.state == .starting { await lookAtDoors() }
        if turns.isMultiple(of: pace.settings) { await lookAtSettings() }
        await act(on: .tick)
        show()
    }

    // MARK: - Looking

    private func lookAtChild() async {
        guard let answer = try? await bus.ask("status \(Self.child)"), let seen = ChildReport(answer) else { return }
        var end = seen.end
        if let ended = end, !ended.asked, ended.run != lastExplained {
            lastExplained = ended.run
            explanation = await lastWords()
        }
        if let explanation, end?.run == lastExplained { end?.words += ": \(explanation)" }
        await act(on: .child(seen.isRunning ? .running(run: seen.run ?? "") : .down(end)))
    }

    private var lastExplained: String?
    private var explanation: String?

    /// The line with which it ended; a bare one, which a failed start says last, before any other.
    private func lastWords() async -> String? {
        guard let answer = try? await bus.ask("why \(Self.child)") else { return nil }
        return ChildReport.lastWords(inWhy: answer)
    }

    private func lookAtMetrics() async {
        guard let metrics = preparation?.metrics else { return }
        measurement = await metrics.measure()
        let excess = measurement?.rules?.excess(
            chatSocket: workshop.settings.chatSocket, endsInChat: machine.chosen == .quick)
        await act(on: .measured(measurement, excess: excess))
    }

    private func lookAtDoors() async {
        let door = ChatDoor(socket: workshop.settings.chatSocket, host: host ?? "localhost")
        await act(on: .origin(answers: await door.answers()))
        var opening = await door.opening()
        if opening == nil, let port = await agentPort() {
            opening = await AgentDoor.opening(port: port)
        }
        await act(on: .opening(opening))
    }

    /// Where the agent listens, as nexusd has it: values go to siblings by themselves, and this is none.
    private func agentPort() async -> UInt16? {
        struct Answer: Decodable { var values: [String: String] }
        guard let payload = try? await bus.ask("status opencode") else { return nil }
        return (try? JSONDecoder().decode(Answer.self, from: Data(payload)))?.values["port"].flatMap { UInt16($0) }
    }

    /// Takes up to 10 s, so no command waits for it.
    private func lookFromOutside() async {
        guard wanted != .off, let address else { return }
        let before = changes
        let hop = await ChainCheck(url: address, socket: workshop.settings.chatSocket, edge: pace.edge).outside()
        await enter()
        defer { gate.leave() }
        guard changes == before else { return }
        await act(on: .outside(answers: hop.isGood))
    }

    private func lookAtSettings() async {
        if let program = preparation?.program {
            hasNewProgram = CloudflaredProgram.FileMark(path: program.path) != program.file
        }
        if case .settingsRefused = machine.state { await choose(wanted) }
    }

    // MARK: - Acting

    /// One event, and what follows from it.
    func act(on event: TunnelMachine.Event) async {
        let before = machine.state.name
        let actions = machine.step(event, at: now)
        for action in actions { await carryOut(action) }
        if machine.state.name != before { Log.notice("the tunnel: \(machine.state.words)") }
    }

    private func carryOut(_ action: TunnelMachine.Action) async {
        switch action {
        case .start(let transport): await start(transport, "start")
        case .restart(let transport, let why):
            Log.notice("cloudflared is started anew: \(why)")
            await start(transport, "restart")
        case .stop: order("stop")
        case .healthy: bus.health(of: Self.child, healthy: true)
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
            preparation = try await workshop.prepare(machine.chosen, transport)
            hasNewProgram = false
            measurement = nil
            order(verb)
        } catch {
            complaint = error.description
            Log.error(error.description)
            order("stop")
            _ = machine.step(.chosen(.off), at: now)
            _ = machine.step(.settingsRefused(error.description), at: now)
        }
    }

    /// What comes of it is seen; nobody waits for it here. Requests that wait would pile up while it does not come to be,
    /// until nexusd takes no more of them, not even a question. They go in the order in which they were given.
    private func order(_ verb: String, _ child: String = TunnelKeeper.child) {
        lastOrder = Task { [bus, lastOrder] in
            await lastOrder?.value
            do {
                _ = try await bus.ask("\(verb) \(child) --no-wait")
            } catch let error as BusError where error.code == .refused {
                Log.error("\(error.message); [child.tunnel-worker] needs may = [\"\(verb):\(child)\"]")
            } catch {
                // It did not come to be, or something else was asked meanwhile: the next look tells.
                Log.info("\(verb) \(child): \(error)")
            }
        }
    }

    // MARK: - Telling

    /// The state's, and what more there is to say about it.
    var words: String {
        let chat = workshop.settings.chatSocket
        var all = [machine.state.words]
        if machine.state.connections != nil, measurement?.rules?.leadsToChat(chat) == false {
            all.append("no rule leads to the chat; the service to point at is unix:\(chat)")
        }
        if let damage { all.append(damage) }
        return all.joined(separator: "; ")
    }

    /// The status line, when it changed; a new address of a quick tunnel also goes to the log.
    func show() {
        var words = words
        if let address { words += " at \(address)" }
        if let complaint, !words.contains(complaint) { words += "; not taken: \(complaint)" }
        if let former = choice.former {
            words += "; on trial: back to \(former.wanted(workshop.settings.mode).rawValue) unless it is kept"
        }
        if hasNewProgram { words += "; another cloudflared lies on disk: nexusctl tunnel start" }
        if words != shown {
            shown = words
            bus.status(words)
        }
        guard let address, address != announced else { return }
        announced = address
        Log.notice("the page is reached at \(address)")
        tell(address)
    }

    /// chat-bridge brings it to the owner's devices where that is wanted (docs/word.md); it may be down, and asks later.
    private func tell(_ address: String) {
        guard bus.peer(named: Self.bridge) != nil,
            let event = try? JSON.line(AddressEvent(url: address, url_lasts: wanted != .quick))
        else {
            return
        }
        Task { [bus] in try? await bus.emit(event, to: Self.bridge) }
    }

    /// The name that visitors use.
    var host: String? {
        switch machine.chosen {
        case .off: nil
        case .quick: measurement?.quickHostname
        case .named: workshop.settings.hostname
        case .token:
            workshop.settings.hostname
                ?? measurement?.rules?.hostnames(chatSocket: workshop.settings.chatSocket).first
        }
    }

    /// `https://…` while cloudflared is connected, and before that for a name that is known.
    var address: String? { host.map { "https://\($0)" } }
}
