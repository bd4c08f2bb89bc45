import SupervisorCore

/// The numbers of a new plan's parts under which nexusd knows them: by name those that it had, else the next free ones.
struct Renumbering {
    private(set) var children: [ChildID] = []
    private(set) var groups: [GroupID] = []
    private(set) var secrets: [UInt16] = []

    init(_ new: Plan, over old: Plan) throws(PlanError) {
        let children = try Self.numbers(of: new.children.map(\.name), over: old.children.map(\.name), "children")
        self.children = children.map { ChildID(rawValue: $0 + 1) }
        groups = try Self.numbers(of: new.groups.map(\.name), over: old.groups.map(\.name), "groups")
            .map(GroupID.init(rawValue:))
        secrets = try Self.numbers(of: new.secrets.map(\.name), over: old.secrets.map(\.name), "secrets")
    }

    private static func numbers(
        of new: [String], over old: [String], _ what: String
    ) throws(PlanError) -> [UInt16] {
        let known = Dictionary(zip(old, 0...)) { first, _ in first }
        var next = old.count
        let numbers = new.map { name in
            if let number = known[name] { return number }
            defer { next += 1 }
            return next
        }
        guard next <= Plan.childLimit else {
            throw .numbersUsedUp("\(next) \(what) by reloads, at most \(Plan.childLimit) in a life of nexusd")
        }
        return numbers.map { UInt16($0) }
    }

    subscript(child: ChildID) -> ChildID { children[Int(child.rawValue) - 1] }
    subscript(group: GroupID) -> GroupID { groups[Int(group.rawValue)] }

    func renumbered(_ child: ChildPlan) -> ChildPlan {
        var child = child
        child.policy.group = child.policy.group.map { self[$0] }
        child.policy.requires = child.policy.requires.map { self[$0] }
        child.policy.after = child.policy.after.map { self[$0] }
        child.arguments = child.arguments.map(renumbered)
        for index in child.environment.indices {
            child.environment[index].value = renumbered(child.environment[index].value)
        }
        child.secretFiles = child.secretFiles.map { secrets[Int($0)] }
        if case .probe(let probe) = child.readiness { child.readiness = .probe(renumbered(probe)) }
        child.liveness = child.liveness.map(renumbered)
        child.worker = child.worker.map { worker in
            WorkerPlan(may: worker.may.map(renumbered), peers: worker.peers.map { self[$0] })
        }
        return child
    }

    func renumbered(_ group: GroupPlan) -> GroupPlan {
        var group = group
        group.policy.children = group.policy.children.map { self[$0] }
        return group
    }

    private func renumbered(_ text: Text) -> Text {
        Text(
            pieces: text.pieces.map { piece in
                switch piece {
                case .literal: piece
                case .captured(let child, let name): .captured(self[child], name: name)
                case .secret(let index): .secret(secrets[Int(index)])
                }
            })
    }

    private func renumbered(_ probe: Probe) -> Probe {
        switch probe {
        case .tcp(let host, let port, let timeout): .tcp(host: host, port: renumbered(port), timeout: timeout)
        case .exec(let executable, let arguments, let timeout):
            .exec(executable: executable, arguments: arguments.map(renumbered), timeout: timeout)
        case .http(let probe):
            .http(
                HTTPProbe(
                    host: probe.host, port: renumbered(probe.port), path: probe.path, statuses: probe.statuses,
                    timeout: probe.timeout))
        }
    }

    private func renumbered(_ grant: WorkerPlan.Grant) -> WorkerPlan.Grant {
        switch grant {
        case .status: .status
        case .start(let target): .start(renumbered(target))
        case .stop(let target): .stop(renumbered(target))
        case .restart(let target): .restart(renumbered(target))
        case .health(let child): .health(self[child])
        }
    }

    private func renumbered(_ target: Command.Target) -> Command.Target {
        switch target {
        case .child(let child): .child(self[child])
        case .group(let group): .group(self[group])
        case .all: .all
        }
    }
}
