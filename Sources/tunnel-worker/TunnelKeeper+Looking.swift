import Foundation
import Tunnel
import Wire
import WorkerKit

/// What is looked at, and where.
extension TunnelKeeper {
    /// Whatever became of the child is looked at at once; ends when nexusd does not let it hear.
    func hearOfChild() async {
        struct Told: Decodable {
            var child: String?
            var message_id: String?
        }
        while !Task.isCancelled {
            do {
                for try await payload in try await bus.follow("events") {
                    let told = try? JSONDecoder().decode(Told.self, from: Data(payload))
                    guard told?.child == Self.child else { continue }
                    if told?.message_id == EventKind.staysOff.messageID { await keepOff() }
                    wake.yield()
                }
            } catch is CancellationError {
                return
            } catch let error as BusError where error.code == .refused {
                return Log.error("\(error.message); [child.tunnel-worker] needs may = [\"status\"]")
            } catch {
                Log.debug("events: \(error)")
            }
            try? await Task.sleep(for: .seconds(5))
        }
    }

    /// Kept at once: nothing that is looked at later would tell.
    private func keepOff() async {
        await enter()
        defer { gate.leave() }
        guard wanted != .off else { return }
        await act(on: .stopped)
        await keepHalt()
        show()
    }

    /// Once, for who asks how it is now.
    func lookAgain() async {
        guard !gate.isBusy else { return }
        await enter()
        defer { gate.leave() }
        await lookAtChild()
        await keepHalt()
        show()
    }

    func lookAtChild() async {
        // nexusd has what was ordered before it is asked: what it says then is nobody's old news.
        let isOrderTaken = await lastOrder?.value ?? true
        guard let seen = await childReport() else { return }
        (isChildReady, childPID) = (seen.isReady, seen.pid)
        if let run = seen.run {
            let isNews = seen.lastEnd.map { $0.run != machine.lastEnded || isOpen($0.run) } ?? false
            await act(on: .child(.running(run: run, after: isNews ? await end(of: seen) : nil)))
            // Started by its name, on what a tunnel-worker before this one had prepared.
            if machine.isUp, preparation == nil, !(await adopt(seen)) { await choose(wanted) }
            return
        }
        measurement = nil
        if seen.isOff {
            if isOrderTaken { await act(on: .child(.off(run: seen.lastEnd?.run))) }
        } else if machine.isUp || !seen.isStopping {
            await act(on: .child(.down(await end(of: seen), seen.next)))
        }
    }

    func childReport() async -> ChildReport? {
        guard let answer = try? await bus.ask("status \(Self.child)") else { return nil }
        return ChildReport(answer)
    }

    /// With the line that tells why. Nil: none, or somebody asked for it, or it is not over.
    private func end(of seen: ChildReport) async -> TunnelMachine.TunnelChild.End? {
        guard let last = seen.lastEnd, !last.isAsked, !seen.isStopping else { return nil }
        if explained?.run != last.run || isOpen(last.run) {
            let why = try? await bus.ask("why \(Self.child)")
            let lines = why.map { ChildReport.lastLines(of: last.run, inWhy: $0) } ?? []
            let looks = explained?.run == last.run ? (explained?.looks ?? 0) + 1 : 1
            explained = Explained(
                run: last.run, words: EndWords(exit: last.exit, byNexusd: last.byNexusd, lines: lines), looks: looks,
                isOpen: lines.isEmpty && looks < Self.lineLooks)
        }
        guard let words = explained?.words else { return nil }
        return .init(run: last.run, words: words.words, kind: words.kind)
    }

    /// Of the end of a run.
    struct Explained {
        let run: String
        let words: EndWords
        /// So often its last lines were asked for.
        let looks: Int
        /// There were none: log-writer may not have them yet.
        let isOpen: Bool
    }

    /// After so many it has said nothing.
    private static let lineLooks = 5

    private func isOpen(_ run: String) -> Bool { explained.map { $0.run == run && $0.isOpen } ?? false }

    /// The child's, in force.
    func stopTimeout() async -> Duration {
        let answer = try? await bus.ask("settings \(Self.child)")
        return answer.flatMap(ChildReport.stopTimeout) ?? .seconds(10)
    }

    /// Everything is off then, and nobody chose that. Who cannot be asked may be on its way out.
    func isTreeEnding() async -> Bool {
        struct Answer: Decodable { var state: String }
        guard let payload = try? await bus.ask("status"),
            let answer = try? JSONDecoder().decode(Answer.self, from: Data(payload))
        else { return true }
        return answer.state == "stopping"
    }

