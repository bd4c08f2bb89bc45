import Foundation
import Testing

/// A child that takes what it can get holds up no other one.
@Suite(.serialized, .timeLimit(.minutes(5))) struct HostileChildScenarios {
    private let quick = #"delay = { first = "1ms", cap = "5ms", park-after = 1000 }"#

    /// `bad` are tables of children that begin with the fault; `during` looks at what only this fault shows.
    private func hold(
        _ fault: String, _ names: [String], _ bad: String, during: (Box) throws -> Void = { _ in }
    ) throws {
        let box = try Box(Bystanders.tables + bad)
        let bystanders = try Bystanders(box)
        try bystanders.start()
        for name in names { try box.ctl("start", name, "--no-wait") }
        try bystanders.endure(fault)
        try during(box)
        #expect(box.stop() == 0)
        for (role, pid) in box.registered() { #expect(!isAlive(pid), "\(role) \(pid) is still alive") }
        try bystanders.expectNoLineMissing()
    }

    private func child(_ words: String..., more: String = "") -> String {
        let command = (["FIXTURE"] + words).map { "\"\($0)\"" }.joined(separator: ", ")
        return "[child.bad]\ncommand = [\(command)]\nenabled = false\n\(more)\n"
    }

    @Test func floodOfLines_holdsUpNobody() throws {
        try hold("flood of 100-byte lines", ["bad"], child("flood", "1000000", more: #"log = { rate = "20000/30s" }"#))
        { box in
            try box.wait("the flood to be suppressed aloud") { _ in
                try box.ctl("logs", "bad", "-n", "100000").output.contains("suppressed")
            }
        }
    }

    @Test func linesOf10Megabytes_holdUpNobody() throws {
        try hold("lines of 10 MB", ["bad"], child("wide-lines", "10"))
    }

    /// Without the filter nexusd and log-writer wait in the kernel for as long as this child likes.
    @Test(arguments: [false, true]) func childThatKeepsItsPipesLocked_isRefused_andHoldsUpNobody(worker: Bool) throws {
        let bad = child("hold-pipes", more: "worker = \(worker)\nready = \"spawned\"")
        try hold("calls that wait with a pipe's lock", ["bad"], bad) { box in
            let log = try box.ctl("logs", "bad", "-n", "1000000").output
            var calls = ["io_uring: errno 38", "a file by sendfile: sent", "a file by splice: sent"]
            for target in worker ? [1, 4] : [1] {
                calls.append("splice from a socket into \(target): errno 22")
                calls.append("splice from a terminal into \(target): errno 22")
                calls.append("sendfile from a socket into \(target): errno 22")
            }
            if worker { calls.append("splice out of 3 into a socket: errno 22") }
            for call in calls { #expect(log.contains(call), "\(call)") }
        }
    }

    @Test func stormOfZombies_holdsUpNobody() throws {
        try hold("orphans that end at once, without end", ["bad"], child("zombies", "1000000"))
    }

    @Test func floodOfNotifyDatagrams_holdsUpNobody() throws {
        try hold("notify datagrams without end", ["bad"], child("notify-storm", more: "ready = \"notify\"")) { box in
            func heard() throws -> Int { Int(try box.status().child("bad")?.status ?? "") ?? 0 }
            let (before, began) = (try heard(), ContinuousClock.now)
            #expect(before > 0)
            let after = try box.wait("more to be heard") { Int($0.child("bad")?.status ?? "") ?? 0 > before + 10_000 }
            let rate =
                Double(Int(after.child("bad")?.status ?? "")! - before) / ((ContinuousClock.now - began) / .seconds(1))
            print("timing: \(Int(rate)) notify datagrams a second were heard")
        }
    }

    @Test func brokenFramesInALoop_holdUpNobody() throws {
        let verbs = [["half-frame", "0"], ["lying-length"], ["wrong-version"], ["unknown-kind"], ["forge-epoch"]]
        let tables = verbs.map { words in
            let command = (["FIXTURE"] + words).map { "\"\($0)\"" }.joined(separator: ", ")
            return "[child.\(words[0])]\ncommand = [\(command)]\nworker = true\nenabled = false\n\(quick)\n"
        }
        try hold("half frames and four lies, again and again", verbs.map { $0[0] }, tables.joined()) { box in
            let status = try box.status()
            for words in verbs {
                let liar = status.child(words[0])
                #expect(liar?.restarts ?? 0 > 3 && liar?.lastEnd?.cause == "crash", "\(String(describing: liar))")
            }
        }
    }
}
