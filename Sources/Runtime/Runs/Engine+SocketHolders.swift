import Plan
import SupervisorCore
import System

/// Who of nexusd's own listens where a socket is to be opened.
extension Engine {
    enum SocketHolder {
        /// Runs that are being ended, and nobody else of ours: it will be free.
        case ending
        /// A process that belongs to no run any more, and nobody ends before nexusd does.
        case stray(ProcessEntry, child: String?)
        /// A run that stays.
        case run(ChildID, ProcessID)
    }

    /// Runs that are looked at beside those that end: the loop waits for this look.
    private static let runsAsked = 256

    var endingRuns: [ChildID] { names.ids.filter { core.view(of: $0).phase == .stopping } }

    /// nil: nobody of ours, as far as can be seen. A stray goes before a run that ends: it may have the run's own socket,
    /// and keeps it.
    func holder(of sockets: [SocketPlan], amongEnding ending: [ChildID]) -> SocketHolder? {
        let holders = sockets.map { SocketHolders(of: $0, kernel) }
        func holds(_ process: ProcessID) -> Bool { holders.contains { $0.include(process) } }
        guard holders.contains(where: { !$0.isEmpty }) else { return nil }
        if let stray = surroundings.containment.strays().first(where: { holds($0.process) }) {
            return .stray(stray, child: surroundings.containment.child(of: stray))
        }
        func process(of child: ChildID) -> ProcessID? {
            guard let run = self[child].run else { return nil }
            return ([run.process] + run.scope.members().map(\.process)).first(where: holds)
        }
        let others = names.ids.filter { self[$0].run != nil && !ending.contains($0) }.prefix(Self.runsAsked)
        for child in others { if let process = process(of: child) { return .run(child, process) } }
        return ending.contains { process(of: $0) != nil } ? .ending : nil
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
        case .ending, nil: return failure.description
        }
    }
}
