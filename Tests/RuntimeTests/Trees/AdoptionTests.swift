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
    /// nexusd is killed, and the next one goes on with its children. A test plays systemd's part; `scripts/checks/systemd`
    /// has the real one.
    @Suite(.timeLimit(.minutes(3)), .enabled(if: TestCgroup.isPossible, "needs root and a cgroup v2 mount"))
    struct AdoptionTests {
        private func ready(_ client: ControlPeer, _ child: String) throws {
            try waitFor("\(child) is ready") { try client.state(child) == "ready" }
        }

        /// The second nexusd of a tree whose first was killed when `plain` was ready.
        private func adopted(_ systemd: StandInSystemd) throws -> ControlPeer {
            try ready(try systemd.start(), "plain")
            systemd.hear()
            try systemd.kill()
            return try systemd.start()
        }

        @Test func killedSupervisor_childrenGoOn_linesAreNotLost() throws {
            let count = 20_000
            let systemd = try StandInSystemd(
                Plan(children: [logWriter, child("talker", "lines", "\(count)", "200"), child("plain", "serve")]))
            var client = try systemd.start()
            _ = try client.ask("wait-ready")
            let names = ["log-writer", "talker", "plain"]
            let before = try names.map { try client.pid($0) }
            for _ in 0..<2 {
                systemd.hear()
                try systemd.kill()
                let begun = ContinuousClock.now
                client = try systemd.start()
                #expect(try names.map { try client.pid($0) } == before)
                print("adopted after \(ContinuousClock.now - begun)")
            }
            let log = { systemd.file(systemd.state + "/logs/talker/current") }
            try waitFor("the last line", within: .seconds(60)) { log().contains("line \(count - 1)\n") }
            var seen: Set<Int> = []
            for line in log().split(separator: "\n") {
                if let number = line.split(separator: " ").last.flatMap({ Int($0) }) { seen.insert(number) }
            }
            let missing = (0..<count).filter { !seen.contains($0) }
            #expect(missing.isEmpty, "missing: \(missing.prefix(10))")
            let notes = try client.object("status")["notes"] as? [String] ?? []
            #expect(notes.contains { $0.contains("3 runs of it go on under this one") }, "\(notes)")
            #expect(try systemd.stop() == .code(0), "\(systemd.errorsSaid())")
            #expect(systemd.store.map(\.name) == [])
        }

        @Test func adoptedRun_thatEnds_isUnknown_andIsReplaced() throws {
            let systemd = try StandInSystemd(Plan(children: [logWriter, child("plain", "serve")]))
            let client = try adopted(systemd)
            let pid = try #require(try client.pid("plain"))
            kill(pid, SIGKILL)
            let end = try client.end(of: "plain")
            #expect(end["cause"] as? String == "unknown")
            #expect((end["detail"] as? String ?? "").contains("adopted"))
            try ready(client, "plain")
            #expect(try client.pid("plain") != pid)
            #expect(try systemd.stop() == .code(0))
        }

        /// That it has drained is what tells of its end: none is started in its place for what it might have left.
        @Test func adoptedLogWriter_endsWithTheTree_once() throws {
            let systemd = try StandInSystemd(Plan(children: [logWriter, child("plain", "serve")]))
            let client = try adopted(systemd)
            try ready(client, "plain")
            #expect(try systemd.stop() == .code(0))
            let book = systemd.file(systemd.state + "/logs/runs").split(separator: "\n")
            func count(_ words: String) -> Int { book.count { $0.contains(words) } }
            #expect(count(" starting log-writer") == 1 && count(" ended log-writer ") == 1, "\(book)")
            #expect(count(" ended plain ") == 1, "\(book)")
            let said = systemd.errorsSaid()
            #expect(said.contains("by its plan of 2 children; of its runs go on log-writer, plain."), "\(said)")
            #expect(
                said.contains("log-writer ended after ") && said.contains(": how it ended is known to nobody"),
                "\(said)")
        }

        /// The next one is told of its end by the nexusd that saw it.
        @Test func adoptedLogWriter_thatIsKilled_hasOneEnd() throws {
            let systemd = try StandInSystemd(Plan(children: [logWriter, child("plain", "serve")]))
            let client = try adopted(systemd)
            let status = try client.status("log-writer")
            kill(try #require(status["pid"] as? Int32), SIGKILL)
            try waitFor("the next log-writer") {
                let now = try client.status("log-writer")
                return now["state"] as? String == "ready" && now["run"] as? String != status["run"] as? String
            }
            let plain = try #require(try client.pid("plain"))
            kill(plain, SIGKILL)
            try waitFor("the end of plain") { try client.pid("plain") != plain }
            #expect(try systemd.stop() == .code(0))
            let book = systemd.file(systemd.state + "/logs/runs").split(separator: "\n")
            let ended = book.filter { $0.contains(" ended ") }.map { $0.split(separator: " ")[1] }
            #expect(Set(ended).count == ended.count && ended.count == 4, "\(book)")
            #expect(!book.contains { $0.contains("supervisor died") }, "\(book)")
        }

        /// What it had not read is in its link, which the next nexusd has; and what it was told before it greeted the next one.
        @Test(arguments: [false, true])
        func wordsThatLogWriterHadNotRead_areNotLost_whoeverIsKilled(diesWithNexusd: Bool) throws {
            let systemd = try StandInSystemd(Plan(children: [logWriter, child("plain", "serve")]))
            var client = try systemd.start()
            try ready(client, "plain")
            let (writer, plain) = (try #require(try client.pid("log-writer")), try #require(try client.pid("plain")))
            kill(writer, SIGSTOP)
            kill(plain, SIGKILL)
            try waitFor("the next plain") { try client.pid("plain").map { $0 != plain } ?? false }
            try ready(client, "plain")
            systemd.hear()
            if diesWithNexusd { kill(writer, SIGKILL) }
            try systemd.kill()
            client = try systemd.start()
            if !diesWithNexusd { kill(writer, SIGKILL) }
            try waitFor("the next log-writer") {
                try client.state("log-writer") == "ready" && client.pid("log-writer") != writer
            }
            #expect(try systemd.stop() == .code(0))
            let book = systemd.file(systemd.state + "/logs/runs").split(separator: "\n")
            func runs(_ words: String) -> [Substring] {
                book.filter { $0.contains(words) }.map { $0.split(separator: " ")[1] }
            }
            let (begun, ended) = (runs(" starting "), runs(" ended "))
            #expect(Set(begun).count == begun.count && begun.sorted() == ended.sorted(), "\(book)")
            #expect(!book.contains { $0.contains("supervisor died") || $0.contains("when nobody heard it") }, "\(book)")
            #expect(book.contains { $0.contains(" ended plain ") && $0.contains("signal 9") }, "\(book)")
        }

        /// The end of the one that had its port, which the next nexusd finds to be gone, starts it: there was no run of it before.
        @Test func childThatWaitsForAnEnd_startsOnce_whenThatCameWithTheEndOfNexusd() throws {
            let systemd = try StandInSystemd(listening: true)
            let slow = """
                import os, signal, socket, time
                s = socket.socket()
                s.bind(("127.0.0.1", 0))
                s.listen()
                signal.signal(signal.SIGTERM, lambda *_: time.sleep(30))
                open("\(systemd.directory.path)/port.new", "w").write(str(s.getsockname()[1]))
                os.rename("\(systemd.directory.path)/port.new", "\(systemd.directory.path)/port")
                while True: time.sleep(600)
                """
            try systemd.write(
                toml: """
                    [child.holder]
                    command = ["/usr/bin/python3", "-c", '''
                    \(slow)
                    ''']
                    stop-timeout = "20s"
                    """)
            var client = try systemd.start()
            try waitFor("its port") { !systemd.file(systemd.directory.path + "/port").isEmpty }
            let holder = try #require(try client.pid("holder"))
            try systemd.write(
                toml: """
                    [child.taker]
                    command = ["\(Built.fixture)", "inherited", "0"]
                    sockets = [{ name = "web", listen = "127.0.0.1:\(systemd.file(systemd.directory.path + "/port"))" }]
                    intensity = { restarts = 1, window = "60s" }
                    """)
            _ = try client.request("reload")
            let other = try systemd.client()
            try waitFor("the taker to wait") { (try? other.state("taker")) == "waiting" }
            systemd.hear()
            try systemd.kill()
            kill(holder, SIGKILL)
            client = try systemd.start()
            try ready(client, "taker")
            let status = try client.status("taker")
            #expect(status["restarts"] as? Int == 0 && status["unstable_runs"] as? Int ?? 0 == 0, "\(status)")
            let end = status["last_end"] as? [String: Any]
            #expect(end?["cause"] as? String == "dependency", "\(status)")
            #expect(try systemd.stop() == .code(0))
        }

        @Test func adoptedRun_saysSoInWhy_andInItsEnd_andTheOneBeforeIsRemembered() throws {
            let directory = TemporaryDirectory()
            let mark = directory.path + "/started"
            let crashed = script("crashed", "[ -e \(mark) ] || { : > \(mark); exit 3; }; exec sleep 600")
            let systemd = try StandInSystemd(Plan(children: [logWriter, crashed]))
            var client = try systemd.start()
            try waitFor("its second run") {
                let status = try client.status("crashed")
                return status["state"] as? String == "ready" && status["last_end"] is [String: Any]
            }
            let before = try client.object("why crashed")
            #expect(!(before["next"] as? String ?? "").contains("adopted"))
            let life = systemd.file(systemd.runtime + "/life").prefix(8)
            systemd.hear()
            try systemd.kill()
            client = try systemd.start()
            let why = try client.object("why crashed")
            let next = why["next"] as? String ?? ""
            #expect(next.hasPrefix("it serves; it was adopted on 20"), "\(next)")
            #expect(next.hasSuffix("from a nexusd that was killed (life \(life))"), "\(next) \(life)")
            #expect(why["cause_rule"] as? String == before["cause_rule"] as? String)
            let pid = try #require(try client.pid("crashed"))
            kill(pid, SIGKILL)
            func history() throws -> [String: Any] {
                let child = try (client.object("history crashed")["children"] as? [[String: Any]])?.first
                return (child?["ends"] as? [[String: Any]])?.last ?? [:]
            }
            try waitFor("its end") { try history()["cause"] as? String == "unknown" }
            #expect((try history()["detail"] as? String ?? "").hasPrefix("it was adopted on 20"))
            #expect(try systemd.stop() == .code(0))
        }

        @Test func runThatEndedMeanwhile_isOverAndReplaced() throws {
            let systemd = try StandInSystemd(Plan(children: [logWriter, child("plain", "serve")]))
            var client = try systemd.start()
            try ready(client, "plain")
            let pid = try #require(try client.pid("plain"))
            systemd.hear()
            try systemd.kill()
            kill(pid, SIGKILL)
            client = try systemd.start()
            #expect(try client.end(of: "plain")["cause"] as? String == "unknown")
            try ready(client, "plain")
            #expect(try systemd.stop() == .code(0))
        }

        /// It may be gone before the next nexusd looks, and systemd removes cgroups that are empty when it starts that.
        @Test(arguments: [false, true])
        func worker_isStartedAnew_andNothingIsCountedAgainstIt(isGoneBefore: Bool) throws {
            let worker = child(
                "worker", "worker", readiness: .bus, worker: WorkerPlan(may: [])
            ) {
                $0.policy.stop = StopRule(drain: .seconds(2), timeout: .seconds(5))
            }
            let systemd = try StandInSystemd(Plan(children: [logWriter, worker, child("plain", "serve")]))
            var client = try systemd.start()
            try ready(client, "worker")
            try ready(client, "plain")
            let before = (try client.pid("worker"), try client.pid("plain"))
            systemd.hear()
            try systemd.kill()
            if isGoneBefore { try systemd.removeCgroup(of: "worker") }
            client = try systemd.start()
            let end = try client.end(of: "worker")
            #expect(end["cause"] as? String == "recycled")
            try ready(client, "worker")
            #expect(try client.pid("worker") != before.0)
            #expect(try client.status("worker")["unstable_runs"] as? Int == 0)
            #expect(try client.pid("plain") == before.1)
            #expect(try systemd.stop() == .code(0))
        }

        @Test func listeningSocket_isTheSame_andAnswersAllTheTime() throws {
            let path = "/tmp/nexus-adopted-\(getpid())"
            let server = child("server", "inherited", "0") {
                $0.sockets = [
                    SocketPlan(
                        name: "web", address: .unix(path),
                        file: .init(mode: 0o600, user: LiveKernel().userID(), group: LiveKernel().groupID()))
                ]
            }
            let systemd = try StandInSystemd(Plan(children: [logWriter, server]))
            var client = try systemd.start()
            try ready(client, "server")
            let pid = try client.pid("server")
            systemd.hear()
            #expect(systemd.store.contains { $0.name.hasPrefix("nexus-socket-") })
            try systemd.kill()
            client = try systemd.start()
            #expect(try client.pid("server") == pid)
            kill(try #require(pid), SIGKILL)
            _ = try client.end(of: "server")
            try ready(client, "server")
            #expect(try client.pid("server") != pid)
            systemd.hear()
            #expect(systemd.store.count { $0.name.hasPrefix("nexus-socket-") } == 1)
            #expect(try systemd.stop() == .code(0))
            unlink(path)
        }

        @Test func stopUnderWay_goesOn() throws {
            let systemd = try StandInSystemd(
                Plan(children: [
                    logWriter,
                    child("deaf", "ignore-term") { $0.policy.stop = StopRule(timeout: .seconds(2)) },
                ]))
            var client = try systemd.start()
            try waitFor("it takes no notice of SIGTERM") {
                systemd.file(systemd.state + "/logs/deaf/current").contains("ignoring SIGTERM")
            }
            _ = try client.request("stop deaf")
            try waitFor("it stops") { try client.state("deaf") == "stopping" }
            systemd.hear()
            try systemd.kill()
            client = try systemd.start()
            let status = try client.status("deaf")
            #expect(status["state"] as? String == "stopping", "\(status)")
            try waitFor("it is off") { try client.state("deaf") == "off" }
            #expect(try systemd.stop() == .code(0))
        }

        @Test func thirdRestoreInARow_beginsFromNothing_andSaysSo() throws {
            let systemd = try StandInSystemd(Plan(children: [logWriter, child("plain", "serve")]))
            var client = try systemd.start()
            try ready(client, "plain")
            let pid = try client.pid("plain")
            for round in 1...3 {
                systemd.hear()
                try systemd.kill()
                client = try systemd.start()
                try ready(client, "plain")
                #expect((try client.pid("plain") == pid) == (round < 3))
            }
            #expect(!isAlive(ProcessID(rawValue: pid ?? 0)))
            let log = { systemd.file(systemd.state + "/logs/nexusd/current") }
            try waitFor("the word of it") { log().contains("it was restored 2 times in a row") }
            #expect(try systemd.stop() == .code(0))
        }

        @Test func whatTheNextOneDoesNotKnow_isEnded_andLeavesTheStore() throws {
            let systemd = try StandInSystemd(Plan(children: [logWriter, child("plain", "serve")]))
            var client = try systemd.start()
            try ready(client, "plain")
            let pid = try client.pid("plain")
            // Nothing was heard: nothing is in the store, as where systemd keeps none.
            try systemd.kill(hearing: false)
            client = try systemd.start()
            try ready(client, "plain")
            #expect(try client.pid("plain") != pid)
            #expect(!isAlive(ProcessID(rawValue: pid ?? 0)))
            #expect(try systemd.stop() == .code(0))
        }
    }
}
