import SupervisorCore

/// A schedule with the times that were computed for it. Two readings of one calendar at different moments are the same:
/// where both know the times, they must agree.
public struct ScheduleTimes: Equatable {
    let rule: Schedule?
    let times: [Int64]

    /// Of a child.
    public init(_ child: ChildPlan) {
        rule = child.policy.schedule
        times = child.calendar
    }

    /// Where both know the times, they agree.
    public static func == (left: ScheduleTimes, right: ScheduleTimes) -> Bool {
        guard left.rule == right.rule else { return false }
        guard let first = [left.times.first, right.times.first].compactMap({ $0 }).max(),
            let last = [left.times.last, right.times.last].compactMap({ $0 }).min()
        else { return left.times.isEmpty == right.times.isEmpty }
        return left.times.filter { first <= $0 && $0 <= last } == right.times.filter { first <= $0 && $0 <= last }
    }

    /// As `diff` shows it.
    var words: String {
        switch rule {
        case nil: "none"
        case .every(let interval): "every " + DurationText.show(interval)
        case .calendar: "a calendar"
        }
    }
}
