import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(1))) struct RecycleCommandTests {
        private func worn(_ name: String, _ verb: String..., change: (inout ChildPlan) -> Void = { _ in }) -> ChildPlan
        {
            var plan = child(name, "serve", change: change)
            if !verb.isEmpty { plan.arguments = [Text("fixture")] + verb.map { Text($0) } }
            plan.policy.delay.stableAfter = .zero
            return plan
        }

        @Test func recycledChild_hasANewProcess_andNothingIsCounted_andNobodyElseIsTouched() throws {
            let other = child("other", "serve") { $0.policy.requires = [ChildID(rawValue: 1)] }
            let tree = try RunningTree(Plan(children: [worn("worn"), other]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let before = try (client.pid("worn"), client.pid("other"))
            let answer = try tree.ctl("recycle", "worn")
            #expect(answer.status == 0 && answer.output == "worn: recycled, ready again\n", "\(answer.errors)")
            let status = try client.status("worn")
            #expect(status["state"] as? String == "ready" && status["pid"] as? Int32 != before.0)
            #expect(status["restarts"] as? Int == 0 && status["unstable_runs"] as? Int == 0)
            #expect((status["last_end"] as? [String: Any])?["cause"] as? String == "recycled")
            #expect(try client.pid("other") == before.1)
            let prefixed = try tree.ctl("recycle", "child:worn")
            #expect(prefixed.status == 0 && prefixed.output == "worn: recycled, ready again\n", "\(prefixed.errors)")
            let json = try tree.ctl("recycle", "worn", "--json", "--no-wait")
            #expect(json.object["outcome"] as? String == "accepted")
            #expect(try tree.stop() == .code(0))
        }

        /// The keeper says that its child is idle as soon as it is told of the wish; until then nobody is stopped.
        @Test func childWithAKeeper_isRecycledWhenThatSaysSo() throws {
            let keeper = child(
                "keeper", "keeper", "worn", readiness: .bus,
                worker: WorkerPlan(may: [.status, .restart(.child(ChildID(rawValue: 1)))]))
            let tree = try RunningTree(Plan(children: [worn("worn"), keeper]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let answer = try tree.ctl("recycle", "worn", "--json")
            #expect(answer.status == 0 && answer.object["outcome"] as? String == "done", "\(answer.errors)")
            // Its own request is audited beside the owner's.
            #expect(try tree.said().contains("keeper asks: recycle worn"))
            #expect(try client.status("worn")["restarts"] as? Int == 0)
            #expect(try tree.stop() == .code(0))
        }

        @Test func busyChild_isLeftAloneUntilItsKeeperSaysSo_orThePatienceIsOver() throws {
            let busy = worn("busy") { $0.bounds.recycle = RecycleRule(above: 1 << 40, patience: .milliseconds(300)) }
            let mute = child(
                "mute", "worker", readiness: .bus,
                worker: WorkerPlan(may: [.restart(.child(ChildID(rawValue: 1)))]))
            let tree = try RunningTree(Plan(children: [busy, mute]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let events = try client.request("events")
            #expect(try client.ask("recycle busy") == .reply(#"{"outcome":"accepted"}"#))
            #expect(try client.state("busy") == "ready", "nobody has said that it is idle")
            let ended = try client.event(events) { $0["message_id"] as? String == EventKind.ended.messageID }
            #expect((ended["fields"] as? [String: String])?["CAUSE"] == "recycled")
            #expect(try tree.stop() == .code(0))
        }

        private func worker(_ name: String, _ verb: String..., patience: Duration) -> ChildPlan {
            child(name, readiness: .bus, worker: WorkerPlan()) {
                $0.arguments += verb.map { Text($0) }
                $0.bounds.recycle = RecycleRule(above: 1 << 40, patience: patience)
                $0.policy.stop.drain = .milliseconds(100)
                $0.policy.delay.stableAfter = .zero
            }
        }

        private func isUncounted(_ client: ControlPeer, _ name: String) throws -> Bool {
            let status = try client.status(name)
            return (status["last_end"] as? [String: Any])?["cause"] as? String == "recycled"
                && status["restarts"] as? Int == 0 && status["unstable_runs"] as? Int == 0
        }

        /// The file is what it works on: nobody but this test ends that, and no timeout does.
        @Test func workerThatIsTold_finishesWhatItDoes_andOnlyThenIsReplaced() throws {
            let work = TemporaryFlag()
            let tree = try RunningTree(
                Plan(children: [worker("busy", "busy-worker", work.path, patience: .seconds(600))]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let before = try #require(try client.pid("busy"))
            let recycled = try client.request("recycle busy")
            try waitFor("the drain word") { tree.registered("drain") == [before] }
            let other = try tree.client()
            #expect(try other.state("busy") == "stopping" && other.pid("busy") == before)
            #expect(try tree.ctl("why", "busy").output.contains("asked to drain"))
            #expect(tree.registered("finished").isEmpty && tree.registered("main") == [before])
            work.set()
            _ = try client.end(of: recycled)
            try waitFor("the replacement") { try other.state("busy") == "ready" && other.pid("busy") != before }
            #expect(tree.registered("finished") == [before])
            // Having said that it is done it ends by itself, or by the signal that follows: whichever comes first.
            let exit = (try other.status("busy")["last_end"] as? [String: Any])?["exit"] as? String
            #expect(["exit 0", "signal 15 (TERM)"].contains(exit), "\(exit ?? "none")")
            #expect(try isUncounted(other, "busy"))
            #expect(try tree.stop() == .code(0))
        }

        @Test func workerDeafToDrain_isStoppedWhenThePatienceIsOver_andThatIsNotCounted() throws {
            let tree = try RunningTree(Plan(children: [worker("deaf", "deaf-worker", patience: .seconds(1))]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let events = try client.request("events")
            let listener = try tree.client()
            let before = LiveKernel().wallClock()
            _ = try listener.ask("recycle deaf")
            let ended = try client.event(events) { $0["message_id"] as? String == EventKind.ended.messageID }
            let fields = ended["fields"] as? [String: String]
            #expect(fields?["CAUSE"] == "recycled" && fields?["EXIT"] == "signal 15 (TERM)", "\(fields ?? [:])")
            // By the record's own stamp: not before.
            #expect(Int64(try #require(ended["time_ms"] as? Int)) >= before / 1_000_000 + 1000)
            _ = try client.ready("deaf", events, after: ended["run"] as? String)
            #expect(try isUncounted(listener, "deaf"))
            #expect(try tree.stop() == .code(0))
        }

        @Test func refusals_sayWhatWouldBeRight() throws {
            let fresh = child("fresh", "serve") { $0.policy.delay.stableAfter = .seconds(600) }
            let tree = try RunningTree(
                Plan(children: [fresh, child("off", "serve") { $0.policy.enabled = false }]))
            _ = try tree.client().ask("wait-ready fresh")
            let early = try tree.ctl("recycle", "fresh")
            #expect(early.status == 1 && early.errors.contains("only when it has been ready for 10 min"))
            let off = try tree.ctl("recycle", "off")
            #expect(off.status == 1 && off.errors.contains("off has no run"))
            let wrong = try tree.ctl("recycle", "frehs")
            #expect(wrong.status == 2 && wrong.errors.contains("did you mean 'fresh'?"))
            #expect(try tree.ctl("recycle").status == 2)
        }

        @Test func wishes_areOneAChild_areSaidAgain_andEndWithTheRunOrThePatience() {
            let (a, b) = (ChildID(rawValue: 1), ChildID(rawValue: 2))
            func run(_ count: UInt32) -> RunID { RunID(second: 1, count: count) }
            func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }
            var wishes = RecycleWishes()
            #expect(wishes.deadline == nil)
            wishes.add(a, run(1), until: at(100), at: at(0))
            wishes.add(a, run(1), until: at(90), at: at(0))
            wishes.add(b, run(2), until: at(100), at: at(0))
            #expect(wishes.deadline == at(30))
            var due = wishes.take(at: at(30)) { _, _ in true }
            #expect(due.over.isEmpty && due.again == [a, b])
            due = wishes.take(at: at(90)) { child, _ in child == a }
            #expect(due.over.map(\.0) == [a] && due.again.isEmpty)
            #expect(wishes.deadline == nil)
        }
    }
}
