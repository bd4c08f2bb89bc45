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
                let note = BoundNote(bound: file.name, why: why)
                if children[note] == nil { order.append(note) }
                children[note, default: []].append(plan.names[child])
            }
        }
        return order.map { $0.words(children[$0] ?? []) }
    }

    private struct BoundNote: Hashable {
        let bound: String
        let why: String

        func words(_ children: [String]) -> String {
            let shown = children.prefix(3).joined(separator: ", ")
            let more = children.count > 3 ? " and \(children.count - 3) more" : ""
            let instead =
                bound == "memory.max"
                ? "; nexusd looks every \(MemoryWatch.interval.words) and ends a run that is above it" : ""
            return "\(bound) of \(shown)\(more) is not kept by the kernel: \(why)\(instead)"
        }
    }
}
