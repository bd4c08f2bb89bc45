import Foundation
import Glibc
import Plan
import SupervisorCore
import System
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(1))) struct BusTests {
        private func worker(
            _ name: String, _ verb: String..., plan: WorkerPlan = WorkerPlan(),
            change: (inout ChildPlan) -> Void = { _ in }
        ) -> ChildPlan {
            child(name, readiness: .bus, worker: plan) { child in
                child.arguments = [Text("fixture")] + verb.map { Text($0) }
                change(&child)
            }
        }

        private func log(_ tree: RunningTree, _ child: String) -> String {
            tree.file(tree.state + "/logs/\(child)/current")
        }

        /// Waits until the output of a child has this text in the log.
        private func wait(for text: String, from child: String, in tree: RunningTree) {
            let kernel = LiveKernel()
            let limit = kernel.monotonic() + .seconds(20)
            while !log(tree, child).contains(text), kernel.monotonic() < limit { usleep(2000) }
            #expect(log(tree, child).contains(text))
        }

        @Test func workerAsksForStatus_andGetsTheWholeOne() throws {
            let tree = try RunningTree(Plan(children: [logWriter, worker("asker", "ask", "status")]))
            #expect(try tree.client().ask("wait-ready") == .reply(#"{"ready":true}"#))
            wait(for: #"frame 4 {"version":"#, from: "asker", in: tree)
            #expect(try tree.stop() == .code(0))
        }

        @Test func ungrantedVerb_isRefused_audited_andHasNoEffect() throws {
            let tree = try RunningTree(
                Plan(children: [logWriter, worker("hostile", "ask", "stop", "all"), child("victim", "serve")]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            wait(for: #"{"code":"refused""#, from: "hostile", in: tree)
            #expect(try client.state("victim") == "ready")
            wait(for: "hostile may not ask for 'stop all'", from: "nexusd", in: tree)
        }

        @Test func grantedVerb_isCarriedOut() throws {
            let grant = WorkerPlan(may: [.stop(.child(ChildID(rawValue: 2)))])
            let tree = try RunningTree(
                Plan(children: [worker("boss", "ask", "stop", "child:other", plan: grant), child("other", "serve")]))
            let client = try tree.client()
            while try client.state("other") != "off" { usleep(2000) }
            #expect(try client.status("other")["restarts"] as? Int == 0)
        }

        /// Each run of it asks for the next, without any grant.
        private func phoenix(change: (inout ChildPlan) -> Void) -> ChildPlan {
            worker(
                "phoenix", "ask", "restart", "child:phoenix", "--no-wait", plan: WorkerPlan(may: []), change: change)
        }

        /// No stable run counts as a failure, and none parks it; nor is what requires it touched.
        @Test func workerMayAskForItsOwnRestart_whichIsNoFailure() throws {
            let other = child("other", "serve") { $0.policy.requires = [ChildID(rawValue: 2)] }
            let tree = try RunningTree(
                Plan(children: [logWriter, phoenix { $0.policy.delay.stableAfter = .zero }, other]))
            let client = try tree.client()
            try waitFor("other") { try client.state("other") == "ready" }
            let run = try client.status("other")["run"] as? String
            for _ in 0..<8 {
                let before = try client.status("phoenix")["pid"] as? Int
                while try client.status("phoenix")["pid"] as? Int == before { usleep(2000) }
                #expect(try client.end(of: "phoenix")["cause"] as? String == "asked")
            }
            let status = try client.status("phoenix")
            #expect(status["restarts"] as? Int == 0 && status["unstable_runs"] as? Int == 0)
            #expect(try client.status("other")["run"] as? String == run)
        }

        /// Nothing else would slow it down.
        @Test func workerThatAsksForItsOwnRestartAtEachStart_isSlowedDown_andParked() throws {
            let plan = phoenix {
                $0.policy.delay = DelayRule(
                    first: .milliseconds(500), cap: .seconds(5), stableAfter: .seconds(60), parkAfter: 2,
                    slowRetry: nil)
            }
            let tree = try RunningTree(Plan(children: [logWriter, plan]))
            let client = try tree.client()
            try waitFor("parking") { try client.state("phoenix") == "parked" }
            let status = try client.status("phoenix")
            #expect(status["unstable_runs"] as? Int == 2 && status["restarts"] as? Int == 0)
            let end = try #require(status["last_end"] as? [String: Any])
            #expect(end["cause"] as? String == "asked" && end["detail"] as? String == EndRemark.wished)
            wait(for: "phoenix is started again in ", from: "nexusd", in: tree)
            let why = try tree.ctl("why", "phoenix").output
            #expect(why.contains("it asked for its own restart; it counts as a crash"), "\(why)")
            #expect(why.contains("2 unstable runs in a row park it (`delay.park-after`)"), "\(why)")
            #expect(try client.ask("start phoenix") == .reply(#"{"outcome":"done"}"#))
        }

        @Test func peerThatIsNotGranted_cannotBeAddressed() throws {
            let tree = try RunningTree(
                Plan(children: [logWriter, worker("sneaky", "address", "3", "hello"), worker("target", "worker")]))
            _ = try tree.client().ask("wait-ready")
            wait(for: #"{"code":"refused""#, from: "sneaky", in: tree)
        }

        @Test(arguments: [
            (
                "lying-length",
                "the frame announces 4294967295 bytes, at most 65536 are allowed; say it in several, or as a stream"
            ),
            ("wrong-version", "it speaks versions 9 to 9 of the bus, this nexusd speaks 1; build it for that one"),
            ("unknown-kind", "the frame has the unknown kind 200; send those of docs/bus-protocol.md"),
            ("forge-epoch", " does not belong to this link's epoch; count within the epoch of this link's `welcome`"),
        ])
        func badFrames_endTheLinkAsACrash_andTouchNobodyElse(verb: String, words: String) throws {
            let tree = try RunningTree(
                Plan(children: [
                    worker("bad", verb) { $0.policy.restart = .never }, worker("good", "worker"),
                ]))
            let client = try tree.client()
            let end = try client.end(of: "bad")
            #expect(end["cause"] as? String == "crash")
            let detail = try #require(end["detail"] as? String)
            #expect(detail.hasPrefix("its link of the bus was ended: ") && detail.hasSuffix(words), "\(detail)")
            let (why, said) = (try tree.ctl("why", "bad").output, try tree.said())
            #expect(why.contains(words), "\(why)")
            #expect(said.contains("The link of bad was ended: ") && said.contains(words + "."), "\(said)")
            #expect(try client.ask("wait-ready good") == .reply(#"{"ready":true}"#))
            #expect(try client.status("good")["restarts"] as? Int == 0)
            #expect(try tree.stop() == .code(0))
        }

        @Test func halfFrameOfADeadWorker_isDropped_andItIsBack() throws {
            let tree = try RunningTree(Plan(children: [worker("half", "half-frame", "50"), worker("good", "worker")]))
            let client = try tree.client()
            let events = try client.request("events")
            let first = try client.ready("half", events, after: nil)
            _ = try client.ready("half", events, after: first)
            #expect(try client.status("good")["restarts"] as? Int == 0)
        }

        @Test func requestToAWorkerThatIsDown_isUnavailableInTime() throws {
            let tree = try RunningTree(
                Plan(children: [child("other", "serve"), worker("absent", "worker") { $0.policy.enabled = false }]))
            let client = try tree.client()
            let id = try client.request("anybody?", peer: PeerID(rawValue: 2))
            guard case .error("unavailable", _) = try client.end(of: id) else { Issue.record("not refused"); return }
            guard case .error("unknown", _) = try client.end(of: client.request("hm?", peer: PeerID(rawValue: 1)))
            else {
                Issue.record("a child that is no worker was addressed")
                return
            }
        }

        @Test func requestOpenAtAWorkerThatDies_failsAsPeerRestarted() throws {
            let tree = try RunningTree(Plan(children: [worker("quiet", "worker")]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let id = try client.request("never answered", peer: PeerID(rawValue: 1))
            _ = try client.ask("version")
            kill(try #require(try client.pid("quiet")), SIGKILL)
            guard case .error("peer-restarted", _) = try client.end(of: id) else { Issue.record("another end"); return }
        }

        @Test func healthByAGrantedWorker_makesReady_byAnotherIsRefused() throws {
            let judged = ChildID(rawValue: 1)
            let judge = worker("judge", "judge", "judged", "healthy", plan: WorkerPlan(may: [.health(judged)])) {
                $0.policy.requires = []
            }
            let tree = try RunningTree(Plan(children: [child("judged", "serve", readiness: .health), judge]))
            #expect(try tree.client().ask("wait-ready judged") == .reply(#"{"ready":true}"#))
            let impostor = worker("impostor", "judge", "judged", "healthy")
            let other = try RunningTree(Plan(children: [child("judged", "serve", readiness: .health), impostor]))
            let client = try other.client()
            let events = try client.request("events")
            _ = try client.ask("wait-ready impostor")
            #expect(try client.state("judged") == "starting")
            _ = events
        }

        @Test func workerThatClosesItsLinkAndStays_isEnded() throws {
            let mute = script("mute", "exec 3<&- 4>&-; exec sleep 1000") {
                $0.worker = WorkerPlan()
                $0.policy.restart = .never
            }
            let tree = try RunningTree(Plan(children: [mute]))
            let client = try tree.client()
            #expect(try client.end(of: "mute")["cause"] as? String == "crash")
        }

        /// What it is sent can never be written, and its link is not at its end either: nexusd once turned without a pause.
        @Test func workerThatReadsNoMore_isEnded_andTheLoopDoesNotSpin() throws {
            let deaf = worker("deaf", "half-closed-worker") { $0.policy.restart = .never }
            let tree = try RunningTree(Plan(children: [deaf]))
            let (client, watcher) = (try tree.client(), try tree.client())
            let events = try watcher.request("events")
            _ = try client.ask("wait-ready")
            let before = try client.turns()
            let id = try client.request("anybody?", peer: PeerID(rawValue: 1))
            let end = try watcher.event(events) { $0["message_id"] as? String == EventKind.ended.messageID }
            #expect((end["fields"] as? [String: String])?["CAUSE"] == "crash", "\(end)")
            guard case .error("peer-restarted", _) = try client.end(of: id) else { Issue.record("another end"); return }
            let turns = try client.turns() - before
            #expect(turns < 1000, "\(turns) turns")
        }
    }
}
