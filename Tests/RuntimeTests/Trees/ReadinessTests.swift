import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(1))) struct ReadinessTests {
        @Test func notify_makesReady_alsoFromAGrandchildThatIsGone() throws {
            let tree = try RunningTree(
                Plan(children: [
                    child("late", "late-ready", "50", readiness: .notify),
                    child("grand", "ready-grandchild", readiness: .notify),
                    child("mute", "never-ready", readiness: .notify) { $0.policy.startTimeout = .seconds(600) },
                ]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready late grand") == .reply(#"{"ready":true}"#))
            #expect(try client.state("mute") == "starting")
            #expect(try client.ask("is-ready") == .reply(#"{"ready":false,"waiting":["mute"]}"#))
            #expect(try tree.stop() == .code(0))
        }

        @Test func whatAChildSaidLast_counts() throws {
            let quick = child("quick", "ready-exit", "0", readiness: .notify) { $0.policy.restart = .never }
            let tree = try RunningTree(Plan(children: [quick]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            while try client.state("quick") == "ready" { usleep(1000) }
            #expect(try client.state("quick") == "done")
        }

        @Test func silentWatchdog_endsTheRun_withThatCause() throws {
            let silent = child("silent", "watchdog", "3", "20", readiness: .notify) {
                $0.policy.watchdog = .milliseconds(300)
                $0.policy.restart = .never
            }
            let tree = try RunningTree(Plan(children: [silent]))
            #expect(try tree.client().end(of: "silent")["cause"] as? String == "watchdog")
        }

        @Test func floodOfStatusTexts_isBounded_andHoldsUpNobody() throws {
            let tree = try RunningTree(
                Plan(children: [child("loud", "notify-flood", "20000", readiness: .notify), child("calm", "serve")]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            // READY=1 comes first.
            var text: String?
            while text == nil { text = try client.status("loud")["status"] as? String }
            #expect(try #require(text).utf8.count <= 256)
        }

        @Test func newlineOnItsDescriptor_makesReady() throws {
            let tree = try RunningTree(
                Plan(children: [child("fd", "ready-fd", "5", "20", readiness: .descriptor(5))]))
            #expect(try tree.client().ask("wait-ready") == .reply(#"{"ready":true}"#))
        }

        @Test func connectProbe_makesReady_whenThePortIsOpen() throws {
            let port = try freePort()
            let probe = Probe.tcp(host: "127.0.0.1", port: Text(String(port)), timeout: .seconds(1))
            let tree = try RunningTree(
                Plan(children: [child("server", "listen", String(port), "100", readiness: .probe(probe))]))
            #expect(try tree.client().ask("wait-ready") == .reply(#"{"ready":true}"#))
        }

        @Test func execProbe_isAskedUntilItSucceeds_andFailingLivenessEndsTheRun() throws {
            let flag = TemporaryFlag()
            let test = Probe.exec(
                executable: "/bin/sh", arguments: [Text("sh"), Text("-c"), Text("test -e \(flag.path)")],
                timeout: .seconds(5))
            let checked = child("checked", "serve", readiness: .probe(test)) {
                $0.liveness = test
                $0.policy.liveness = LivenessRule(interval: .milliseconds(50), misses: 2)
            }
            let tree = try RunningTree(Plan(children: [checked]))
            let client = try tree.client()
            let events = try client.request("events")
            #expect(try client.ask("is-ready") == .reply(#"{"ready":false,"waiting":["checked"]}"#))
            flag.set()
            _ = try client.ready("checked", events, after: nil)
            flag.clear()
            let ended = try client.event(events) { $0["message_id"] as? String == EventKind.ended.messageID }
            #expect((ended["fields"] as? [String: String])?["CAUSE"] == "probe")
            #expect(try tree.stop() == .code(0))
        }

        @Test func lineOfOutput_makesReady_andItsCapturesReachSiblings() throws {
            let pattern = LinePattern(pieces: [.literal("listening on "), .integer(name: "port")])
            let server = ChildID(rawValue: 2)
            let reader = script("reader", "echo \"told $PORT\"; exec sleep 1000") { child in
                child.environment.append(Variable(name: "PORT", value: Text(pieces: [.captured(server, name: "port")])))
                child.policy.requires = [server]
                child.readiness = .logLine(LinePattern(pieces: [.literal("told "), .integer(name: "number")]))
                child.policy.ready = .reported
            }
            let tree = try RunningTree(
                Plan(children: [
                    logWriter, child("server", "say", "listening on 4711", readiness: .logLine(pattern)), reader,
                ]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            #expect(try client.status("server")["values"] as? [String: String] == ["port": "4711"])
            _ = try tree.stop()
            #expect(tree.file(tree.state + "/logs/reader/current").contains("told 4711"))
        }

        /// The worker does not name it in its words: it is told, and keeps its process.
        @Test func newValueOfASibling_replacesWhoWasStartedWithTheOldOne_andIsToldToWorkers() throws {
            let pattern = LinePattern(pieces: [.literal("listening on "), .integer(name: "port")])
            let (server, runs) = (ChildID(rawValue: 2), TemporaryDirectory())
            let serve = "echo >>\(runs.path)/runs; echo listening on 471$(wc -l <\(runs.path)/runs); exec sleep 1000"
            let reader = script("reader", "echo told $PORT; exec sleep 1000") { child in
                child.environment.append(Variable(name: "PORT", value: Text(pieces: [.captured(server, name: "port")])))
                child.policy.requires = [server]
            }
            let tree = try RunningTree(
                Plan(children: [
                    logWriter,
                    script("server", serve) {
                        $0.readiness = .logLine(pattern)
                        $0.policy.ready = .reported
                    }, reader,
                    child("asker", "ask", "version", readiness: .bus, worker: WorkerPlan(may: [])),
                ]))
            let (client, watcher) = (try tree.client(), try tree.client())
            let events = try watcher.request("events")
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            #expect(try client.status("server")["values"] as? [String: String] == ["port": "4711"])
            let (before, asker) = (try client.status("reader")["run"] as? String, try client.pid("asker"))
            kill(try #require(try client.pid("server")), SIGKILL)
            _ = try watcher.ready("reader", events, after: before)
            let reading = try client.status("reader")
            let end = try #require(reading["last_end"] as? [String: Any])
            #expect(end["run"] as? String == before && end["cause"] as? String == "recycled", "\(end)")
            #expect(end["detail"] as? String == "server told a new value that stands in its words")
            #expect(reading["restarts"] as? Int == 0 && reading["unstable_runs"] as? Int == 0, "nobody's failure")
            func log(_ child: String) -> String { tree.file(tree.state + "/logs/\(child)/current") }
            try waitFor("the new value") { log("reader").contains("told 4712") }
            try waitFor("the worker's event") {
                log("asker").contains(#"{"event":"values","values":{"server.port":"4712"}}"#)
            }
            #expect(try client.pid("asker") == asker)
            #expect(try tree.stop() == .code(0))
        }

        @Test func valueThatWasNeverTold_isNoStart_butSaidInWords() throws {
            let deaf = child("deaf", "serve") { child in
                child.arguments.append(
                    Text(pieces: [.literal("--port="), .captured(ChildID(rawValue: 1), name: "port")]))
                child.policy.delay.parkAfter = 2
            }
            let tree = try RunningTree(Plan(children: [child("silent", "serve"), deaf]))
            guard case .error("failed", _) = try tree.client().ask("wait-ready deaf") else {
                Issue.record("it was started without its value")
                return
            }
            #expect(try tree.said().contains("it needs {silent.port}, which silent has not told yet"))
        }

        private func freePort() throws -> UInt16 {
            let kernel = LiveKernel()
            let socket = try kernel.makeSocket(.inet, .stream)
            try kernel.bind(socket, to: .inet([127, 0, 0, 1], port: 0))
            return try kernel.boundPort(socket)
        }
    }
}

/// A file that a probe looks for.
final class TemporaryFlag {
    let path = "/tmp/nexus-flag-\(UUID().uuidString)"

    func set() { _ = FileManager.default.createFile(atPath: path, contents: nil) }

    func clear() { try? FileManager.default.removeItem(atPath: path) }

    deinit { clear() }
}
