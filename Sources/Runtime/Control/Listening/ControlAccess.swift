import Plan
import SupervisorCore
import System

/// What a control client may do.
enum AccessClass: Hashable, Sendable {
    case read
    case control
}

/// Decides by uid and gid who may use the control socket.
struct ControlAccess: Sendable {
    /// nexusd's own uid.
    let own: UInt32
    /// The lists of `[supervisor]`.
    let lists: SupervisorPlan
    /// Uids of children: those change nothing however the lists read, and ask only where `read-users` names them. nexusd's own
    /// uid is never among them: there the caller tells children from owners by process.
    let childUids: Set<UInt32>

    init(own: UInt32, plan: PlanBook) {
        self.own = own
        lists = plan.supervisor
        childUids = Set(plan.names.ids.compactMap { plan.traits($0).identity?.uid }).subtracting([own, 0])
    }

    /// True where children and owners share nexusd's uid, so that only the process tells them apart.
    func mustAskForProcess(_ peer: Credentials) -> Bool { peer.user == own }

    /// What this peer may do, or the words of the refusal. `groups` are its supplementary ones.
    func judge(_ peer: Credentials, groups: [UInt32]) -> Result<AccessClass, Refusal> {
        if childUids.contains(peer.user) {
            // By name, as for the child that offers the metrics on a port: a group may have members that nobody thought of.
            if lists.readUids.contains(peer.user) { return .success(.read) }
            return .failure(
                Refusal(
                    "uid \(peer.user) is a child's: children use the bus, or ask where [supervisor] read-users has them"
                ))
        }
        if peer.user == 0 || peer.user == own { return .success(.control) }
        if lists.controlUids.contains(peer.user) || isMember(peer, groups, of: lists.controlGids) {
            return .success(.control)
        }
        if lists.readUids.contains(peer.user) || isMember(peer, groups, of: lists.readGids) { return .success(.read) }
        return .failure(
            Refusal(
                "uid \(peer.user) may not use this socket; the owner can allow it in [supervisor] of Supervisor.toml"))
    }

    /// The words of a refusal.
    struct Refusal: Error, Hashable, Sendable {
        let words: String

        init(_ words: String) { self.words = words }
    }

    private func isMember(_ peer: Credentials, _ groups: [UInt32], of gids: [UInt32]) -> Bool {
        gids.contains(peer.group) || groups.contains { gids.contains($0) }
    }
}
