import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(1))) struct ChoiceTests {
        private func choice(_ client: ControlPeer, _ child: String) throws -> String? {
            try client.status(child)["choice"] as? String
        }

        @Test func stopAndStart_areAnsweredWhenTheyAreRecorded() throws {
            let tree = try FileTree(
                Plan(children: [child("one", "serve"), child("two", "serve") { $0.policy.enabled = false }]))
            let client = try tree.startReady()
            tree.close("record-gate")
            let stop = try client.request("stop one")
            try client.wait(for: "one", toBe: "off")
            // It has come to be, but it is not on disk: no answer yet, and status shows it as chosen.
            #expect(try choice(client, "one") == "off")
            let other = try client.request("version")
            guard case .reply = try client.end(of: other) else { return #expect(Bool(false)) }
            #expect(tree.records == [])
            try tree.open("record-gate")
            #expect(try client.end(of: stop) == .reply(#"{"outcome":"done"}"#))
            #expect(try client.ask("start two") == .reply(#"{"outcome":"done"}"#))
            #expect(try client.ask("start one") == .reply(#"{"outcome":"done"}"#))
            #expect(try client.ask("reset two") == .reply(#"{"outcome":"done"}"#))
            #expect(tree.records == ["one=off", "two=on", "one=file", "two=file"])
            #expect(try choice(client, "one") == nil)
            // What chooses nothing new is not recorded again.
            #expect(try client.ask("start one") == .reply(#"{"outcome":"unchanged"}"#))
            #expect(try client.ask("restart one") == .reply(#"{"outcome":"done"}"#))
            #expect(tree.records.count == 4)
            #expect(try tree.stop() == .code(0))
        }

        @Test func recordThatFails_isSaid_andTheChoiceHoldsForThisLife() throws {
            let tree = try FileTree(Plan(children: [child("one", "serve"), child("two", "serve")]))
            let client = try tree.startReady()
            try LiveKernel().replaceFile(tree.path("full"), with: [], mode: 0o600)
            guard case .error(code: "failed", let words) = try client.ask("stop one") else {
                return #expect(Bool(false))
            }
            #expect(words.contains("No space left on device"))
            #expect(try client.state("one") == "off")
            #expect(try choice(client, "one") == "off")
            let notes = try client.object("status")["notes"] as? [String] ?? []
            #expect(notes.contains { $0.contains("not recorded") && $0.contains("No space left") })
            try LiveKernel().removeFile(tree.path("full"))
            #expect(try client.ask("stop two") == .reply(#"{"outcome":"done"}"#))
            #expect(try (client.object("status")["notes"] as? [String] ?? []).allSatisfy { !$0.contains("recorded") })
            // The record that could be written has what could not be written before.
            #expect(tree.records == ["one=off two=off"])
            #expect(try tree.stop() == .code(0))
        }

        @Test func choiceThatIsOwed_isWrittenByTheSameCommand_andByAReload_orFailsAgain() throws {
            let plan = Plan(children: [child("one", "serve"), child("two", "serve")])
            let tree = try FileTree(plan)
            let client = try tree.startReady()
            func fill() throws { try LiveKernel().replaceFile(tree.path("full"), with: [], mode: 0o600) }
            try fill()
            for _ in 0..<2 {
                guard case .error(code: "failed", let words) = try client.ask("stop one") else {
                    return #expect(Bool(false), "nothing is on disk")
                }
                #expect(words.contains("No space left on device"))
            }
            try LiveKernel().removeFile(tree.path("full"))
            #expect(try client.ask("stop one") == .reply(#"{"outcome":"unchanged"}"#))
            #expect(tree.records == ["one=off"])
            #expect(try client.ask("stop one") == .reply(#"{"outcome":"unchanged"}"#))
            #expect(tree.records == ["one=off"], "what is on disk is not written again")
            try fill()
            guard case .error(code: "failed", _) = try client.ask("start one") else { return #expect(Bool(false)) }
            try LiveKernel().removeFile(tree.path("full"))
            #expect(try client.reload().outcome == "unchanged")
            #expect(tree.records == ["one=off", "one=file"])
            #expect(try (client.object("status")["notes"] as? [String] ?? []).allSatisfy { !$0.contains("recorded") })
            #expect(try tree.stop() == .code(0))
        }

        @Test func recordedChoice_holdsAtTheStart_atAReload_andWhenItsGroupRestarts() throws {
            func plan(_ argument: String) -> Plan {
                Plan(
                    groups: [
                        GroupPlan(
                            name: "g",
                            policy: GroupPolicy(
                                children: [1, 2].map(ChildID.init(rawValue:)), strategy: .oneForAll))
                    ],
                    children: ["one", "two"].map { name in
                        child(name, "serve") {
                            $0.policy.group = GroupID(rawValue: 0)
                            $0.arguments.append(Text(argument))
                            $0.choice = name == "one" ? .off : nil
                        }
                    })
            }
            let tree = try FileTree(plan("0"))
            let client = try tree.start()
            let id = try client.request("events")
            try client.wait(for: "two", toBe: "ready")
            #expect(try client.state("one") == "off")
            #expect(try choice(client, "one") == "off")
            let run = try client.status("two")["run"] as? String
            let kernel = LiveKernel()
            let process = ProcessID(rawValue: try client.pid("two") ?? 0)
            _ = kernel.signal(try #require(ProcessTable.entry(process, kernel)), .kill) { _ in true }
            _ = try client.ready("two", id, after: run)
            #expect(try client.state("one") == "off")
            try tree.write(plan("1"))
            #expect(try client.reload().outcome == "done")
            #expect(try client.state("one") == "off")
            #expect(try client.ask("start one") == .reply(#"{"outcome":"done"}"#))
            #expect(tree.records == ["one=file"])
            #expect(try tree.stop() == .code(0))
        }

        @Test func newerChoiceOfThisLife_winsOverAPlanThatWasReadBefore() throws {
            let plan = Plan(children: [child("one", "serve"), child("two", "serve")])
            let tree = try FileTree(plan)
            let client = try tree.startReady()
            tree.close("gate")
            let reload = try client.request("reload")
            let stop = try client.request("stop one")
            try client.wait(for: "one", toBe: "off")
            try tree.open("gate")
            guard case .stream = try client.end(of: reload) else { return #expect(Bool(false)) }
            #expect(try client.end(of: stop) == .reply(#"{"outcome":"done"}"#))
            #expect(try client.state("one") == "off")
            #expect(tree.records == ["one=off"])
            #expect(try tree.stop() == .code(0))
        }

        @Test func recordUnderWay_isFinishedBeforeNexusdEnds() throws {
            let tree = try FileTree(Plan(children: [child("one", "serve")]))
            let client = try tree.startReady()
            tree.close("record-gate")
            _ = try client.request("stop one")
            try client.wait(for: "one", toBe: "off")
            try tree.signal(.terminate)
            try tree.open("record-gate")
            #expect(try tree.end() == .code(0))
            #expect(tree.records == ["one=off"])
        }

        @Test func workersCommand_isNoChoice() throws {
            let one = ChildID(rawValue: 1)
            let asker = child("asker", readiness: .bus, worker: WorkerPlan(may: [.status, .stop(.child(one))])) {
                $0.arguments = ["fixture", "ask", "stop", "one"].map { Text($0) }
            }
            let tree = try FileTree(Plan(children: [child("one", "serve"), asker]))
            let client = try tree.start()
            try client.wait(for: "one", toBe: "off")
            #expect(try client.status("one")["choice"] is NSNull)
            #expect(try client.ask("stop one") == .reply(#"{"outcome":"unchanged"}"#))
            #expect(tree.records == ["one=off"])
            #expect(try tree.stop() == .code(0))
        }

        /// What an owner started against the file, and a worker stopped: a reload does not bring it up again.
        @Test func workersStop_endsAnOwnersStart() throws {
            let one = ChildID(rawValue: 1)
            let asker = child("asker", readiness: .bus, worker: WorkerPlan(may: [.status, .stop(.child(one))])) {
                $0.arguments = ["fixture", "ask", "stop", "one"].map { Text($0) }
                $0.policy.enabled = false
            }
            let off = child("one", "serve") { $0.policy.enabled = false }
            let tree = try FileTree(Plan(children: [off, asker]))
            let client = try tree.start()
            #expect(try client.ask("start one") == .reply(#"{"outcome":"done"}"#))
            #expect(try client.status("one")["choice"] as? String == "on")
            #expect(try client.ask("start asker --no-wait") == .reply(#"{"outcome":"accepted"}"#))
            try client.wait(for: "one", toBe: "off")
            #expect(try client.status("one")["choice"] is NSNull)
            // The worker's answer comes behind the record, and only the worker sees that; the end waits for it too.
            #expect(try tree.stop() == .code(0))
            #expect(tree.records.last == "one=file")
        }
    }
}
