import SupervisorCore

/// How many of the wanted children are as they should be: ready, or done. Kept up to date by looking only at children
/// that something was said of.
struct ReadinessBoard {
    /// After this the tree counts as running, whatever is missing: the same bound as that of `READY=1`.
    static let startLimit = NotifySchedule.readyLimit

    /// Children to be looked at again.
    private(set) var touched: [ChildID] = []
    private var isTouched: [Bool]
    /// Wanted and not as they should be.
    private(set) var unsettled = 0
    /// Those of them that are given up: nothing is on its way there.
    private(set) var parked = 0
    /// Not wanted: off by choice.
    private(set) var off = 0
    private var states: [State]
    /// Every wanted child was ready or given up at once, or the limit has passed.
    var hasStarted = false
    /// Something changed since `takeChange`.
    private var changed = true

    private enum State {
        case settled, unsettled, parked, off
    }

    init(count: Int) {
        isTouched = Array(repeating: false, count: count)
        states = Array(repeating: .settled, count: count)
    }

    /// A reload has brought more children.
    mutating func extend(to count: Int) {
        while states.count < count {
            states.append(.settled)
            isTouched.append(false)
        }
    }

    var count: Int { states.count }

    /// True when every wanted child is ready or done.
    var isReady: Bool { unsettled == 0 }

    /// True when no wanted child is on its way.
    var isAtRest: Bool { unsettled == parked }

    mutating func touch(_ child: ChildID) {
        let index = Int(child.rawValue) - 1
        guard !isTouched[index] else { return }
        isTouched[index] = true
        touched.append(child)
    }

    mutating func touchAll() {
        for index in states.indices { touch(ChildID(rawValue: UInt16(index + 1))) }
    }

    /// Looks at those that were touched.
    mutating func settle(_ phase: (ChildID) -> Phase) {
        guard !touched.isEmpty else { return }
        changed = true
        for child in touched {
            let index = Int(child.rawValue) - 1
            isTouched[index] = false
            count(states[index], -1)
            states[index] =
                switch phase(child) {
                case .off: .off
                case .ready, .scheduled, .done: .settled
                case .waiting, .delayed, .starting, .stopping, .unkillable: .unsettled
                case .parked: .parked
                }
            count(states[index], 1)
        }
        touched.removeAll(keepingCapacity: touched.count <= 64)
    }

    /// True once after each change.
    mutating func takeChange() -> Bool {
        defer { changed = false }
        return changed
    }

    /// When the tree counts as running at the latest.
    func deadline(started: Instant) -> Instant? { hasStarted ? nil : started + Self.startLimit }

    private mutating func count(_ state: State, _ difference: Int) {
        switch state {
        case .settled: break
        case .unsettled: unsettled += difference
        case .parked:
            unsettled += difference
            parked += difference
        case .off: off += difference
        }
    }
}
