import SupervisorCore
import System
import Wire

/// A signal that the core ordered and that has not reached everybody yet.
struct SignalOrder {
    let signal: Signal
    let scope: SignalScope
    /// What has to be gone through first.
    let sweep: any Sweep
}

extension Engine {
    /// Everything is signalled through a descriptor that was opened for this very process, in the order in which the core
    /// said so. One run may be thousands of processes: what this turn has no looks for is left to the next.
    func send(_ signal: Signal, _ scope: SignalScope, to child: ChildID, _ run: RunID) {
        guard let living = self[child].run, living.id == run else { return }
        // Its exec is not waited for any more: the core sees to its end.
        living.launch?.until = nil
        // Log-writer is to have read everything that was said before its stop.
        if child == logWriter, signal != .kill {
            handStreams()
            journal.flush()
        }
        if scope == .main, living.hasExited { return }
        if signal != .kill, living.stopSignal == nil { living.stopSignal = (signal, now) }
        if scope == .all, signal == .kill {
            // It overtakes: what is dead needs no other signal.
            living.orders.removeAll()
            living.isToBeEmpty = true
        }
        // Before the first word to the leader everybody is looked at: afterwards those it leaves behind could not be told
        // from strangers.
        let sweep = living.scope.sweep(scope == .all ? signal : nil)
        living.orders.append(SignalOrder(signal: signal, scope: scope, sweep: sweep))
        if !goOn(with: living, of: child), !signalling.contains(child) { signalling.append(child) }
    }

    /// Goes on with what earlier turns left. Who had a share of this turn's looks is behind the others in the next.
    func goOnSignalling() {
        let children = signalling
        signalling.removeAll(keepingCapacity: true)
        var unfinished: [ChildID] = []
        for child in children {
            guard let run = self[child].run else { continue }
            let hadTurn = surroundings.containment.hasLooks
            if !goOn(with: run, of: child) {
                if hadTurn { unfinished.append(child) } else { signalling.append(child) }
            }
        }
        signalling += unfinished
    }

    /// True when nothing is left to do.
    private func goOn(with run: LivingRun, of child: ChildID) -> Bool {
        while let order = run.orders.first {
            guard order.sweep.proceed() else { return false }
            run.orders.removeFirst()
            tell(order.sweep.leavers, of: run, child)
            switch order.scope {
            case .main:
                // ESRCH: it was faster. Anything else shows as a stop that takes too long.
                if !run.hasExited { try? kernel.signalEnd(run.pidfd, order.signal) }
            case .all:
                // Should there be no descriptor or memory to look at anybody: for this one there is a descriptor.
                if order.signal == .kill, !run.hasExited { try? kernel.signal(run.pidfd, .kill) }
                // A kill of nobody leaves no SIGCHLD to wait for.
                if run.hasExited, self[child].run === run { settleRun(child) }
            }
        }
        return true
    }

    /// What left its run's cgroup is ended with it all the same, and its owner should know that it does that.
    private func tell(_ leavers: [ProcessEntry], of run: LivingRun, _ child: ChildID) {
        guard !leavers.isEmpty, run.oddities.insert(.left).inserted else { return }
        let names = leavers.map { "\($0.name) (pid \($0.process))" }.joined(separator: ", ")
        say(
            LogEvent(
                .stray, 4, "\(self.names[child]) had left its cgroup and is ended all the same: \(names).",
                self.names[child],
                run.id))
    }

    /// Of a run that is to be empty somebody came to light whom the kill has not met.
    func killNewcomers(_ run: LivingRun, of child: ChildID) {
        guard run.isToBeEmpty, run.orders.isEmpty, run.scope.hasNewcomers else { return }
        send(.kill, .all, to: child, run.id)
    }
}
