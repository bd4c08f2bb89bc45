import Foundation
import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(2))) struct ReloadTests {
        private func changed(_ name: String) -> ChildPlan { child(name, "serve") { $0.arguments.append(Text("0")) } }

        @Test func reload_restartsWhatNeedsIt_andKeepsEveryOtherPid() throws {
            let tree = try FileTree(
                Plan(children: [
                    child("same", "serve"), child("gone", "serve"), child("other", "serve"), child("soft", "serve"),
                ]))
            let client = try tree.startReady()
            let before = try ["same", "other", "soft"].map { try client.status($0) }
            let new = Plan(children: [
                child("new", "serve"), changed("other"), child("same", "serve"),
                child("soft", "serve") { $0.policy.stop.timeout = .seconds(3) },
            ])
            try tree.write(new)
            let expected = ["new": "added", "gone": "removed", "other": "restarted", "soft": "changed"]
            #expect(client.changes(try client.object("diff")) == expected)
            #expect(client.changes(try client.object("reload --dry-run")) == expected)
            #expect(try client.names() == ["same", "gone", "other", "soft"])
            let (diff, outcome) = try client.reload()
            #expect(client.changes(diff) == expected)
            #expect(outcome == "done")
            // In the order of the file; it has come to be by the answer.
            #expect(try client.names() == ["new", "other", "same", "soft"])
            let after = try ["same", "other", "soft"].map { try client.status($0) }
            for index in [0, 2] {
                #expect(after[index]["pid"] as? Int32 == before[index]["pid"] as? Int32)
                #expect(after[index]["run"] as? String == before[index]["run"] as? String)
            }
            #expect(after[1]["pid"] as? Int32 != before[1]["pid"] as? Int32)
            #expect(try client.state("other") == "ready")
            guard case .error(code: "unknown", _) = try client.ask("status gone") else { return #expect(Bool(false)) }
            #expect(client.changes(try client.object("diff")) == [:])
            #expect(try client.reload().outcome == "unchanged")
            #expect(try tree.stop() == .code(0))
        }

        @Test func difference_saysWhatChanges_fromAndTo_andNoValueOfAVariable() throws {
            func plan(_ cap: Duration, _ token: String) -> Plan {
                Plan(children: [
                    child("one", "serve") {
                        $0.policy.delay.cap = cap
                        $0.environment.append(Variable(name: "TOKEN", value: Text(token)))
                    }
                ])
            }
            let tree = try FileTree(plan(.seconds(30), "canary-old"))
            let client = try tree.startReady()
            try tree.write(plan(.seconds(90), "canary-new"))
            guard case .reply(let text) = try client.ask("diff") else { return #expect(Bool(false)) }
            #expect(!text.contains("canary"))
            #expect(text.contains(#"{"setting":"environment.TOKEN","restarts":true,"from":null,"to":null}"#), "\(text)")
            #expect(text.contains(#"{"setting":"delay.cap","restarts":false,"from":"30s","to":"90s"}"#))
            #expect(try tree.stop() == .code(0))
        }

        @Test func notes_areSaidOnce() throws {
            let tree = try FileTree(Plan(children: [child("one", "serve")], notes: ["a is odd"]))
            let client = try tree.startReady()
            func notes(_ words: String) throws -> [String]? { try client.object(words)["notes"] as? [String] }
            #expect(try notes("status")?.contains("a is odd") == true)
            #expect(try notes("diff") == [], "status says it already")
            try tree.write(Plan(children: [child("one", "serve")], notes: ["a is odd", "b is odd"]))
            #expect(try notes("diff") == ["b is odd"])
            #expect(try client.reload().diff["notes"] as? [String] == ["b is odd"])
            #expect(try notes("status")?.filter { $0.hasSuffix("odd") } == ["a is odd", "b is odd"])
            #expect(try notes("diff") == [])
            #expect(try tree.stop() == .code(0))
        }

        @Test func refusedFile_changesNothing_andSaysSoInTheLog() throws {
            let tree = try FileTree(Plan(children: [child("one", "serve")]))
            let client = try tree.startReady()
            let pid = try client.pid("one")
            let events = try ControlPeer(tree.socket)
            let subscription = try events.request("events")
            let words = "x.toml:3:1: error: unknown key 'comand'\nx.toml:4:1: error: and another"
            try tree.refuse(words)
            #expect(try client.ask("diff") == .error(code: "configuration", message: words))
            #expect(try client.ask("reload") == .error(code: "configuration", message: words))
            let event = try events.event(subscription) {
                $0["message_id"] as? String == EventKind.reloadRefused.messageID
            }
            #expect((event["message"] as? String)?.contains("x.toml:3:1") == true)
            #expect(try client.pid("one") == pid)
            try tree.refuse(nil)
            #expect(try client.reload().outcome == "unchanged")
            #expect(try tree.stop() == .code(0))
        }

        @Test func hangUpWithoutATerminal_reloads() throws {
            let tree = try FileTree(Plan(children: [child("one", "serve")]))
            let client = try tree.startReady()
            let id = try client.request("events")
            try tree.write(Plan(children: [child("one", "serve"), child("two", "serve")]))
            try tree.signal(Signal(rawValue: 1))
            _ = try client.event(id) { $0["message_id"] as? String == EventKind.reloaded.messageID }
            _ = try client.ready("two", id, after: nil)
            #expect(try tree.stop() == .code(0))
        }

        @Test func whileAPlanIsMade_nexusdServes_andOnlySoManyWait() throws {
            let tree = try FileTree(Plan(children: [child("one", "serve")]))
            let client = try tree.startReady()
            tree.close("gate")
            let running = try client.request("diff")
            let waiting = try (0..<ConfigDesk.waitingLimit).map { _ in try client.request("diff") }
            #expect(try client.state("one") == "ready")
            guard case .error(let code, let words) = try client.ask("reload") else { return #expect(Bool(false)) }
            #expect(code == "busy" && words.contains("try again"))
            // A restart is done meanwhile as quickly as ever.
            #expect(try client.ask("restart one --no-wait") == .reply(#"{"outcome":"accepted"}"#))
            try tree.open("gate")
            for id in [running] + waiting {
                guard case .reply = try client.end(of: id) else { return #expect(Bool(false)) }
            }
            #expect(try tree.stop() == .code(0))
        }

        @Test func stopWhileAPlanIsMade_answersEverybody_andLeavesNothing() throws {
            let tree = try FileTree(Plan(children: [child("one", "serve")]))
            let client = try tree.startReady()
            tree.close("gate")
            let first = try client.request("reload")
            let second = try client.request("diff")
            #expect(try client.state("one") == "ready")
            try tree.signal(.terminate)
            for id in [second, first] {
                #expect(try client.end(of: id) == .error(code: "failed", message: "the tree is being stopped"))
            }
            #expect(try tree.end() == .code(0))
        }

        @Test func removedChildThatIsSlowToStop_isShownUntilItIsGone_andComesBackUnderItsNumber() throws {
            let slow = script("slow", "trap 'read line < gate; exit 0' TERM; while :; do sleep 1000 & wait $!; done")
            let tree = try FileTree(Plan(children: [child("one", "serve"), slow]))
            var plan = Plan(children: [child("one", "serve"), slow])
            plan.children[1].directory = tree.directory.path
            plan.children[1].policy.stop.timeout = .seconds(60)
            mkfifo(tree.path("gate-of-slow"), 0o600)
            mkfifo(tree.path("never"), 0o600)
            // Without a process of its own: one that is signalled between its fork and its exec loses the signal.
            plan.children[1].arguments[2] = Text(
                "trap 'read line < gate-of-slow; exit 0' TERM; exec 9<>never; echo > up; while :; do read line <&9; done"
            )
            try tree.write(plan)
            let client = try tree.startReady()
            let kernel = LiveKernel()
            while (try? kernel.status(tree.path("up"), followingLinks: false)) == nil { usleep(2000) }
            try tree.write(Plan(children: [child("one", "serve")]))
            let watcher = try ControlPeer(tree.socket)
            let events = try watcher.request("events")
            let owner = try ControlPeer(tree.socket)
            let reload = try owner.request("reload")
            _ = try watcher.event(events) { $0["message_id"] as? String == EventKind.stopping.messageID }
            #expect(try client.names() == ["one", "slow"])
            let children = try client.object("status")["children"] as? [[String: Any]]
            #expect(children?[1]["removed"] as? Bool == true)
            #expect(children?[1]["state"] as? String == "stopping")
            // Nobody can ask for it by name any more.
            guard case .error(code: "unknown", _) = try client.ask("start slow") else { return #expect(Bool(false)) }
            let writer = Glibc.open(tree.path("gate-of-slow"), O_WRONLY | O_CLOEXEC)
            Glibc.close(writer)
            _ = try watcher.event(events) { $0["message_id"] as? String == EventKind.removed.messageID }
            guard case .stream(let text) = try owner.end(of: reload) else { return #expect(Bool(false)) }
            #expect(text.hasSuffix(#"{"outcome":"done"}"#))
            #expect(try client.names() == ["one"])
            #expect(Glibc.unlink(tree.path("up")) == 0)
            try tree.write(plan)
            #expect(try client.reload().outcome == "done")
            #expect(try client.state("slow") == "ready")
            while (try? kernel.status(tree.path("up"), followingLinks: false)) == nil { usleep(2000) }
            try tree.signal(.terminate)
            Glibc.close(Glibc.open(tree.path("gate-of-slow"), O_WRONLY | O_CLOEXEC))
            #expect(try tree.end() == .code(0))
        }

        @Test func controlLists_changeWhoMayUseTheSocket() throws {
            let tree = try FileTree(Plan(children: [child("one", "serve")]))
            let client = try tree.startReady()
            let kernel = LiveKernel()
            #expect(try kernel.status(tree.socket, followingLinks: false).mode & 0o777 == 0o660)
            try tree.write(Plan(supervisor: SupervisorPlan(readUids: [65_534]), children: [child("one", "serve")]))
            let (diff, _) = try client.reload()
            #expect(diff["supervisor"] as? [String] == ["read-users"])
            #expect(try kernel.status(tree.socket, followingLinks: false).mode & 0o777 == 0o666)
            #expect(try tree.stop() == .code(0))
        }

        @Test func manyReloads_leaveNoDescriptor() throws {
            // By their words: a reload waits a second for what shows nothing but its exec.
            func speaking(_ name: String, nice: Int8 = 0) -> ChildPlan {
                child(name, "notify-words", "READY=1", readiness: .notify) { $0.nice = nice }
            }
            let plans = [
                Plan(children: [speaking("one"), speaking("two")]),
                Plan(children: [speaking("one", nice: 1), speaking("three")]),
            ]
            let tree = try FileTree(plans[0])
            let client = try tree.startReady()
            func reload(_ times: Int) throws {
                for round in 1...times {
                    try tree.write(plans[round % 2])
                    #expect(try client.reload().outcome == "done")
                }
            }
            func descriptors() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/\(tree.processID)/fd").count
            }
            try reload(2)
            let before = try descriptors()
            try reload(20)
            // The notify socket of who was removed last is closed by a thread beside the loop, both times.
            try waitFor("its descriptors") { try descriptors() <= before }
            #expect(try tree.stop() == .code(0))
        }

        @Test func planGivenByHand_isNotReloaded() throws {
            let tree = try RunningTree(Plan(children: [child("one", "serve")]))
            guard case .error(code: "failed", let words) = try tree.client().ask("reload") else {
                return #expect(Bool(false))
            }
            #expect(words.contains("--plan"))
            #expect(try tree.stop() == .code(0))
        }

        @Test func lastGood_isLeftByAReloadOfAGoodFile() throws {
            let tree = try FileTree(Plan(children: [child("fresh", "serve")]))
            try tree.refuse("x.toml:3:1: error: unknown key 'comand'")
            let kept = Plan(children: [child("kept", "serve")])
            try LiveKernel().replaceFile(tree.state + "/last-good", with: kept.encoded(), mode: 0o600)
            let client = try tree.startReady(["--last-good"])
            func notes() throws -> [String] { try client.object("status")["notes"] as? [String] ?? [] }
            #expect(try notes().first?.contains("x.toml:3:1") == true)
            // Still refused: nothing changes, and the first line stays.
            guard case .error(code: "configuration", _) = try client.ask("reload") else { return #expect(Bool(false)) }
            #expect(try notes().first?.contains("last good plan") == true)
            try tree.refuse(nil)
            #expect(try client.reload().outcome == "done")
            #expect(try client.names() == ["fresh"])
            #expect(try notes().allSatisfy { !$0.contains("last good plan") })
            #expect(try tree.stop() == .code(0))
        }

        /// The file is the same as the plan that is kept: what was wrong is mended on the machine.
        @Test func reloadAfterLastGood_triesAgainWhatWasParked_andWordsNameThePlan() throws {
            let directory = TemporaryDirectory()
            let missing = child("missing", "serve") { $0.executable = directory.path + "/fixture" }
            let plan = Plan(children: [child("one", "serve"), missing])
            let tree = try FileTree(plan)
            try tree.refuse("x.toml:3:1: error: there is no program")
            try LiveKernel().replaceFile(tree.state + "/last-good", with: plan.encoded(), mode: 0o600)
            let client = try tree.start(["--last-good"])
            try waitFor("the missing program") { try client.state("missing") == "parked" }
            let note = (try client.object("status")["notes"] as? [String])?.first ?? ""
            #expect(
                note.hasPrefix("the last good plan is in force (\(tree.state)/last-good), for the file was refused"))
            #expect(
                tree.said().contains(
                    "children of the last good plan, \(tree.state)/last-good, for /etc/x.toml was refused"))
            let before = try client.pid("one")
            symlink(Built.fixture, directory.path + "/fixture")
            try tree.refuse(nil)
            #expect(try client.object("diff")["tried_again"] as? [String] == ["missing"])
            let reload = try client.reload()
            #expect(reload.diff["tried_again"] as? [String] == ["missing"])
            #expect(reload.outcome == "done")
            #expect(tree.said().contains("; tried again: missing."))
            #expect(try client.object("diff")["tried_again"] as? [String] == [])
            #expect(try client.state("missing") == "ready")
            #expect(try client.pid("one") == before)
            #expect(try client.reload().outcome == "unchanged")
            #expect(try tree.stop() == .code(0))
        }

        /// By a change of its own, or with its group because of another's.
        @Test func whoIsParked_andTriedAgainByAReload_isNamedBefore() throws {
            func plan(_ cap: Duration, _ nice: Int8 = 0) -> Plan {
                let policy = GroupPolicy(children: [.a, .b])
                let missing = child("missing", "serve") {
                    $0.executable = "/no/such/program"
                    $0.policy.critical = true
                    $0.policy.group = GroupID(rawValue: 0)
                    $0.policy.delay.cap = cap
                }
                let with = child("with", "serve") { $0.policy.group = GroupID(rawValue: 0) }
                let alone = child("alone", "serve") { $0.executable = "/no/such/program" }
                let other = child("other", "serve") { $0.nice = nice }
                return Plan(groups: [GroupPlan(name: "g", policy: policy)], children: [missing, with, alone, other])
            }
            let tree = try FileTree(plan(.seconds(30)))
            let client = try tree.start()
            for name in ["missing", "with", "alone"] { try client.wait(for: name, toBe: "parked") }
            try tree.write(plan(.seconds(30), 1))
            #expect(try client.object("diff")["tried_again"] as? [String] == [], "nothing of them is different")
            try tree.write(plan(.seconds(9)))
            let diff = try client.object("diff")
            #expect(client.changes(diff) == ["missing": "changed"])
            #expect(diff["tried_again"] as? [String] == ["missing", "with"])
            let words = try tree.ctl(["diff"]).output
            #expect(words.contains("~ missing changed in place, and tried again, for it is parked\n"), "\(words)")
            #expect(words.contains("~ with tried again, for it is parked\n"), "\(words)")
            #expect(try tree.stop() == .code(0))
        }

        @Test func damagedLastGood_isRefused_byItsChecksum() throws {
            let tree = try FileTree(Plan(children: [child("fresh", "serve")]))
            try tree.refuse("x.toml:3:1: error: unknown key 'comand'")
            var bytes = Plan(children: [child("kept", "serve")]).encoded()
            bytes[bytes.count - 3] ^= 1
            try LiveKernel().replaceFile(tree.state + "/last-good", with: bytes, mode: 0o600)
            let (exit, words) = try tree.runToEnd(["--last-good"])
            #expect(exit == .code(2))
            #expect(words.contains("x.toml:3:1") && words.contains("checksum"))
        }
    }
}
