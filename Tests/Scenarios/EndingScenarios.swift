import Foundation
import Testing

/// What follows from an end: the retry of a parked child, and codes and signals that the file gives a meaning.
@Suite(.timeLimit(.minutes(2))) struct EndingScenarios {
    @Test func parkedChild_isTriedBySlowRetry_untilItIsMended_orNeedsYou() throws {
        let box = try Box(
            """
            [child.tried]
            command = ["/bin/sh", "-c", "test -e DIR/mended && exec sleep 1000; exit 1"]
            delay = { first = "1ms", cap = "1ms", park-after = 2, slow-retry = "300ms" }
            [child.left]
            command = ["FIXTURE", "exit", "1"]
            delay = { first = "1ms", cap = "1ms", park-after = 2, slow-retry = "never" }
            """)
        try box.start()
        let left = try box.wait("parking") { $0.child("left")?.state == "parked" }.child("left")
        // Two unstable runs park it; each try after that parks it again, and counts on.
        let tried = try box.wait("three slow retries") {
            $0.child("tried")?.state == "parked" && ($0.child("tried")?.unstableRuns ?? 0) >= 5
        }
        #expect(tried.child("tried")?.cause == "crash")
        let ends = try History(box, "tried").ends
        #expect(ends.count >= 5)
        for (earlier, later) in zip(ends.dropFirst(), ends.dropFirst(2)) {
            // Counted from the last start; both clocks are rounded to a millisecond.
            #expect(later.began.timeIntervalSince(earlier.began) >= 0.295, "\(earlier) \(later)")
        }
        #expect(try box.ctl("events", "-n", "1000").output.contains("tried is given up for now (crash); next try in"))

        let table = try box.ctl("status").output
        let row = table.split(separator: "\n").first { $0.hasPrefix("left ") } ?? ""
        #expect(row.contains("parked") && row.hasSuffix("needs you: nexusctl why left"), "\(table)")
        let why = try box.ctl("why", "left").output
        #expect(why.contains("next     it needs you: mend it, then `nexusctl start left`"), "\(why)")
        #expect(why.contains("child.left.delay.slow-retry = never, \(box.config):6"), "\(why)")

        try Data().write(to: URL(fileURLWithPath: box.directory + "/mended"))
        try box.wait("the retry that stays") { $0.child("tried")?.state == "ready" }
        let now = try box.status().child("left")
        #expect(now?.state == "parked" && now?.lastEnd?.run == left?.lastEnd?.run, "nobody tries it but its owner")
        #expect(box.stop() == 0)
    }

    private static let exits =
        #"exits = { success = [3, "SIGUSR1"], config = [9, "SIGUSR2"], network = [69, "SIGHUP"] }"#

    @Test func codesAndSignalsOfExits_areTheCauseOfARealEnd_andNetworkNeverParks() throws {
        let parkAfter = 3
        let scripts = [
            ("won", "exit 3"), ("won-signal", "kill -USR1 $$"), ("wrong", "exit 9"), ("wrong-signal", "kill -USR2 $$"),
            ("away", "exit 69"), ("away-signal", "kill -HUP $$"), ("usual", "exit 64"),
        ]
        let box = try Box(
            scripts.map { name, script in
                """
                [child.\(name)]
                command = ["/bin/sh", "-c", "\(script)"]
                restart = "on-failure"
                delay = { first = "5ms", cap = "5ms", park-after = \(parkAfter), slow-retry = "never" }
                \(Self.exits)
                """
            }.joined(separator: "\n"))
        try box.start()
        let status = try box.wait("every end, and more of network than would park") { status in
            ["won", "won-signal"].allSatisfy { status.child($0)?.state == "done" }
                && ["wrong", "wrong-signal", "usual"].allSatisfy { status.child($0)?.state == "parked" }
                && ["away", "away-signal"].allSatisfy { (status.child($0)?.restarts ?? 0) >= 3 * parkAfter }
        }
        for (name, exit) in [("won", "exit 3"), ("won-signal", "signal 10 (USR1)")] {
            #expect(status.child(name)?.lastEnd?.cause == "done" && status.child(name)?.lastEnd?.exit == exit)
            #expect(status.child(name)?.restarts == 0)
        }
        for (name, exit) in [("wrong", "exit 9"), ("wrong-signal", "signal 12 (USR2)")] {
            #expect(status.child(name)?.cause == "config" && status.child(name)?.lastEnd?.exit == exit)
            #expect(try History(box, name).ends.count == 1, "an error of configuration is not tried again")
        }
        for name in ["away", "away-signal"] {
            #expect(status.child(name)?.unstableRuns == 0 && status.child(name)?.lastEnd?.cause == "network")
            let ends = try History(box, name).ends
            #expect(ends.count > 2 * parkAfter && ends.allSatisfy { $0.cause == "network" }, "\(ends)")
            #expect(!(try box.ctl("events", "-n", "2000").output.contains("\(name) is given up")))
        }
        // A list of one's own takes the place of the default: 64 is an ordinary crash here.
        #expect(try History(box, "usual").ends.map(\.cause) == Array(repeating: "crash", count: parkAfter))
        #expect(box.stop() == 0)
    }
}
