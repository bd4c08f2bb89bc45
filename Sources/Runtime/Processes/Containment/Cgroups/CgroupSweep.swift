import SupervisorCore
import System

/// A sweep of a run in a cgroup, which says by itself who belongs to it: only signals take time.
final class CgroupSweep: Sweep {
    private let kernel: any Kernel
    private let accounts: Descendants
    private let scope: CgroupScope
    private let tree: CgroupTree
    private let signal: Signal?
    /// Of this round, not met yet.
    private var pending: [ProcessID] = []
    private var rounds = 0
    private var reachedThisRound = 0
    private(set) var reached = 0

    /// Without cgroup.kill (before Linux 5.14) a few rounds do.
    private static let killRounds = 8

    init(
        _ kernel: any Kernel, _ accounts: Descendants, _ scope: CgroupScope, _ tree: CgroupTree, _ signal: Signal?
    ) {
        self.kernel = kernel
        self.accounts = accounts
        self.scope = scope
        self.tree = tree
        self.signal = signal
    }

    func proceed() -> Bool {
        guard let signal else { return true }
        if rounds == 0, signal == .kill, tree.kill() { return true }
        while true {
            if pending.isEmpty {
                guard rounds == 0 || signal == .kill && reachedThisRound > 0 && rounds < Self.killRounds else {
                    return true
                }
                rounds += 1
                reachedThisRound = 0
                pending = tree.members()
            }
            while let process = pending.last {
                guard accounts.takeLook() else { return false }
                pending.removeLast()
                send(signal, to: process)
            }
        }
    }

    func finish() { while !proceed() { accounts.renewLooks() } }

    /// Each is asked for its own cgroup after its pidfd was opened: reading all members for every member would take a fork
    /// bomb's square.
    private func send(_ signal: Signal, to process: ProcessID) {
        do {
            let pidfd = try kernel.openProcess(process)
            guard scope.cgroupHolds(process) == true else { return }
            try kernel.signalEnd(pidfd, signal)
            reached += 1
            reachedThisRound += 1
        } catch {}
    }
}
