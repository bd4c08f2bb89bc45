import Testing

@testable import Chat

/// What the log is told of a store that cannot be written.
@Suite
struct TroubleReportTests {
    private let start = ContinuousClock.now

    @Test func nearlyFullDisk_isSaidOnce_andItsEndWhenThatHasLasted() {
        var report = TroubleReport()
        var said: [String] = []
        var ends: [Int] = []
        // Each few seconds a small write goes, and a larger one does not.
        for second in stride(from: 0, to: 300, by: 10) {
            if let line = report.found("no room", at: start + .seconds(second)) { said.append(line) }
            if let line = report.found(nil, at: start + .seconds(second + 5)) { said.append(line) }
            if report.isOver(at: start + .seconds(second + 9)) { ends.append(second) }
        }
        #expect(said == ["no room"] && report.told == said && ends.isEmpty)
        for second in [354, 355, 400] where report.isOver(at: start + .seconds(second)) { ends.append(second) }
        #expect(ends == [355])
        let again = report.found("no room", at: start + .seconds(500))
        #expect(again == "no room")
    }

    @Test func anotherTrouble_isSaid() {
        var report = TroubleReport()
        let said = ["no room", "locked", "no room"].map { report.found($0, at: start) }
        #expect(said == ["no room", "locked", nil])
        let isOver = report.isOver(at: start + .seconds(1000))
        #expect(!isOver, "it goes on")
    }
}
