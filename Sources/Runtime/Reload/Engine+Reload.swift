import CNexus
import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    /// Puts the update in force, whole or not at all: what the machine can refuse comes first, and is undone.
    func reload(_ update: PlanUpdate, _ asker: ConfigDesk.Asker?) {
        guard state != .stopping else { return refuse(.reload(asker), .failed, "the tree is being stopped") }
        let sockets: [ChildID: ListeningSockets]
        do {
            sockets = try openSockets(ahead: update)
        } catch {
            return refuse(.reload(asker), .failed, error.words)
        }
        do {
            try listener.admit(update.plan.supervisor, instead: plan.supervisor, kernel)
        } catch {
            let why = "the control socket cannot be given to those who may use it: \(error)"
            return refuse(.reload(asker), .failed, why)
        }
        let again = triedAgain(by: update)
        let tried = again.isEmpty ? "" : "; tried again: " + again.map { names[$0] }.joined(separator: ", ")
        say(LogEvent(.reloaded, 5, "Reloaded \(surroundings.config): \(update.diff.summary)\(tried)."))
        refusedReload = nil
        commandCount += 1
        let command = CommandID(rawValue: commandCount)
        if let asker { promise(DiffWriter(update, beside: notes, triedAgain: again).json, command, asker) }
        let change = changeInForce(by: update)
        choices = change.tree.choices
        runsLastGood = false
        put(PlanBook(update.plan, update.arrangement), update, change)
        keeper?.keep(update.plan)
        keep(sockets, update)
        core.reload(change, command, at: now, jitter: jitter(), into: &actions)
        renewSchedules()
        keepAll()
        board.touchAll()
        carryOut()
        // The plans' many pieces are gone.
        _ = malloc_trim(0)
    }

    /// The difference first, so that a person sees what is under way; the answer when it has come to be.
    private func promise(_ diff: [UInt8], _ command: CommandID, _ asker: ConfigDesk.Asker) {
        for start in stride(from: 0, to: diff.count, by: FrameHeader.payloadLimit) {
            _ = router.stream(asker.id, Array(diff[start..<min(start + FrameHeader.payloadLimit, diff.count)]))
        }
        _ = router.stream(asker.id, [UInt8(ascii: "\n")])
        answers.add(asker.id, from: asker.peer, .reload(command))
    }

    /// nexusd remembers the choices of the children it has: its own are newer than what nexus-config read.
    private func choicesInForce(by update: PlanUpdate) -> [ChildID: Choice] {
        var choices = choices
        for child in update.arrangement.children where !isKnown(child) {
            choices[child] = update.plan[child].choice
        }
        for child in update.change.removed { choices[child] = nil }
        return choices
    }

    /// The change as the core gets it. What the file was refused for is mended when it is taken: who was parked under the plan
    /// that stood in for it is tried again, though nothing about it is different.
    private func changeInForce(by update: PlanUpdate) -> TreeChange {
        var change = update.change
        change.tree.choices = choicesInForce(by: update)
        guard runsLastGood else { return change }
        change.changed.formUnion(
            names.ids.filter {
                core.view(of: $0).phase == .parked && !change.removed.contains($0) && isKnown($0)
            })
        return change
    }

    /// Who is parked, by itself or with its group, and is not after the reload, though it is neither restarted nor new. The core
    /// is a value: a copy of it carries the reload out, and nobody does what it asks for.
    func triedAgain(by update: PlanUpdate) -> [ChildID] {
        let parked = names.ids.filter { isKnown($0) && core.view(of: $0).phase == .parked }
        guard !parked.isEmpty else { return [] }
        var trial = core
        var unheard: [Action] = []
        trial.reload(changeInForce(by: update), CommandID(rawValue: 0), at: now, jitter: 0, into: &unheard)
        let named = Set(
            update.diff.children.filter { $0.kind != .changed }.map(\.id) + update.diff.dependents)
        return parked.filter { child in
            let phase = trial.view(of: child).phase
            return !named.contains(child) && phase != .parked && phase != .off
        }
    }

    private func isKnown(_ child: ChildID) -> Bool { has(child) && plan.isShown(child) }

    /// Everything beside the core.
    private func put(_ book: PlanBook, _ update: PlanUpdate, _ change: TreeChange) {
        let old = plan
        plan = book
        notes = Self.notes(update.plan.notes, book, surroundings)
        keepingNote = nil
        while cells.count < book.count { cells.append(ChildCell(ChildID(rawValue: UInt16(cells.count + 1)))) }
        board.extend(to: book.count)
        vault.replace(update.plan.secrets)
        memory = MemoryWatch(plan, kernelKeepsMaximum: surroundings.containment.enforces(.memory))
        for cell in cells where cell.run != nil { memory.began(cell.id, at: now) }
        leaving.removeAll { book.isShown($0) }
        leaving += change.removed.sorted()
        for child in change.restarted where has(child) { self[child].isNotifyStale = true }
        for cell in cells { cell.notify?.isUserItsOwn = !sharesUser(book[cell.id]) }
        router.replaceWorkers(book.workers)
        for group in Set(book.arrangement.children.map { book.policy($0).group }) { publishValues(in: group) }
        for child in change.changed { changeInPlace(child, from: old) }
        // An answer of which a part was sent would mix two trees.
        answers.settle { entry in
            guard case .listing(_, let sent) = entry.kind, sent > 0 else { return false }
            router.fail(entry.id, .busy, "the tree was reloaded meanwhile; ask again")
            return true
        }
        judgeClientsAnew()
    }

    /// What of a living run goes by the plan outside of the core.
    private func changeInPlace(_ child: ChildID, from old: PlanBook) {
        let cell = self[child]
        if plan.traits(child).log != old.traits(child).log { describeOutput(of: child) }
        let file = plan[child].pidFile
        guard file != old[child].pidFile else { return }
        cell.pidFile?.remove(kernel)
        cell.pidFile = nil
        if let file, let process = cell.process { writePIDFile(file, of: child, process) }
    }

    /// Whoever may use the socket no more, or in another way, has to connect anew.
    private func judgeClientsAnew() {
        access = ControlAccess(own: kernel.userID(), plan: plan)
        for (peer, client) in clients {
            if case .success(client.access) = access.judge(client.credentials, groups: client.groups) { continue }
            let words = "a reload changed who may use this socket; connect again"
            dismiss(peer, Frame(.error, peer: .nexusd, id: .none, payload: BusErrorCode.refused.payload(words)).bytes)
        }
    }

    /// Things worth a word about a plan that was read from the file.
    static func notes(_ notes: [String], _ plan: PlanBook, _ surroundings: Surroundings) -> [String] {
        var notes = notes
        if !plan.supervisor.uidWall {
            notes.insert("the uid wall is off: every child runs as nexusd's own user", at: 0)
        }
        let containment = surroundings.containment
        if let note = containment.note { notes.append("children are contained by descent only: \(note)") }
        if let note = surroundings.leftovers.note { notes.append(note) }
        if let note = surroundings.lifeNote { notes.append(note) }
        return notes + containment.notes(on: plan)
    }

    /// Of a child that was removed nothing is left, so that its number is all that is remembered.
    func isGone(_ child: ChildID) -> Bool {
        self[child].run == nil && self[child].outputs.isEmpty && core.view(of: child).phase == .off
    }

    /// Says of each removed child when it is empty, and gives back what nexusd kept for it.
    func settleLeaving() {
        leaving.removeAll { child in
            guard self[child].run == nil, core.view(of: child).phase == .off else { return false }
            dropNotify(of: child)
            closeSockets(child)
            say(LogEvent(.removed, 5, "\(names[child]) is not in the file any more and has ended.", names[child]))
            return true
        }
    }

    /// A notify socket that fits its child no more.
    func dropNotify(of child: ChildID) {
        guard let socket = self[child].notify else { return }
        surroundings.poller.remove(socket.fd)
        socket.abandon()
        self[child].notify = nil
    }
}

extension PlanDiff {
    /// `1 added, 2 restarted, 3 unchanged`.
    var summary: String {
        func count(_ kind: Kind) -> Int { children.count { $0.kind == kind } }
        let counts = [
            (count(.added), "added"), (count(.removed), "removed"), (count(.restarted), "restarted"),
            (dependents.count, "restarted with what they require"), (count(.changed), "changed in place"),
            (unchanged, "unchanged"),
        ]
        return counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
}
