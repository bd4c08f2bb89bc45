import Plan
import SupervisorCore

extension Containment {
    /// Who keeps which bound: the first lines of what a person has to know when the kernel does not. One note for each
    /// bound and reason, whatever the number of children.
    func notes(on plan: PlanBook) -> [String] {
        var children: [BoundNote: [String]] = [:]
        var order: [BoundNote] = []
        for child in plan.names.shown.children {
            for file in plan.traits(child).bounds.files {
                guard let why = refusal(file.controller) else { continue }
                let note = BoundNote(bound: file.key, why: why)
                if children[note] == nil { order.append(note) }
                children[note, default: []].append(plan.names[child])
            }
        }
        return order.map { $0.words(children[$0] ?? []) } + stayNote(on: plan)
    }

    /// One line for all who could leave.
    private func stayNote(on plan: PlanBook) -> [String] {
        let free = plan.names.shown.children.filter {
            guarantee(user: plan.traits($0).identity?.uid) == .exactWhileItStays
        }
        guard !free.isEmpty else { return [] }
        let who =
            free.count == plan.names.shown.children.count
            ? "every child" : BoundNote.list(free.map { plan.names[$0] })
        return [
            "containment is exact for \(who) only while it stays in its cgroup: it runs as root or as nexusd's own user, who may "
                + "leave it; a `user` of its own may not"
        ]
    }

    private struct BoundNote: Hashable {
        let bound: String
        let why: String

        static func list(_ children: [String]) -> String {
            let more = children.count > 3 ? " and \(children.count - 3) more" : ""
            return children.prefix(3).joined(separator: ", ") + more
        }

        func words(_ children: [String]) -> String {
            let instead =
                bound == "memory.max"
                ? "; nexusd looks every \(MemoryWatch.interval.words) and ends a run that is above it" : ""
            return "\(bound) of \(Self.list(children)) is not kept by the kernel: \(why)\(instead)"
        }
    }
}