    func lookAtMetrics() async {
        guard machine.isUp, let metrics = preparation?.metrics else { return }
        measurement = await metrics.measure()
        let isSuspended = measurement == nil && childPID.map(ProcessState.isStopped) == true
        await act(on: .suspended(isSuspended))
        if measurement == nil, !(await metrics.isOpen()) { return await act(on: .unopened) }
        let excess = measurement?.rules?.excess(chatSocket: workshop.settings.chatSocket)
        await act(on: .measured(measurement, excess: excess))
    }

    func lookAtDoors() async {
        let door = ChatDoor(
            socket: workshop.settings.chatSocket, host: host ?? workshop.settings.hostname ?? "localhost")
        let wasDown = !machine.originAnswers
        await act(on: .origin(answers: await door.answers()))
        // Whether visitors get the page again is not left to the next turn of that.
        if wasDown, machine.originAnswers { lookFromOutside() }
        let agent: DoorLook = if let port = await agentPort() { await AgentDoor.look(port: port) } else { .unseen }
        await act(on: .door(await door.look().and(agent)))
    }

    /// Where the agent listens, as nexusd has it: values go to siblings by themselves, and this is none.
    private func agentPort() async -> UInt16? {
        struct Answer: Decodable { var values: [String: String] }
        guard let payload = try? await bus.ask("status opencode") else { return nil }
        return (try? JSONDecoder().decode(Answer.self, from: Data(payload)))?.values["port"].flatMap { UInt16($0) }
    }

    /// One at a time: it takes up to 10 s, so nobody waits for it, the next look neither.
    func lookFromOutside() {
        // By a name that no rule leads here a look says nothing of the tunnel.
        guard wanted != .off, isLedHere, !isLookingFromOutside, let address else { return }
        isLookingFromOutside = true
        let (before, isChatThere) = (changes, machine.originAnswers)
        let check = ChainCheck(url: address, socket: workshop.settings.chatSocket, edge: pace.edge)
        Task {
            let hop = await check.outside()
            await enter()
            defer { gate.leave() }
            isLookingFromOutside = false
            // Of a chat that was away meanwhile it says nothing.
            guard changes == before, isChatThere, machine.originAnswers else { return }
            seenOutside = hop.isGood ? nil : hop
            await act(on: .outside(hop.look))
            if hop.look == .unreached { lookAtUplink() }
            show()
        }
    }

    /// One at a time: a dead resolver lets it wait for long, and nobody waits for it here.
    func lookAtUplink() {
        guard machine.asksForUplink, !isLookingBeyond, !pace.uplink.isEmpty else { return }
        isLookingBeyond = true
        let before = changes
        Task {
            let answers = await UplinkLook(places: pace.uplink).answers()
            await enter()
            defer { gate.leave() }
            isLookingBeyond = false
            guard changes == before, wanted != .off else { return }
            let wasAway = machine.state == .noUplink
            await act(on: .uplink(answers: answers))
            // Whether visitors come through again is not left to the next turn of that.
            if wasAway, machine.state.connections != nil { lookFromOutside() }
            show()
        }
    }

    func lookAtSettings() async {
        if let program = preparation?.program { programOnDisk = await program.onDisk(known: programOnDisk) }
        if machine.waitsForProgram { await startMended() }
        isDirectoryGone = workshop.isGone
        if case .settingsRefused = machine.state { await choose(wanted) }
        let isRefused = if case .credentialsRefused = machine.state { true } else { false }
        guard machine.isUp || isRefused else { return }
        do throws(TunnelError) {
            if try workshop.follow(wanted) {
                Log.notice("the tunnel's secret is another one on disk: cloudflared has it from its next start on")
                hasNewerSecret = true
            }
            // The one that was refused is mended, it seems: that is not for the next quarter of an hour.
            if isRefused, hasNewerSecret {
                await choose(wanted)
                return
            }
            await lookAtComplaint()
        } catch {
            complain(error)
        }
    }

    /// nexusd has parked what was not started, for minutes; its program may be back by now, as after an upgrade.
    private func startMended() async {
        if await workshop.lastMode() == nil, (try? await workshop.check(wanted)) == nil { return }
        await lookAtDoors()
        await act(on: .chosen(machine.chosen))
    }

    /// What was not taken while something older goes on may be good by now.
    private func lookAtComplaint() async {
        guard complaint != nil, (try? await workshop.check(wanted)) != nil else { return }
        guard machine.isRunning, let same = await workshop.inForce(wanted, stopTimeout: await stopTimeout()) else {
            await choose(wanted)
            return
        }
        // It was good before: what runs is what a start would be.
        (preparation, complaint) = (same, nil)
    }
}
