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

    /// Opened once, and kept until the child is off or out of the plan.
    func openSockets(_ child: ChildID) throws(Obstacle) {
        let sockets = plan.traits(child).sockets
        if self[child].sockets?.plans == sockets { return }
        // A reload may have given it others.
        closeSockets(child)
        guard !sockets.isEmpty else { return }
        do {
            self[child].sockets = try ListeningSockets(kernel, sockets)
        } catch {
            throw Obstacle(SpawnFailure(stage: .prepare, error: error.error), error.description)
        }
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
                let sockets = try ListeningSockets(kernel, fresh)
                if fresh.count == plan.sockets.count { opened[child] = sockets } else { tried.append(sockets) }
            } catch {
                if error.error == .addressInUse, isHeldByEnding(fresh, update) { continue }
                throw SocketRefusal(words: "\(plan.name): \(error.description)")
            }
        }
        tried.forEach { $0.close() }
        return opened
    }

    /// Whether what listens there is a run that this reload ends, as when a server that opened its port by itself is given
    /// it from now on.
    private func isHeldByEnding(_ sockets: [SocketPlan], _ update: PlanUpdate) -> Bool {
        let ending = update.change.removed.union(update.change.restarted).compactMap { has($0) ? self[$0].run : nil }
        let processes = ending.flatMap { [$0.process] + $0.scope.members().map(\.process) }
        guard !processes.isEmpty else { return false }
        return sockets.contains { socket in
            let holders = SocketHolders(of: socket, kernel)
            return processes.contains(where: holders.include)
        }
    }

    /// The same, now that their plan is in force.
    func keep(_ opened: [ChildID: ListeningSockets]) {
        for (child, sockets) in opened {
            closeSockets(child)
            self[child].sockets = sockets
        }
    }

    /// Nobody is to wait for a child that does not come: it is off, done or given up, or gone from the plan.
    func closeSockets(_ child: ChildID) {
        self[child].sockets?.close()
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
