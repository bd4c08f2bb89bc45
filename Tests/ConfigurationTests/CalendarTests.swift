import Testing

@testable import NexusConfiguration

@Suite(.timeLimit(.minutes(1))) struct CalendarTests {
    /// Berlin in 2026: an hour ahead in winter, two from 29 March 01:00 UTC to 25 October 01:00 UTC.
    private static let berlin: @Sendable (Int64) -> Int64 = { second in
        (1_774_746_000..<1_792_890_000).contains(second) ? 7_200 : 3_600
    }
    private static let spring: Int64 = 1_774_746_000
    private static let autumn: Int64 = 1_792_890_000
    /// 2026-03-01 00:00:00 UTC, a Sunday.
    private static let march: Int64 = 1_772_323_200
    private static let day: Int64 = 86_400

    private func next(_ text: String, after now: Int64, _ count: Int, _ zone: @escaping (Int64) -> Int64 = { _ in 0 })
        throws -> [Int64]
    {
        let time = try #require(CalendarTime(text), "\(text)")
        return CalendarTimes(offset: zone).next([time], after: now, limit: count)
    }

    @Test func days_areThoseOfTheCalendar() {
        let days: [(Int64, (Int, Int, Int), Int)] = [
            (0, (1970, 1, 1), 3), (-1, (1969, 12, 31), 2), (11_016, (2000, 2, 29), 1), (20_513, (2026, 3, 1), 6),
            (47_541, (2100, 3, 1), 0),
        ]
        for (number, date, weekday) in days {
            let day = CivilDay(number: number)
            #expect(day.date == date, "\(number)")
            #expect(day.weekday == weekday, "\(number)")
        }
    }

    @Test func times_comeInOrder() throws {
        let march = Self.march
        #expect(try next("03:00", after: march, 2) == [march + 10_800, march + 10_800 + Self.day])
        #expect(try next("daily", after: march, 1) == [march + Self.day])
        #expect(try next("Mon..Fri 03:00", after: march, 6).map { ($0 - march) / Self.day } == [1, 2, 3, 4, 5, 8])
        #expect(try next("Sat,sunday 00:00", after: march, 2).map { ($0 - march) / Self.day } == [6, 7])
        #expect(try next("*-*-01 04:30", after: march, 2) == [march + 16_200, march + 31 * Self.day + 16_200])
        #expect(try next("*:00/15", after: march, 3) == [march + 900, march + 1_800, march + 2_700])
        #expect(try next("12:30:15,45", after: march, 2) == [march + 45_015, march + 45_045])
        #expect(try next("*-02-29", after: march, 2).map { CivilDay(number: $0 / Self.day).date.year } == [2028, 2032])
        #expect(try next("hourly", after: march - 1, 2) == [march, march + 3600])
        #expect(try next("*-*-30,31 8..10/2:00", after: march, 3).map { ($0 - march) % Self.day / 3600 } == [8, 10, 8])
        #expect(try next("2027-01-01", after: march, 2).count == 1)
        #expect(try next("*:*:*", after: march, 64).last == march + 64)
    }

    @Test(arguments: [
        "", "Mon.Fri 03:00", "Mon.Fri. 03:00", "Mun 03:00", "25:00", "03", "03:60", "*-13-01", "*-*-32",
        "2026-01-01-01", "03:00 Mon", "03:00 UTC", "*/0:00", "5..3:00", "1,,2:00", "daily daily", "03:00:00:00",
        "-01-01", "*-*-* 1/x:00",
    ])
    func otherTexts_areRefused(text: String) { #expect(CalendarTime(text) == nil) }

    @Test func timeInTheSpringGap_comesAtItsEnd_once() throws {
        // 02:30 is not there on 29 March: it comes at 03:00 summer time, and on the days around at 02:30.
        let found = try next("02:30", after: Self.spring - Self.day, 3, Self.berlin)
        let wanted: [Int64] = [Self.spring - Self.day + 1_800, Self.spring, Self.spring + Self.day - 1_800]
        #expect(found == wanted)
        // Both come at the end of the gap; 03:00 is there already.
        #expect(try next("02,03:00", after: Self.spring - 1, 2, Self.berlin).first == Self.spring)
        #expect(try next("02,03:00", after: Self.spring, 1, Self.berlin) == [Self.spring + Self.day - 3_600])
    }

    @Test func timeThatComesTwiceInAutumn_isTakenOnce() throws {
        // 02:30 comes at 00:30 and at 01:30 UTC on 25 October.
        let found = try next("02:30", after: Self.autumn - 7_200, 2, Self.berlin)
        #expect(found == [Self.autumn - 1_800, Self.autumn + Self.day + 1_800])
    }

    @Test func everyHour_goesByHoursThatPass() throws {
        for change in [Self.spring, Self.autumn] {
            let found = try next("hourly", after: change - 10_801, 7, Self.berlin)
            let wanted: [Int64] = (0..<7).map { hour in change - 10_800 + Int64(hour) * 3_600 }
            #expect(found == wanted)
        }
    }

    @Test func aPlanKnowsSixtyFourTimes_ofAllCalendarsOfTheChildTogether() throws {
        var machine = FakeMachine()
        machine.zone = Self.berlin
        let plan = try machine.parse(
            "[child.job]\ncommand = [\"/bin/true\"]\nschedule = { at = [\"03:00\", \"Sun 12:00\"] }\n"
        ).plan
        let times = plan.children[1].calendar
        #expect(plan.children[1].policy.schedule == .calendar)
        #expect(times.count == 64)
        let first: [Int64] = [Self.march + 7_200, Self.march + 39_600]
        #expect(Array(times.prefix(2)) == first)
        #expect(times == times.sorted())
    }
}
