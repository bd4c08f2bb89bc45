import SupervisorCore
import System

/// A sweep of a run whose processes may have left its cgroup: who descends from it is looked at first, for a signal to the
/// cgroup may break the links by which the others are found; then the cgroup, then those outside of it.
final class LeaverSweep: Sweep {
    private enum Phase {
        /// For so many turns: who forks without end must not put off its kill by being looked at.
        case looking(turnsLeft: UInt8)
        case within
        case outside
    }

    private let look: SessionSweep
    private let within: CgroupSweep
    private let outside: SessionSweep?
    private var phase = Phase.looking(turnsLeft: 10)

    init(_ within: CgroupSweep, _ accounts: Descendants, _ scope: CgroupScope, run: RunID, signal: Signal?) {
        self.within = within
        look = SessionSweep(accounts, run: run, signal: nil)
        outside = signal.map { signal in
            SessionSweep(accounts, run: run, signal: signal) { scope.cgroupHolds($0.process) == true }
        }
    }

    var reached: Int { within.reached + (outside?.reached ?? 0) }

    var leavers: [ProcessEntry] { outside?.leavers ?? [] }

    func proceed() -> Bool {
        while true {
            switch phase {
            case .looking(let turnsLeft):
                if !look.proceed(), turnsLeft > 1 {
                    phase = .looking(turnsLeft: turnsLeft - 1)
                    return false
                }
                phase = .within
            case .within:
                guard within.proceed() else { return false }
                phase = .outside
            case .outside: return outside?.proceed() ?? true
            }
        }
    }

    func finish() {
        look.finish()
        within.finish()
        outside?.finish()
        phase = .outside
    }
}
