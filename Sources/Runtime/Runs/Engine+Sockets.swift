import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    /// Before the first run: whoever connects from now on waits for its child. What cannot be opened is said, and tried
    /// again when the child is started, whose start then fails with the same words.
    func openAllSockets() {
        for child in names.ids where plan.policy(child).enabled && !plan.traits(child).sockets.isEmpty {
            do {
                try openSockets(child)
            } catch {
                say(LogEvent(.spawnTrouble, 3, "\(names[child]): \(error.words ?? "").", names[child]))
            }
        }
    }

    /// Opened once, and kept until the child is off or out of the plan; what a run has made useless is opened anew.
    func openSockets(_ child: ChildID) throws(Obstacle) {
        equipSockets(child)
        guard let sockets = self[child].sockets else { return }
        do {
            try complete(sockets)
        } catch {
            self[child].sockets = nil
            let key = [
                Explanation.Setting(
                    key: "child.\(names[child]).sockets", value: "\(error.address), called '\(error.name)'")
            ]
            // What ends is waited for: the next try comes soon.
            if error.error == .addressInUse, isHeldByEnding(sockets.plans) {
                throw Obstacle(
                    SpawnFailure(stage: .prepare, error: .again),
                    "socket '\(error.name)' cannot listen on \(error.address): a run that is being ended listens there still",
                    key)
            }
            throw Obstacle(SpawnFailure(stage: .prepare, error: error.error), error.description, key)
        }
    }

    /// A second try, when nobody is seen who holds the address: whoever ends may have let go of it after the first.
    private func complete(_ sockets: ListeningSockets) throws(ListeningSockets.Failure) {
        do throws(ListeningSockets.Failure) {
            try sockets.complete(by: disposal)
        } catch {
            guard error.error == .addressInUse, !isHeldByEnding(sockets.plans) else { throw error }
            try sockets.complete(by: disposal)
        }
    }

    /// Sockets by the plan in force, of which those that are open already stay so.
    private func equipSockets(_ child: ChildID) {
        let plans = plan.traits(child).sockets
        guard self[child].sockets?.plans ?? [] != plans else { return }
        var spare = self[child].sockets?.release() ?? []
        self[child].sockets = plans.isEmpty ? nil : ListeningSockets(kernel, plans, taking: &spare)
        for socket in spare { socket.leave(by: disposal) }
    }

    /// A socket that a new plan asks for and the machine refuses.
    struct SocketRefusal: Error {
        let words: String
    }

    /// Those that a reload adds, before anything is changed: a file that asks for what cannot be had is refused whole.
    /// Given are those of children of which every socket is new; of another child the new ones are only tried.
    func openSockets(ahead update: PlanUpdate) throws(SocketRefusal) -> [ChildID: ListeningSockets] {
        let held = cells.flatMap { $0.sockets?.plans ?? [] }
        var opened: [ChildID: ListeningSockets] = [:]
        // Two children of the new plan are not to want the same either.
        var tried: [ListeningSockets] = []
        for child in update.arrangement.children where !has(child) || update.change.restarted.contains(child) {
            let plan = update.plan[child]
            let choice = has(child) ? choices[child] : plan.choice
            guard choice?.isOn ?? plan.policy.enabled else { continue }
            // What nexusd holds now it can hold then.
            let fresh = plan.sockets.filter { socket in !held.contains { $0.overlaps(socket) } }
            guard !fresh.isEmpty else { continue }
            do {
                let sockets = try listen(fresh, update)
                if fresh.count == plan.sockets.count { opened[child] = sockets } else { tried.append(sockets) }
            } catch {
                if error.error == .addressInUse, isHeldByEnding(fresh, update) { continue }
                throw SocketRefusal(words: "\(plan.name): \(error.description)")
            }
        }
        tried.forEach { $0.close(by: disposal) }
        return opened
    }

    /// With a second try, as for one child.
    private func listen(_ plans: [SocketPlan], _ update: PlanUpdate) throws(ListeningSockets.Failure)
        -> ListeningSockets
    {
        do throws(ListeningSockets.Failure) {
            return try ListeningSockets(kernel, plans)
        } catch {
            guard error.error == .addressInUse, !isHeldByEnding(plans, update) else { throw error }
            return try ListeningSockets(kernel, plans)
        }
    }

    /// Whether what listens there is a run that this reload ends, as when a server that opened its port by itself is given
    /// it from now on.
    private func isHeldByEnding(_ sockets: [SocketPlan], _ update: PlanUpdate) -> Bool {
        isHeld(sockets, by: update.change.removed.union(update.change.restarted).filter(has))
    }

    private func isHeldByEnding(_ sockets: [SocketPlan]) -> Bool {
        isHeld(sockets, by: names.ids.filter { core.view(of: $0).phase == .stopping })
    }

    private func isHeld(_ sockets: [SocketPlan], by children: some Sequence<ChildID>) -> Bool {
        let processes = children.compactMap { self[$0].run }.flatMap {
            [$0.process] + $0.scope.members().map(\.process)
        }
        guard !processes.isEmpty else { return false }
        return sockets.contains { socket in
            let holders = SocketHolders(of: socket, kernel)
            return processes.contains(where: holders.include)
        }
    }

    /// The sockets of the plan that is in force from now on: those that were opened ahead, and those that children gave up
    /// and others want. Nobody's connection is refused because its server has another name now.
    func keep(_ opened: [ChildID: ListeningSockets], _ update: PlanUpdate) {
        var spare: [OpenSocket] = []
        for child in update.change.removed.union(update.change.restarted) where has(child) {
            let wanted = update.change.removed.contains(child) ? [] : plan.traits(child).sockets
            guard let held = self[child].sockets, held.plans != wanted else { continue }
            self[child].sockets = nil
            spare += held.release()
        }
        for (child, sockets) in opened { self[child].sockets = sockets }
        for child in update.arrangement.children
        where self[child].sockets == nil && (choices[child]?.isOn ?? plan.policy(child).enabled) {
            let wanted = plan.traits(child).sockets
            guard wanted.contains(where: { socket in spare.contains { $0.plan.isSameSocket(as: socket) } }) else {
                continue
            }
            self[child].sockets = ListeningSockets(kernel, wanted, taking: &spare)
        }
        for socket in spare { socket.leave(by: disposal) }
    }

    /// Nobody is to wait for a child that does not come: it is off, done or given up, or gone from the plan.
    func closeSockets(_ child: ChildID) {
        self[child].sockets?.close(by: disposal)
        self[child].sockets = nil
    }

    /// Called with each child of which something was said.
    func settleSockets(_ child: ChildID, _ phase: Phase) {
        guard self[child].sockets != nil else { return }
        switch phase {
        case .off, .done, .parked: closeSockets(child)
        case .waiting, .scheduled, .delayed, .starting, .ready, .stopping, .unkillable: break
        }
    }
}
