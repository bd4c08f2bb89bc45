import Plan
import SupervisorCore
import System

/// The sockets that a reload adds are opened before anything is changed: a file that asks for what cannot be had is refused
/// whole.
extension Engine {
    /// A socket that a new plan asks for and the machine refuses.
    struct SocketRefusal: Error {
        let words: String
    }

    /// Given are those of children of which every socket is new; of another child the new ones are only tried.
    func openSockets(ahead update: PlanUpdate) throws(SocketRefusal) -> [ChildID: ListeningSockets] {
        let held = cells.flatMap { $0.sockets?.plans ?? [] }
        var opened: [ChildID: ListeningSockets] = [:]
        // Two children of the new plan are not to want the same either.
        var tried: [ListeningSockets] = []
        for child in update.arrangement.children where wantsSockets(child, update) {
            let plan = update.plan[child]
            // What nexusd holds now it can hold then.
            let fresh = plan.sockets.filter { socket in !held.contains { $0.hasAddress(of: socket) } }
            do throws(SocketTrouble) {
                guard let sockets = try openAllThatAreFree(fresh, update) else { continue }
                if sockets.plans == plan.sockets { opened[child] = sockets } else { tried.append(sockets) }
            } catch {
                throw SocketRefusal(words: "\(plan.name): \(words(error.failure, error.holder))")
            }
        }
        tried.forEach { $0.close(by: disposal) }
        return opened
    }

    /// But for those that are free once runs have ended, or are nexusd's own already; nil when there are no others.
    private func openAllThatAreFree(
        _ plans: [SocketPlan], _ update: PlanUpdate
    ) throws(SocketTrouble) -> ListeningSockets? {
        var plans = plans
        while !plans.isEmpty {
            do throws(SocketTrouble) {
                return try opening(plans, amongEnding: { ending(update) }) {
                    () throws(ListeningSockets.Failure) in try ListeningSockets(kernel, plans)
                }
            } catch {
                switch error.holder {
                case .ending, .ours: plans.removeAll { $0.name == error.failure.name }
                case .stray, .run, nil: throw error
                }
            }
        }
        return nil
    }

    /// Whether it comes with this update, or comes anew, and is to run.
    private func wantsSockets(_ child: ChildID, _ update: PlanUpdate) -> Bool {
        let new = update.plan[child]
        guard (has(child) ? choices[child] : new.choice)?.isOn ?? new.policy.enabled else { return false }
        guard has(child), plan.isShown(child) else { return true }
        let isSwitchedOn = !(choices[child]?.isOn ?? plan.policy(child).enabled)
        return isSwitchedOn || update.change.restarted.contains(child)
    }

    /// Runs that this reload ends, as when a server that opened its port by itself is given it from now on, and those that are
    /// being ended already.
    private func ending(_ update: PlanUpdate) -> [ChildID] {
        let switchedOff = update.arrangement.children.filter { child in
            has(child) && choices[child] == nil && plan.policy(child).enabled && !update.plan[child].policy.enabled
        }
        return update.change.removed.union(update.change.restarted).union(switchedOff).union(endingRuns).filter(has)
    }
}
