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
        do throws(SocketTrouble) {
            try opening(sockets.plans, amongEnding: { endingRuns }) { () throws(ListeningSockets.Failure) in
                try sockets.complete(by: disposal)
            }
        } catch {
            let failure = error.failure
            let key = [
                Explanation.Setting(
                    key: "child.\(names[child]).sockets", value: "\(failure.address), called '\(failure.name)'")
            ]
            if case .ending(let holder) = error.holder {
                throw Obstacle(
                    SpawnFailure(stage: .prepare, error: .again),
                    "socket '\(failure.name)' cannot listen on \(failure.address): \(names[holder]), which is being ended, "
                        + "listens there still", key, barrier: holder)
            }
            var errno = failure.error
            // Not for long: no error of the configuration.
            if case .ours = error.holder { errno = .again }
            throw Obstacle(SpawnFailure(stage: .prepare, error: errno), words(failure, error.holder), key)
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
