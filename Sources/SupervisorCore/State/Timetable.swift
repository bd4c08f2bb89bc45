/// When a scheduled child is to run.
struct Timetable: Hashable, Sendable {
    let rule: Schedule
    /// The next time; nil: not known yet, or the calendar is used up.
    private(set) var next: Instant?
    /// Times at which a run was still there, or that came all at once.
    private(set) var skipped: UInt32 = 0
    /// Of a calendar: what is to come, in order.
    private var moments: ArraySlice<Moment> = []
    private var lastSecond = Int64.min
    private var lastStart: Instant?

    init(_ rule: Schedule) { self.rule = rule }

    /// The same under another rule, which has no time yet; under the same, as it is.
    func under(_ rule: Schedule) -> Timetable {
        if rule == self.rule { return self }
        var other = Timetable(rule)
        other.skipped = skipped
        other.lastStart = lastStart
        return other
    }

    /// What outlives the shell: the times of a calendar are said anew.
    var memory: TimetableMemory {
        TimetableMemory(next: next, skipped: skipped, lastSecond: lastSecond, lastStart: lastStart)
    }

    /// The same again.
    mutating func recall(_ memory: TimetableMemory) {
        next = memory.next
        skipped = memory.skipped
        lastSecond = memory.lastSecond
        lastStart = memory.lastStart
    }

    /// Waits for its time from now on. A calendar's times that went by while nobody wanted the child are not made up for.
    mutating func arm(at now: Instant) {
        switch rule {
        case .every(let interval): next = max(now, lastStart.map { $0 + interval.asInterval } ?? now)
        case .calendar:
            moments = moments.drop { $0.instant < now }
            next = moments.first?.instant
        }
    }

    /// A run begins: an interval counts from here.
    mutating func started(at now: Instant) {
        lastStart = now
        switch rule {
        case .every(let interval): next = now + interval.asInterval
        case .calendar: break
        }
    }

    /// Takes the time that is due and all that are due with it; how many they were.
    mutating func take(at now: Instant) -> UInt32 {
        guard let due = next, due <= now else { return 0 }
        switch rule {
        case .every(let interval):
            let step = interval.asInterval
            let times = (now - due).nanoseconds / step.nanoseconds
            next = due + .nanoseconds(times * step.nanoseconds) + step
            return UInt32(clamping: times + 1)
        case .calendar:
            let past = moments.prefix { $0.instant <= now }
            lastSecond = past.last?.second ?? lastSecond
            moments = moments.dropFirst(past.count)
            next = moments.first?.instant
            return UInt32(clamping: past.count)
        }
    }

    /// Counts times without a run.
    mutating func skip(_ times: UInt32) { skipped &+= times }

    /// The times of the calendar as the wall clock stands now. Those already taken are not taken again, unless the clock
    /// was set back by more than `memory` from the last of them.
    mutating func replace(_ moments: [Moment], second: Int64) {
        guard case .calendar = rule else { return }
        if lastSecond > second, lastSecond - second > Self.memory { lastSecond = second }
        self.moments = moments.filter { $0.second > lastSecond }.sorted { $0.second < $1.second }[...]
        next = self.moments.first?.instant
    }

    /// Seconds by which a clock may be set back before times are taken a second time.
    static let memory: Int64 = 3600
}
