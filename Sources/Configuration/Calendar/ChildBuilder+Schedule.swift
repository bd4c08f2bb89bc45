import Plan
import SupervisorCore

extension ChildBuilder {
    /// When the clock starts this child; the times of a calendar.
    func schedule() -> (rule: Schedule?, times: [Int64]) {
        guard let below = reader.below(ChildKeys.schedule) else { return (nil, []) }
        checkCompany()
        switch (below.has(ScheduleKeys.every), below.has(ScheduleKeys.at)) {
        case (true, false):
            return (below(ScheduleKeys.every).map { .every($0) }, [])
        case (false, true):
            return (.calendar, times(below))
        case (true, true), (false, false):
            report.error(
                reader.position(of: ChildKeys.schedule),
                "'schedule' needs exactly one of every and at: { every = \"6h\" } or { at = [\"Mon..Fri 03:00\"] }")
            return (nil, [])
        }
    }

    private func times(_ below: SectionReader) -> [Int64] {
        let texts = below(ScheduleKeys.at)
        let calendar = CalendarTimes(offset: { host.offset(at: $0) })
        var all: [CalendarTime] = []
        for text in texts.prefix(ScheduleKeys.limit) {
            guard let time = CalendarTime(text.value) else {
                report.error(
                    text.position, "'\(text.value)' is not \(CalendarTime.form) (docs/configuration.md, calendar times)"
                )
                continue
            }
            if calendar.next([time], after: host.now, limit: 1).isEmpty {
                report.error(text.position, "'\(text.value)' does not come within the next ten years")
            }
            all.append(time)
        }
        if case .array(let list)? = below.table[ScheduleKeys.at.info.name]?.node.value,
            list.isEmpty || list.count > ScheduleKeys.limit
        {
            report.error(below.position(of: ScheduleKeys.at), "'at' needs 1 to \(ScheduleKeys.limit) calendar times")
        }
        return calendar.next(all, after: host.now, limit: ChildPlan.calendarLimit)
    }

    /// Keys that mean nothing where the clock alone starts a child.
    private func checkCompany() {
        let words = "means nothing to a scheduled child, which the clock starts however its last run ended; take it out"
        for (isGiven, position, name) in [
            (reader.has(ChildKeys.restart), reader.keyPosition(of: ChildKeys.restart), "restart"),
            (reader.has(ChildKeys.delay), reader.keyPosition(of: ChildKeys.delay), "delay"),
            (reader.has(ChildKeys.intensity), reader.keyPosition(of: ChildKeys.intensity), "intensity"),
            (reader(ChildKeys.critical), reader.keyPosition(of: ChildKeys.critical), "critical"),
            (reader(ChildKeys.significant), reader.keyPosition(of: ChildKeys.significant), "significant"),
        ] where isGiven {
            report.error(position, "'\(name)' \(words)")
        }
    }
}
