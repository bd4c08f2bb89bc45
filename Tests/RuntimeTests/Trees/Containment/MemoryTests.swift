import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// Memory where the kernel keeps no bound, and what end records say a run took.
    @Suite(.timeLimit(.minutes(1))) struct MemoryTests {
        private let kernel = LiveKernel()
        private let mebibyte: UInt64 = 1 << 20

        private func field(_ name: String, _ event: [String: Any]) -> String? {
            (event["fields"] as? [String: Any])?[name] as? String
        }

        private func isKind(_ event: [String: Any], _ kind: EventKind, _ child: String) -> Bool {
            event["message_id"] as? String == kind.messageID && event["child"] as? String == child
        }

        @Test func runAboveItsLimit_endsAsOOM_andIsReplaced() throws {
            let big = child("big", "grow", "96") {
                $0.bounds.memoryMax = 32 * mebibyte
                $0.policy.delay.parkAfter = 1000
            }
            let small = child("small", "serve") { $0.bounds.memoryMax = 32 * mebibyte }
            let tree = try RunningTree(Plan(children: [big, small]))
            let client = try tree.client()
            let events = try client.request("events")
            _ = try client.ask("wait-ready small")
            let small1 = try client.pid("small")
            let said = try client.event(events) { isKind($0, .memory, "big") }
            #expect((said["message"] as? String)?.contains("above its limit of 32 MiB; it is killed") == true)
            // The look may come while it grows.
            #expect(field("BYTES", said).flatMap { UInt64($0) } ?? 0 > 32 * mebibyte)
            let ended = try client.event(events) { isKind($0, .ended, "big") }
            #expect(field("CAUSE", ended) == "oom" && field("SIGNAL", ended) == "9")
            #expect(field("PEAK_BYTES", ended).flatMap { UInt64($0) } ?? 0 > 32 * mebibyte)
            _ = try client.event(events) { isKind($0, .starting, "big") }
            #expect(try client.pid("small") == small1)
            // What is not kept by the kernel is said, with the reason.
            let notes = try client.object("status")["notes"] as? [String] ?? []
            #expect(notes.contains { $0.hasPrefix("memory.max of big, small is not kept by the kernel: ") })
            #expect(try tree.stop() == .code(0))
        }

        @Test func boundsNobodyKeeps_areNamedOneByOne() throws {
            let bounded = child("bounded", "serve") {
                $0.bounds = RunBounds(memoryHigh: 64 * mebibyte, processes: 10, cpuWeight: 50)
            }
            let tree = try RunningTree(Plan(children: [bounded]))
            let notes = try tree.client().object("status")["notes"] as? [String] ?? []
            for name in ["memory.high", "pids-max", "cpu-weight"] {
                let note = notes.first { $0.hasPrefix("\(name) of bounded is not kept by the kernel: ") }
                #expect(note != nil && note?.contains("nexusd looks") == false, "\(notes)")
            }
            #expect(try tree.stop() == .code(0))
        }

        @Test func grownWorker_isDrainedAndReplaced_andNothingIsCounted() throws {
            let grown = child("grown", "grow-worker", "64", readiness: .bus, worker: WorkerPlan()) {
                $0.bounds.recycle = RecycleRule(above: 32 * mebibyte, patience: .seconds(600))
                $0.policy.stop.drain = .seconds(1)
            }
            try recycles(grown)
        }

        @Test func grownChildThatNobodySpeaksFor_isReplacedWhenThePatienceIsOver() throws {
            let grown = child("grown", "grow", "64") {
                $0.bounds.recycle = RecycleRule(above: 32 * mebibyte, patience: .seconds(1))
            }
            try recycles(grown)
        }

        @Test func grownChildWithAKeeper_isReplacedWhenThatSaysSo() throws {
            let grown = child("grown", "grow", "64") {
                $0.bounds.recycle = RecycleRule(above: 32 * mebibyte, patience: .seconds(600))
            }
            let keeper = child(
                "keeper", "keeper", "grown", readiness: .bus,
                worker: WorkerPlan(may: [.status, .restart(.child(ChildID(rawValue: 1)))]))
            try recycles(grown, beside: [keeper])
        }

        @Test func recycleByCommand_needsAReadyRun_andTheRight() throws {
            let stranger = child("stranger", "ask", "recycle", "fresh", readiness: .bus, worker: WorkerPlan())
            let fresh = child("fresh", "serve") { $0.policy.delay.stableAfter = .seconds(600) }
            let tree = try RunningTree(
                Plan(children: [fresh, child("off", "serve") { $0.policy.enabled = false }, stranger]))
            let client = try tree.client()
            _ = try client.ask("wait-ready fresh stranger")
            guard case .error("failed", let words) = try client.ask("recycle fresh") else {
                return #expect(Bool(false))
            }
            #expect(words.contains("only when it has been ready for 10 min"))
            guard case .error(_, let none) = try client.ask("recycle off") else { return #expect(Bool(false)) }
            #expect(none.contains("off has no run"))
            // Without a log-writer nexusd's own words are on stderr.
            while try !tree.said().contains("stranger may not ask for 'recycle fresh'") { usleep(1000) }
            #expect(try client.state("fresh") == "ready")
            #expect(try tree.stop() == .code(0))
        }

        private func recycles(_ child: ChildPlan, beside others: [ChildPlan] = []) throws {
            let tree = try RunningTree(Plan(children: [child] + others))
            let client = try tree.client()
            let events = try client.request("events")
            _ = try client.event(events) { isKind($0, .memory, "grown") }
            let ended = try client.event(events) { isKind($0, .ended, "grown") }
            #expect(field("CAUSE", ended) == "recycled")
            _ = try client.event(events) { isKind($0, .ready, "grown") }
            let status = try client.status("grown")
            #expect(status["restarts"] as? Int == 0 && status["unstable_runs"] as? Int == 0)
            #expect(try tree.stop() == .code(0))
        }

        @Test func treeWithoutSuchBounds_hasNoTimerForThem() throws {
            let plan = Plan(children: [child("plain", "serve") { $0.bounds.cpuWeight = 10 }])
            var watch = MemoryWatch(PlanBook(plan), kernelKeepsMaximum: false)
            watch.began(ChildID(rawValue: 1), at: kernel.monotonic())
            #expect(watch.children.isEmpty && watch.deadline == nil)
            var bounded = plan
            bounded.children[0].bounds.memoryMax = mebibyte
            #expect(MemoryWatch(PlanBook(bounded), kernelKeepsMaximum: true).children.isEmpty)
            #expect(MemoryWatch(PlanBook(bounded), kernelKeepsMaximum: false).children == [ChildID(rawValue: 1)])
        }

        @Test(arguments: [false, true]) func endRecord_saysWhatTheRunTook(exact: Bool) throws {
            guard !exact || TestCgroup.isPossible else { return }
            let cgroup = exact ? try TestCgroup() : nil
            // More than nexusd has itself: a lower peak may be what a process began with.
            let take = "dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null"
            let burning = script("burning", "\(take); exec \(Built.fixture) burn 150") { $0.policy.restart = .never }
            let tree = try RunningTree(
                Plan(children: [burning]), environment: cgroup.map { ["NEXUS_CGROUP=\($0.path)"] } ?? [])
            let client = try tree.client()
            while try client.state("burning") != "parked" { usleep(2000) }
            let end = try client.status("burning")["last_end"] as? [String: Any] ?? [:]
            let cpu = end["cpu_ms"] as? Int ?? 0
            #expect((150...5000).contains(cpu), "\(end)")
            if !exact { #expect(end["peak_bytes"] as? Int ?? 0 >= 64 << 20) }
            #expect(try tree.stop() == .code(0))
            try cgroup?.removeEmptied()
        }
    }
}
