import SupervisorCore
import Testing

@testable import Plan

@Suite(.timeLimit(.minutes(1))) struct ScheduleTimesTests {
    private func schedule(_ times: [Int64], _ rule: Schedule = .calendar) -> ScheduleTimes {
        var child = ChildPlan(name: "job", executable: "/bin/true", arguments: [Text("true")])
        child.policy.schedule = rule
        child.calendar = times
        return ScheduleTimes(child)
    }

    @Test func twoReadingsOfOneCalendar_areTheSame() {
        #expect(schedule([10, 20, 30]) == schedule([20, 30, 40]))
        #expect(schedule([10, 20]) == schedule([30, 40]))
    }

    @Test func anotherCalendarOrRule_isAnother() {
        #expect(schedule([10, 20, 30]) != schedule([15, 25, 35]))
        #expect(schedule([10, 20, 30]) != schedule([20, 25, 30]))
        #expect(schedule([], .every(.seconds(1))) != schedule([], .every(.seconds(2))))
        #expect(schedule([10]) != schedule([], .every(.seconds(1))))
    }
}
