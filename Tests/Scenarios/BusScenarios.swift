import Foundation
import Testing

/// Workers that break the bus hurt themselves only; nobody gets more than Supervisor.toml grants.
@Suite(.timeLimit(.minutes(2))) struct BusScenarios {
    private let quick = #"delay = { first = "20ms", cap = "50ms", park-after = 2, slow-retry = "never" }"#

    @Test(arguments: ["half-frame 50", "lying-length", "wrong-version", "unknown-kind", "forge-epoch"])
    func brokenFrame_endsThatLinkOnly(verb: String) throws {
        let words = verb.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ", ")
        let box = try Box(
            """
            [child.bad]
            command = ["FIXTURE", \(words)]
            worker = true
            \(quick)
            [child.good]
            command = ["FIXTURE", "worker"]
            worker = true
            ready = "bus"
            """)
        try box.start()
        let status = try box.wait("the bad worker to park") { $0.child("bad")?.state == "parked" }
        #expect(status.child("bad")?.lastEnd?.cause == "crash", "\(String(describing: status.child("bad")))")
        let good = try box.wait("the good worker to be ready") { $0.child("good")?.state == "ready" }
        #expect(good.child("good")?.restarts == 0)
        #expect(box.stop() == 0)
    }

    /// What the fixture printed for frames it got, from its log.
    private func answer(_ box: Box, _ child: String) throws -> String {
        try box.wait("an answer to \(child)") { _ in try box.ctl("logs", child, "-n", "5").output.contains("frame ") }
        return try box.ctl("logs", child, "-n", "5").output
    }

    @Test func workerAsksForMoreThanItMay_isRefusedAndNothingHappens() throws {
        let box = try Box(
            """
            [child.hostile]
            command = ["FIXTURE", "ask", "stop", "victim"]
            worker = true
            requires = ["victim"]
            [child.victim]
            command = ["FIXTURE", "serve"]
            """)
        try box.start()
        #expect(try answer(box, "hostile").contains("refused"))
        #expect(try box.status().child("victim")?.state == "ready")
        try box.waitLog("nexusd", "hostile may not ask for 'stop child:victim'")
        #expect(box.stop() == 0)
    }

    @Test func workerAsksForWhatItMay_itIsDone() throws {
        let box = try Box(
            """
            [child.keeper]
            command = ["FIXTURE", "ask", "stop", "other"]
            worker = true
            may = ["stop:other"]
            requires = ["other"]
            [child.other]
            command = ["FIXTURE", "serve"]
            """)
        try box.start()
        try box.wait("the other to be stopped") { $0.child("other")?.state == "off" }
        #expect(box.stop() == 0)
    }

    @Test func hostileWorkerAddressesAPeerItWasNotGiven_isRefused() throws {
        // log-writer is child 1, so first is 2, second is 3.
        let box = try Box(
            """
            [child.first]
            command = ["FIXTURE", "worker"]
            worker = true
            ready = "bus"
            [child.second]
            command = ["FIXTURE", "address", "2", "hello"]
            worker = true
            requires = ["first"]
            """)
        try box.start()
        #expect(try answer(box, "second").contains("refused"))
        #expect(box.stop() == 0)
    }

    @Test func workerThatFloodsWithWhatIsRefused_hidesNothingThatOthersDid() throws {
        let box = try Box(
            """
            [child.flooder]
            command = ["/usr/bin/python3", "\(Programs.repository)/Tests/Scenarios/flooder.py"]
            worker = true
            ready = "bus"
            [child.victim]
            command = ["FIXTURE", "serve"]
            """)
        try box.start()
        try box.waitReady()
        for _ in 0..<20 { #expect(try box.ctl("restart", "victim").status == 0) }
        // Behind the twenty in the same file.
        #expect(try box.ctl("restart", "flooder").status == 0)
        let log = try box.waitLog("nexusd", "asks: restart child:flooder")
        let audits = log.split(separator: "\n").filter { $0.contains("asks: restart child:victim") }
        #expect(audits.count == 20)
        let refusals = log.split(separator: "\n").filter { $0.contains("may not report the health of victim") }
        #expect((1...120).contains(refusals.count) && refusals.contains { $0.contains("more were refused since") })
        let metrics = try box.ctl("metrics").output
        #expect(metrics.contains("nexus_lost_records_total 0\n"), "\(metrics)")
        #expect(box.stop() == 0)
    }

    @Test func pythonWorker_joinsAnswersStreamsAndDrains() throws {
        let worker = Programs.repository + "/examples/worker.py"
        let asker = Programs.repository + "/Tests/Scenarios/asker.py"
        let box = try Box(
            """
            [child.python]
            command = ["/usr/bin/python3", "\(worker)"]
            worker = true
            ready = "bus"
            [child.asker]
            command = ["/usr/bin/python3", "\(asker)"]
            worker = true
            peers = ["python"]
            requires = ["python"]
            """)
        try box.start()
        try box.waitReady()
        try box.wait("the asker's answers") { _ in
            let log = try box.ctl("logs", "asker").output
            return log.contains("HELLO BUS") && log.contains("stream 5")
        }
        #expect(try box.ctl("restart", "python").status == 0)
        #expect(try box.status().child("python")?.lastEnd?.cause == "asked")
        #expect(box.stop() == 0)
    }
}
