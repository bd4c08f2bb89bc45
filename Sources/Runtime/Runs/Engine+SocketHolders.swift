import Plan
import SupervisorCore
import System

/// Who of nexusd's own listens where a socket is to be opened.
extension Engine {
    enum SocketHolder {
        /// A run that is being ended, and nobody who stays: it will be free.
        case ending(ChildID)
        /// A process that belongs to no run any more, and nobody ends before nexusd does.
        case stray(ProcessEntry, child: String?)
        /// A run that stays.
        case run(ChildID, ProcessID)
        /// Sockets of ours that no run has: systemd is still to hear that they may go, or a child gives them up.
        case ours
    }

    /// A socket that could not be opened, and who of ours was seen to have its address.
    struct SocketTrouble: Error {
        let failure: ListeningSockets.Failure
        let holder: SocketHolder?
    }

    /// Opens sockets, with a second try when nobody is seen who holds the address: whoever ends may have let go of it after the
    /// first. A look for each try, and no other: whom it has seen is gone with the next.
    func opening<Opened>(
        _ plans: [SocketPlan], amongEnding ending: () -> [ChildID],
        _ open: () throws(ListeningSockets.Failure) -> Opened
    ) throws(SocketTrouble) -> Opened {
        func look(_ failure: ListeningSockets.Failure) -> SocketTrouble {
            guard failure.error == .addressInUse, let refused = plans.first(where: { $0.name == failure.name }) else {
                return SocketTrouble(failure: failure, holder: nil)
            }
            return SocketTrouble(failure: failure, holder: holder(of: refused, amongEnding: ending()))
        }
        let first: SocketTrouble
        do throws(ListeningSockets.Failure) { return try open() } catch { first = look(error) }
        guard first.failure.error == .addressInUse, first.holder == nil else { throw first }
        do throws(ListeningSockets.Failure) { return try open() } catch { throw look(error) }
    }

    /// Runs that are looked at beside those that end: the loop waits for this look.
    private static let runsAsked = 256

    var endingRuns: [ChildID] { names.ids.filter { core.view(of: $0).phase == .stopping } }

    /// nil: somebody who is none of ours, as far as can be seen, alone or beside ours. A stray goes before a run that ends: it may
    /// have the run's own socket, and keeps it.
    private func holder(of socket: SocketPlan, amongEnding ending: [ChildID]) -> SocketHolder? {
        let there = SocketHolders(of: socket, kernel)
        var unknown = there.inodes
        guard !unknown.isEmpty else { return nil }
        func holds(_ process: ProcessID) -> Bool { !there.held(by: process).isEmpty }
        if let stray = surroundings.containment.strays().first(where: { holds($0.process) }) {
            return .stray(stray, child: surroundings.containment.child(of: stray))
        }
        func processes(of run: LivingRun) -> [ProcessID] { [run.process] + run.scope.members().map(\.process) }
        let others = names.ids.filter { self[$0].run != nil && !ending.contains($0) }.prefix(Self.runsAsked)
        for child in others {
            if let process = self[child].run.flatMap({ processes(of: $0).first(where: holds) }) {
                return .run(child, process)
            }
        }
        var barrier: ChildID?
        for child in ending {
            guard let run = self[child].run else { continue }
            let theirs = processes(of: run).reduce(into: unknown.intersection(run.sockets)) {
                $0.formUnion(there.held(by: $1).union(there.mayBelong(to: $1)))
            }
            guard !theirs.isDisjoint(with: unknown) else { continue }
            barrier = barrier ?? child
            unknown.subtract(theirs)
        }
        unknown.subtract(cells.flatMap { $0.sockets?.kept.map(\.inode) ?? [] })
        unknown.subtract(keeper?.ownSockets ?? [])
        return unknown.isEmpty ? barrier.map { .ending($0) } ?? .ours : nil
    }

    /// What could not be had, who has it and what to do.
    func words(_ failure: ListeningSockets.Failure, _ holder: SocketHolder?) -> String {
        let what = "socket '\(failure.name)' cannot listen on \(failure.address): \(failure.error)"
        switch holder {
        case .stray(let entry, let child):
            let whose = child.map { "a stray of \($0)" } ?? "a stray that was a child's"
            return
                "\(what): \(entry.name) (pid \(entry.process)), \(whose), listens there; end it (kill \(entry.process)), or take "
                + "another address"
        case .run(let child, let process):
            return "\(what): \(names[child]) (pid \(process)) listens there; stop it, or take another address"
        case .ours: return "\(what): a socket of nexusd's own is there still, which is to go; it is tried again"
        case .ending, nil: return failure.description
        }
    }
}
