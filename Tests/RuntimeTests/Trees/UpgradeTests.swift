import Foundation
import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

/// nexusd goes on as another program in the same process.
extension WholeTrees {
    @Suite(.timeLimit(.minutes(3))) struct UpgradeTests {
        @Test func twentyUpgrades_processesStay_linesAreNotLost() throws {
            let count = 12_000
            let tree = try RunningTree(
                Plan(children: [logWriter, child("talker", "lines", "\(count)", "200"), child("plain", "serve")]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let names = ["log-writer", "talker", "plain"]
            let before = try names.map { try client.pid($0) }
            var longest: Duration = .zero
            for number in 1...20 {
                let begun = ContinuousClock.now
                let outcome = try upgrade(tree.socket)
                longest = max(longest, ContinuousClock.now - begun)
                #expect(outcome["outcome"] as? String == "done", "\(outcome)")
                #expect(outcome["number"] as? Int == number)
            }
            print("the longest of 20 upgrades took \(longest)")
            let after = try tree.client()
            #expect(try names.map { try after.pid($0) } == before)
            #expect(try after.object("version")["pid"] as? Int == Int(tree.processID))
            let log = { tree.file(tree.state + "/logs/talker/current") }
            try waitFor("the last line", within: .seconds(60)) { log().contains("line \(count - 1)\n") }
            var seen: [Int: Int] = [:]
            for line in log().split(separator: "\n") {
                if let number = line.split(separator: " ").last.flatMap({ Int($0) }) { seen[number, default: 0] += 1 }
            }
            #expect((0..<count).allSatisfy { seen[$0] == 1 }, "\((0..<count).filter { seen[$0] != 1 }.prefix(10))")
            let notes = try after.object("status")["notes"] as? [String] ?? []
            #expect(notes.count { $0.contains("went on in place of") } == 1, "\(notes)")
            #expect(try tree.stop() == .code(0))
        }

        @Test func exitAfterAnUpgrade_isKnown_andTheOnesBeforeAreRemembered() throws {
            let directory = TemporaryDirectory()
            let (mark, go) = (directory.path + "/mark", directory.path + "/go")
            let text = "[ -e \(mark) ] || { : > \(mark); exit 3; }; while [ ! -e \(go) ]; do sleep 0.02; done; exit 7"
            let tree = try RunningTree(Plan(children: [logWriter, script("ends", text)]))
            let client = try tree.client()
            try waitFor("its second run") {
                let status = try client.status("ends")
                return status["state"] as? String == "ready" && status["last_end"] is [String: Any]
            }
            let before = try client.status("ends")
            #expect(try upgrade(tree.socket)["outcome"] as? String == "done")
            let after = try tree.client()
            let still = try after.status("ends")
            for key in ["pid", "run", "restarts"] {
                #expect("\(before[key] ?? "")" == "\(still[key] ?? "")", "\(key)")
            }
            try LiveKernel().replaceFile(go, with: [], mode: 0o644)
            func ends() throws -> [[String: Any]] {
                let child = try (after.object("history ends")["children"] as? [[String: Any]])?.first
                return child?["ends"] as? [[String: Any]] ?? []
            }
            try waitFor("its end") { try ends().count > 1 }
            #expect(try ends().prefix(2).map { $0["code"] as? Int } == [3, 7])
            #expect(try ends().allSatisfy { $0["cause"] as? String == "crash" })
            #expect(try tree.stop() == .code(0))
        }

        @Test func whoWaits_isParked_orOff_isSoAfterAnUpgrade() throws {
            let delayed = script("delayed", "exit 1") {
                $0.policy.delay = DelayRule(
                    first: .seconds(60), cap: .seconds(60), stableAfter: .seconds(60), parkAfter: 9)
            }
            let parked = script("parked", "") { $0.executable = "/nonexistent/program" }
            let tree = try RunningTree(
                Plan(children: [logWriter, delayed, parked, child("off", "serve"), child("plain", "serve")]))
            let client = try tree.client()
            _ = try client.ask("stop off")
            let names = ["delayed", "parked", "off", "plain"]
            let expected = ["delayed", "parked", "off", "ready"]
            try waitFor("where all are to be") { try names.map { try client.state($0) } == expected }
            let next = try client.status("delayed")["next_try_ms"] as? Int ?? 0
            #expect(try upgrade(tree.socket)["outcome"] as? String == "done")
            let after = try tree.client()
            #expect(try names.map { try after.state($0) } == expected)
            let later = try after.status("delayed")["next_try_ms"] as? Int ?? 0
            #expect(later <= next && later > next - 30_000)
            #expect(try tree.stop() == .code(0))
        }

        @Test func whoWaitsForLogWriterToRead_isLetOnAfterAnUpgrade() throws {
            let crasher = script("crasher", "echo word; exit 1") {
                $0.policy.delay = DelayRule(
                    first: .milliseconds(10), cap: .milliseconds(20), stableAfter: .seconds(60), parkAfter: 200)
            }
            let tree = try RunningTree(Plan(children: [logWriter, crasher]))
            let client = try tree.client()
            let keeper = try #require(try client.pid("log-writer"))
            kill(keeper, SIGSTOP)
            try waitFor("it waits for log-writer") {
                let status = try client.status("crasher")
                return status["state"] as? String == "waiting" && status["waits_for"] as? String == "log-writer"
            }
            #expect(try upgrade(tree.socket)["outcome"] as? String == "done")
            let after = try tree.client()
            let restarts = try after.status("crasher")["restarts"] as? Int ?? 0
            kill(keeper, SIGCONT)
            try waitFor("its next run") { try after.status("crasher")["restarts"] as? Int ?? 0 > restarts + 1 }
            #expect(try tree.stop() == .code(0))
        }

        @Test func worker_keepsItsLink() throws {
            let worker = child("worker", "worker", readiness: .bus, worker: WorkerPlan(may: [])) {
                $0.policy.stop = StopRule(drain: .seconds(5), timeout: .seconds(5))
            }
            let tree = try RunningTree(Plan(children: [logWriter, worker]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let pid = try client.pid("worker")
            for _ in 0..<3 { #expect(try upgrade(tree.socket)["outcome"] as? String == "done") }
            let after = try tree.client()
            #expect(try after.pid("worker") == pid)
            #expect(try after.state("worker") == "ready")
            // It hears the drain word on the link that it has had from its start.
            #expect(try after.ask("stop worker") == .reply(#"{"outcome":"done"}"#))
            let end = try after.end(of: "worker")
            #expect(end["exit"] as? String == "exit 0", "\(end)")
            #expect(try tree.stop() == .code(0))
        }

        @Test func listeningSocket_refusesNobody() throws {
            let path = "/tmp/nexus-upgraded-\(getpid())"
            let server = child("server", "inherited", "0") {
                $0.sockets = [
                    SocketPlan(
                        name: "web", address: .unix(path),
                        file: .init(mode: 0o600, user: LiveKernel().userID(), group: LiveKernel().groupID()))
                ]
            }
            let tree = try RunningTree(Plan(children: [logWriter, server]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let pid = try client.pid("server").map { "\($0)" }
            let callers = Callers(path)
            for _ in 0..<5 { #expect(try upgrade(tree.socket)["outcome"] as? String == "done") }
            let answers = callers.stop()
            #expect(answers.count > 5)
            let told: Set<String> = Set(
                answers.map { ($0 ?? "refused").trimmingCharacters(in: .whitespacesAndNewlines) })
            #expect(told == ["\(pid ?? "?") web"])
            #expect(try tree.stop() == .code(0))
            unlink(path)
        }

        @Test func request_isAnswered_orToldThatAnotherProgramGoesOn() throws {
            let tree = try RunningTree(
                Plan(children: [logWriter, child("never", "late-ready", "600000", readiness: .notify)]))
            let waiting = try tree.client()
            let request = try waiting.request("wait-ready never")
            _ = try waiting.object("version")
            #expect(try upgrade(tree.socket)["outcome"] as? String == "done")
            var last: Frame?
            while let frame = try? waiting.next(within: .seconds(5)) { last = frame }
            let told = try #require(last)
            #expect(told.header.kind == .error && told.header.id != request)
            let words = String(decoding: told.payload, as: UTF8.self)
            #expect(words.contains("goes on as another program"))
            #expect(try tree.stop() == .code(0))
        }

        @Test(.enabled(if: TestCgroup.isPossible, "needs root and a cgroup v2 mount"))
        func upgradeUnderSystemd_staysInItsCgroups_andIsAdoptedFromWhenItIsKilled() throws {
            let systemd = try StandInSystemd(Plan(children: [logWriter, child("plain", "serve")]))
            var client = try systemd.start()
            _ = try client.ask("wait-ready")
            let pid = try client.pid("plain")
            for _ in 0..<3 {
                #expect(try upgrade(systemd.runtime + "/control.sock")["outcome"] as? String == "done")
                client = try systemd.client()
                #expect(try client.object("status")["guarantee"] as? String == "exact")
                #expect(try client.pid("plain") == pid)
            }
            try waitFor("everybody is kept") {
                systemd.hear()
                let names = systemd.store.map(\.name)
                return names.count { $0 == "nexus-state" } == 1 && names.contains { $0.hasPrefix("nexus-run-2-") }
            }
            try systemd.kill()
            client = try systemd.start()
            #expect(try client.pid("plain") == pid)
            // One that is no child of this process stays that.
            #expect(try upgrade(systemd.runtime + "/control.sock")["outcome"] as? String == "done")
            client = try systemd.client()
            #expect(try client.pid("plain") == pid)
            kill(try #require(pid), SIGKILL)
            #expect(try client.end(of: "plain")["cause"] as? String == "unknown")
            #expect(try systemd.stop() == .code(0), "\(systemd.errorsSaid())")
            #expect(systemd.store.map(\.name) == [])
        }

        @Test func stopUnderWay_goesOn_andARunThatOutlivedItsMainProcessToo() throws {
            let family = script("family", "setsid sleep 3 & exit 5") {
                $0.policy.delay = DelayRule(
                    first: .seconds(60), cap: .seconds(60), stableAfter: .seconds(60), parkAfter: 9)
            }
            let deaf = child("deaf", "ignore-term") { $0.policy.stop = StopRule(timeout: .seconds(3)) }
            let tree = try RunningTree(Plan(children: [logWriter, deaf, family]))
            let client = try tree.client()
            try waitFor("it takes no notice of SIGTERM") {
                tree.file(tree.state + "/logs/deaf/current").contains("ignoring SIGTERM")
            }
            _ = try client.request("stop deaf")
            try waitFor("it stops") { try client.state("deaf") == "stopping" }
            #expect(try upgrade(tree.socket)["outcome"] as? String == "done")
            let after = try tree.client()
            #expect(try after.state("deaf") == "stopping")
            try waitFor("it is off") { try after.state("deaf") == "off" }
            #expect(try after.end(of: "deaf")["signal"] as? Int == 9)
            try waitFor("the rest of the other") { try after.state("family") == "delayed" }
            #expect(try after.end(of: "family")["code"] as? Int == 5)
            #expect(try tree.stop() == .code(0))
        }
    }
}

/// Asks for an upgrade, and the nexusd that answers then what came of it. Who comes meanwhile waits at the same socket.
func upgrade(_ socket: String) throws -> [String: Any] {
    let client = try ControlPeer(socket)
    let begun = try client.object("upgrade")
    #expect(begun["outcome"] as? String == "begins", "\(begun)")
    return try ControlPeer(socket).object("version")["upgrade"] as? [String: Any] ?? [:]
}

/// Somebody who connects again and again, in a thread of its own.
private final class Callers: @unchecked Sendable {
    private let lock = NSLock()
    private var answers: [String?] = []
    private var isOver = false
    private let done = DispatchSemaphore(value: 0)

    init(_ path: String) {
        Thread {
            while !self.lock.withLock({ self.isOver }) {
                let answer = try? SocketCaller(.path(path)).answer()
                self.lock.withLock { self.answers.append(answer) }
            }
            self.done.signal()
        }.start()
    }

    /// What each was told; nil: it was refused.
    func stop() -> [String?] {
        lock.withLock { isOver = true }
        done.wait()
        return answers
    }
}
