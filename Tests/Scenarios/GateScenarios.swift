import Foundation
import Testing

/// A child goes down because of another one: what it requires was stopped, was given up, or is away when it ends.
@Suite(.timeLimit(.minutes(2))) struct GateScenarios {
    private static let tree = """
        [child.base]
        command = ["/bin/sh", "-c", "test -e DIR/bad && exit 78; exec sleep 1000"]
        delay = { first = "1h", cap = "1h", slow-retry = "never" }
        [child.needs]
        command = ["FIXTURE", "serve"]
        requires = ["base"]
        [child.beyond]
        command = ["FIXTURE", "serve"]
        requires = ["needs"]
        """

    private func begun() throws -> Box {
        let box = try Box(Self.tree)
        try box.start()
        try box.waitReady()
        return box
    }

    /// Both wait, their ends are those of `runs`, have the cause dependency in every book, and count for nothing.
    private func expectDependency(_ box: Box, ends runs: StatusView, base state: String) throws {
        let status = try box.status()
        for (name, other, where_) in [("needs", "base", state), ("beyond", "needs", "waiting")] {
            let child = status.child(name)
            #expect(child?.state == "waiting" && child?.pid == nil)
            #expect(child?.lastEnd?.cause == "dependency" && child?.lastEnd?.run == runs.child(name)?.run)
            #expect(child?.restarts == 0 && child?.unstableRuns == 0)
            let row = "waits for \(other), which is \(where_)"
            let table = try box.ctl("status", name).output
            #expect(table.contains(row), "\(table)")
            let why = try box.ctl("why", name).output
            for part in [
                row, "(cause dependency)", "it comes back with that, and nothing is counted",
                "child.\(name).requires = [\"\(other)\"], \(box.config):\(name == "needs" ? 6 : 9)",
            ] {
                #expect(why.contains(part), "\(part) is not in:\n\(why)")
            }
            #expect(try History(box, name).ends.last?.cause == "dependency")
            let rows = try box.ctl("history", name, "-n", "1").output.split(separator: "\n")
            #expect(rows.last?.contains(" dependency ") == true, "\(rows)")
        }
    }

    @Test func whatItRequiresIsStopped_itGoesFirst_withCauseDependency_andComesBackWithIt() throws {
        let box = try begun()
        let before = try box.status()
        #expect(try box.ctl("stop", "base").status == 0)
        try expectDependency(box, ends: before, base: "off")
        let metrics = try box.ctl("metrics").output
        #expect(metrics.contains(#"nexus_child_run_ends_total{child="needs",cause="dependency"} 1"#), "\(metrics)")

        #expect(try box.ctl("start", "base").status == 0)
        try box.waitReady()
        let after = try box.status()
        let events = try box.events(untilLast: "beyond is ready.", ofRun: after.child("beyond")?.run)
        let order = [
            ("beyond", before, " ended after "), ("needs", before, " ended after "), ("base", before, " ended after "),
            ("base", after, " is ready."), ("needs", after, "Starting "), ("needs", after, " is ready."),
            ("beyond", after, "Starting "),
        ].map { name, view, words in
            events.firstIndex { $0.run == view.child(name)?.run && $0.message.contains(words) } ?? -1
        }
        #expect(!order.contains(-1) && order == order.sorted(), "\(order) \(events)")
        #expect(box.stop() == 0)
    }

    @Test func whatItRequiresIsGivenUp_itGoesWithCauseDependency() throws {
        let box = try begun()
        let before = try box.status()
        try Data().write(to: URL(fileURLWithPath: box.directory + "/bad"))
        Foundation.kill(before.pid("base")!, SIGKILL)
        // A crash takes nobody along: the others run on through the delay.
        try box.wait("the delay") { $0.child("base")?.state == "delayed" }
        #expect(try box.status().pid("needs") == before.pid("needs"))
        try box.ctl("start", "base", "--no-wait")
        try box.wait("the others to be down") { status in
            status.child("base")?.state == "parked"
                && ["needs", "beyond"].allSatisfy { status.child($0)?.state == "waiting" }
        }
        try expectDependency(box, ends: before, base: "parked")
        try FileManager.default.removeItem(atPath: box.directory + "/bad")
        #expect(try box.ctl("start", "base").status == 0)
        try box.waitReady()
        #expect(box.stop() == 0)
    }

    @Test func itEndsWhileWhatItRequiresIsAway_itWaits_andThatIsNotCounted() throws {
        let box = try begun()
        let before = try box.status()
        Foundation.kill(before.pid("base")!, SIGKILL)
        try box.wait("the delay") { $0.child("base")?.state == "delayed" }
        Foundation.kill(before.pid("needs")!, SIGKILL)
        let status = try box.wait("it to wait") { $0.child("needs")?.state == "waiting" }
        #expect(status.child("needs")?.unstableRuns == 0 && status.child("base")?.unstableRuns == 1)
        #expect(status.child("needs")?.lastEnd?.signal == Int(SIGKILL))
        #expect(try box.ctl("why", "needs").output.contains("waits for base, which is delayed"))
        #expect(try box.ctl("start", "base").status == 0)
        try box.waitReady()
        let after = try box.status()
        #expect(after.child("needs")?.run != before.child("needs")?.run && after.child("needs")?.unstableRuns == 0)
        #expect(box.stop() == 0)
    }
}
