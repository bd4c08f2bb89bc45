import Plan

/// The directories that the children of a plan need before they are spawned.
struct NeededDirectories {
    let places: Places
    let host: any Machine
    let plan: Plan
    let children: [BuiltChild]
    let report: Report

    func list() -> [NeededDirectory] {
        // Where children have users of their own they must be able to reach what is theirs, and see nothing else.
        let passage: UInt32 = host.userID == 0 ? 0o711 : 0o700
        func own(_ path: String) -> NeededDirectory {
            NeededDirectory(path: path, owner: host.userID, group: host.groupID, mode: passage)
        }
        var list = [own(places.state), own(places.state + "/tmp")]
        list[0].isGiven = true
        if let writer = plan.children.first {
            let (uid, gid) = (writer.identity?.uid ?? host.userID, writer.identity?.gid ?? host.groupID)
            // A child in log-writer's group may read what was said: the page's log.
            list.append(NeededDirectory(path: places.state + "/logs", owner: uid, group: gid, mode: 0o750))
            list.append(NeededDirectory(path: places.state + "/tmp/log-writer", owner: uid, group: gid, mode: 0o700))
        }
        if let prober = plan.children.last, prober.role == .prober {
            let (uid, gid) = (prober.identity?.uid ?? host.userID, prober.identity?.gid ?? host.groupID)
            list.append(NeededDirectory(path: places.state + "/tmp/nexus-probe", owner: uid, group: gid, mode: 0o700))
        }
        var seen: Set<String> = []
        for child in children {
            let paths =
                ["\(places.state)/tmp/\(child.plan.name)"]
                + (child.stateDirectory.map { ["\(places.state)/\($0.value)"] } ?? [])
            for path in paths where seen.insert(path).inserted {
                list.append(
                    NeededDirectory(path: path, owner: child.owner.uid, group: child.owner.gid, mode: 0o700))
            }
        }
        return list
    }
}
