import Plan
import SupervisorCore
import Wire

/// The plan as nexusd keeps it. A `Plan` of a thousand children takes two megabytes of small pieces; here what children
/// have in common is kept once, and what is needed at a start only is packed into one row of bytes.
struct PlanBook {
    let supervisor: SupervisorPlan
    let groups: [GroupPlan]
    let secrets: [SecretPlan]
    let names: TreeNames
    /// What of it the file has; the rest was removed and keeps its numbers.
    let arrangement: Arrangement
    /// What the core sees; its policies are the only copy.
    let tree: Tree
    /// The times of scheduled children, in seconds since 1970.
    private(set) var calendars: [(child: ChildID, times: [Int64])]

    /// nexus-probe, if there is one.
    let prober: ChildID?
    /// Children of the file that speak the bus: few among many, and asked for often.
    let speakers: [ChildID]

    private let traits: [ChildTraits]
    /// By `ChildID.rawValue - 1`.
    private let traitsOf: [UInt16]
    /// Variables that more than one child has.
    private let common: [Variable]
    private let words: [UInt8]
    /// Where each child's words begin, and where the last one's end.
    private let starts: [UInt32]

    init(_ plan: Plan) { self.init(plan, Arrangement(plan)) }

    init(_ plan: Plan, _ arrangement: Arrangement) {
        self.arrangement = arrangement
        supervisor = plan.supervisor
        groups = plan.groups
        secrets = plan.secrets
        prober = plan.prober
        speakers = arrangement.children.filter { plan[$0].worker != nil }
        names = TreeNames(plan, arrangement)
        tree = plan.tree
        calendars = zip(names.ids, plan.children).filter { !$1.calendar.isEmpty }.map { ($0, $1.calendar) }
        (traits, traitsOf) = Self.share(plan.children.map(ChildTraits.init))
        common = Self.commonVariables(plan.children)
        let index = Dictionary(uniqueKeysWithValues: zip(common, (0 as UInt16)...))
        var writer = ByteWriter()
        var starts: [UInt32] = [0]
        for child in plan.children {
            LaunchWords(child).pack(into: &writer, common: index)
            starts.append(UInt32(writer.bytes.count))
        }
        words = writer.bytes
        self.starts = starts
    }

    /// Times further ahead, of calendars that are still the same.
    mutating func renewCalendars(from new: Plan) {
        for (index, calendar) in calendars.enumerated() {
            let child = self[calendar.child]
            guard let other = new.children.first(where: { $0.name == child.name }),
                ScheduleTimes(other) == ScheduleTimes(child)
            else { continue }
            calendars[index].times = other.calendar
        }
    }

    var count: Int { traitsOf.count }

    /// The whole plan of a child, unpacked: for a start, or for a question that a person asked.
    subscript(child: ChildID) -> ChildPlan {
        var reader = ByteReader(packed(child))
        guard let words = try? LaunchWords(from: &reader, common: common) else {
            preconditionFailure("the words were packed by this very value and never changed")
        }
        var plan = traits(child).child(names[child], policy(child), words)
        plan.calendar = calendars.first { $0.child == child }?.times ?? []
        return plan
    }

    /// False for a child that is not in the file any more.
    func isShown(_ child: ChildID) -> Bool { names.isShown(child) }

    /// All of it as it was made; for a reload, which compares.
    var unpacked: Plan {
        Plan(supervisor: supervisor, groups: groups, children: names.ids.map { self[$0] }, secrets: secrets)
    }

    /// What a child has in common with others; cheap.
    func traits(_ child: ChildID) -> ChildTraits { traits[Int(traitsOf[Int(child.rawValue) - 1])] }

    func policy(_ child: ChildID) -> ChildPolicy { tree.children[Int(child.rawValue) - 1] }

    func isWorker(_ child: ChildID) -> Bool { traits(child).worker != nil }

    /// Only this of its words, for `status`.
    func executable(_ child: ChildID) -> String {
        var reader = ByteReader(packed(child))
        return (try? reader.readString()) ?? ""
    }

    /// The workers as the router wants them.
    var workers: [Router.Worker] {
        names.ids.compactMap { child in
            traits(child).worker.map { worker in
                Router.Worker(
                    peer: PeerID(child), name: names[child], peers: Set(worker.peers.map(PeerID.init)),
                    may: worker.may.map(words))
            }
        }
    }

    /// As Supervisor.toml has it.
    private func words(_ grant: WorkerPlan.Grant) -> String {
        switch grant {
        case .status: "status"
        case .start(let target): "start:\(name(target))"
        case .stop(let target): "stop:\(name(target))"
        case .restart(let target): "restart:\(name(target))"
        case .health(let child): "health:\(names[child])"
        }
    }

    private func name(_ target: Command.Target) -> String {
        switch target {
        case .all: "all"
        case .group(let group): names[group]
        case .child(let child): names[child]
        }
    }

    private func packed(_ child: ChildID) -> [UInt8] {
        let index = Int(child.rawValue) - 1
        return Array(words[Int(starts[index])..<Int(starts[index + 1])])
    }

    /// Each different value once, and which one each element has.
    private static func share(_ all: [ChildTraits]) -> ([ChildTraits], [UInt16]) {
        var known: [ChildTraits: UInt16] = [:]
        var distinct: [ChildTraits] = []
        let indices = all.map { traits in
            if let index = known[traits] { return index }
            let index = UInt16(distinct.count)
            known[traits] = index
            distinct.append(traits)
            return index
        }
        return (distinct, indices)
    }

    private static func commonVariables(_ children: [ChildPlan]) -> [Variable] {
        var counts: [Variable: Int] = [:]
        for child in children { for variable in child.environment { counts[variable, default: 0] += 1 } }
        return Array(counts.lazy.filter { $0.value > 1 }.map(\.key).prefix(Int(UInt16.max)))
    }
}
