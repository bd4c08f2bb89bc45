import Plan
import SupervisorCore

/// Whose memory nexusd looks at, and when it does so next. The kernel keeps `memory.max` by itself where it can and says
/// nothing of a run that only grows; so a child is looked at for what the kernel does not do. A tree without such a child
/// has no timer for it.
struct MemoryWatch {
    /// Between two looks.
    static let interval: Duration = .seconds(2)

    /// Until workers are told again that a child is to be recycled: one of them may have been down.
    static let suggestionInterval: Duration = .seconds(30)

    /// Children that are looked at while they have a run.
    let children: [ChildID]
    /// The next look; nil while none of them has a run.
    var deadline: Instant?

    init(_ plan: PlanBook, kernelKeepsMaximum: Bool) {
        children = plan.names.ids.filter { child in
            let bounds = plan.traits(child).bounds
            return bounds.recycle != nil || bounds.memoryMax != nil && !kernelKeepsMaximum
        }
    }

    /// A run of this child began.
    mutating func began(_ child: ChildID, at now: Instant) {
        if deadline == nil, children.contains(child) { deadline = now + Self.interval }
    }
}
