import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    /// Times that went by no longer ago than this are run at the start: nexus-config had computed them before.
    static let startGrace: Int64 = 60

    /// Listens for a wall clock that is set and a machine that wakes; nothing is armed where no child has a calendar.
    func beginSchedules() { beginSchedules(after: kernel.wallClock() / 1_000_000_000 - Self.startGrace) }

    /// A reload brought other calendars, or the same ones with times further ahead.
    func renewSchedules() { beginSchedules(after: .min) }

    private func beginSchedules(after first: Int64) {
        guard !plan.calendars.isEmpty else { return }
        if clockAlarm == nil { openClockAlarm() }
        tellTimes(after: first)
    }

    private func openClockAlarm() {
        do {
            let alarm = try kernel.makeClockAlarm()
            try surroundings.poller.add(alarm, token: EventSource.clock.token)
            clockAlarm = consume alarm
        } catch {
            say(
                LogEvent(
                    .supervisorTrouble, 4,
                    "nexusd cannot hear of a clock that is set (\(error)): scheduled children keep to the one there is."
                ))
        }
    }

    /// The wall clock was set, or the machine has slept: the same times come sooner or later than was thought.
    func clockWasSet() {
        var count: UInt64 = 0
        do {
            _ = try withUnsafeMutableBytes(of: &count) { buffer throws(Errno) in
                switch clockAlarm {
                case .some(let alarm): try kernel.read(alarm, into: buffer)
                case .none: 0
                }
            }
        } catch {
            // ECANCELED is the news; EAGAIN is none.
            guard error != .again else { return }
        }
        tellTimes(after: .min)
    }

    /// A calendar that knows fewer times ahead than this gets more.
    static let fewTimes = 8

    /// A run of this child begins. The last times of its calendar are near: nexus-config computes the next.
    func askForTimes(of child: ChildID) {
        guard readsFile, state != .stopping, let calendar = plan.calendars.first(where: { $0.child == child }) else {
            return
        }
        let second = kernel.wallClock() / 1_000_000_000
        if calendar.times.count(where: { $0 > second }) < Self.fewTimes { wish(.times) }
    }

    /// The file read again, for its calendars only: what else it says by now waits for a reload, and so does a calendar
    /// that is another one.
    func takeTimes(_ new: Plan) {
        plan.renewCalendars(from: new)
        tellTimes(after: .min)
    }

    /// Tells the core when the times of calendars come, as the wall clock stands now.
    private func tellTimes(after first: Int64) {
        let wall = kernel.wallClock()
        for (child, times) in plan.calendars {
            let moments = times.filter { $0 > first }.map { Moment(second: $0, wall: wall, now: now) }
            feed(.timetable(child, moments, second: wall / 1_000_000_000))
        }
    }
}

extension Moment {
    /// `wall`: nanoseconds since 1970 at `now`.
    init(second: Int64, wall: Int64, now: Instant) {
        let (nanoseconds, overflow) = second.multipliedReportingOverflow(by: 1_000_000_000)
        let wait: Duration = overflow ? .nanoseconds(Int64.max) : .nanoseconds(nanoseconds) - .nanoseconds(wall)
        self.init(second: second, instant: now + wait)
    }
}
