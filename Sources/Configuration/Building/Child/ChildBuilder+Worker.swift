import Plan
import SupervisorCore

extension ChildBuilder {
    /// What a worker may do on the bus; nil for others.
    func worker() -> WorkerPlan? {
        guard draft.isWorker else {
            if reader.has(ChildKeys.may) { refuse(ChildKeys.may) }
            if reader.has(ChildKeys.peers) { refuse(ChildKeys.peers) }
            return nil
        }
        var worker = WorkerPlan()
        if reader.has(ChildKeys.may) { worker.may = reader(ChildKeys.may).compactMap(grant) }
        for peer in context.names.children(reader(ChildKeys.peers), key: "peers", report) {
            let name = context.names.name(of: peer.value)
            if peer.value == draft.id {
                report.error(peer.position, "'peers' names '\(name)' itself; take it out")
            } else if !context.names.workers.contains(peer.value) {
                report.error(
                    peer.position, "'peers' names '\(name)', which is no worker; add worker = true to [child.\(name)]")
            } else {
                worker.peers.append(peer.value)
            }
        }
        return worker
    }

    /// Children whose health it may report.
    func healthGrants(_ worker: WorkerPlan?) -> [ChildID] {
        (worker?.may ?? []).compactMap { grant in
            switch grant {
            case .health(let child): child
            case .status, .start, .stop, .restart: nil
            }
        }
    }

    private func refuse(_ key: Key<[Placed<String>]>) {
        report.error(
            reader.keyPosition(of: key),
            "'\(key.info.name)' is for workers; take it out, or add worker = true if the child speaks the bus")
    }

    private func grant(_ text: Placed<String>) -> WorkerPlan.Grant? {
        let parts = text.value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let verbs = ["status", "start", "stop", "restart", "health"]
        guard verbs.contains(parts[0]), (parts[0] == "status") == (parts.count == 1) else {
            let hint = verbs.contains(parts[0]) ? "" : Nearest.hint(for: parts[0], among: verbs)
            let list = "; write status, start:NAME, stop:NAME, restart:NAME or health:NAME"
            report.error(text.position, "'may': '\(text.value)' is no grant\(hint.isEmpty ? list : hint)")
            return nil
        }
        if parts[0] == "status" { return .status }
        if parts[0] == "health" {
            guard let child = context.names.child(parts[1]) else { return unknown(parts[1], text, groups: false) }
            return .health(child)
        }
        guard let target = target(parts[1]) else { return unknown(parts[1], text, groups: true) }
        switch parts[0] {
        case "start": return .start(target)
        case "stop": return .stop(target)
        case _: return .restart(target)
        }
    }

    /// As on the command line: groups win, `child:NAME` and `group:NAME` say which.
    private func target(_ name: String) -> Command.Target? {
        if name == "all" { return .all }
        if name.hasPrefix("child:") { return context.names.child(String(name.dropFirst(6))).map { .child($0) } }
        if name.hasPrefix("group:") { return context.names.group(String(name.dropFirst(6))).map { .group($0) } }
        if let group = context.names.group(name) { return .group(group) }
        return context.names.child(name).map { .child($0) }
    }

    private func unknown(_ name: String, _ text: Placed<String>, groups: Bool) -> WorkerPlan.Grant? {
        let known = (groups ? context.names.groups : []) + context.names.children
        let refusal = context.names.refusal(of: name, groups ? "child or group" : "child", among: known)
        report.error(text.position, "'may' \(refusal)")
        return nil
    }
}
