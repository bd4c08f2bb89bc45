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
