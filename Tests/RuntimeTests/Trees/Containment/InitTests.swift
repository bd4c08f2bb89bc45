import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

/// Whether this process may make a PID namespace with a /proc of its own.
private let canUnshare: Bool = {
    guard LiveKernel().userID() == 0 else { return false }
    return system("unshare --pid --fork --mount-proc true 2>/dev/null") == 0
}()

extension WholeTrees {
    /// nexusd as the first process of a container.
    @Suite(.timeLimit(.minutes(1)), .enabled(if: canUnshare, "needs root and unshare(1)"))
    struct InitTests {
        private let kernel = LiveKernel()

        private func container(_ children: [ChildPlan]) throws -> RunningTree {
            try RunningTree(
                Plan(children: children),
                through: ["/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"])
        }

        /// nexusd's own number outside of the namespace: the only child of unshare(1).
        private func outside(_ tree: RunningTree) throws -> Int32 {
            let process = ProcessID(rawValue: tree.processID)
            return try #require(ProcessTable.children(of: process, kernel)?.first).rawValue
        }

        private func waitForFile(_ path: String, _ tree: RunningTree) -> String {
            while (try? kernel.status(path, followingLinks: false)) == nil { usleep(1000) }
            return tree.file(path)
        }

        @Test func orphansThatAreNobodysChild_areReaped() throws {
            let place = TemporaryDirectory()
            let file = place.path + "/left"
            // Counts zombies until there is none; fails the test by its time limit otherwise.
            let counter = script(
                "counter",
                "until grep -q made $FIXTURE_PIDS; do :; done; while grep -lq ') Z ' /proc/[0-9]*/stat 2>/dev/null; do :; done; echo none > \(file).new; mv \(file).new \(file); exec sleep 600"
            ) { $0.policy.requires = [ChildID(rawValue: 1)] }
            let maker = child("maker", "zombies", "200", readiness: .spawned)
            let tree = try container([maker, counter])
            let status = try tree.client().object("status")
            #expect(status["pid"] as? Int == 1)
            #expect(waitForFile(file, tree) == "none\n")
            // One that comes from outside of the tree altogether.
            let nexusd = try outside(tree)
            let entered = system("nsenter -t \(nexusd) -p -m sh -c '(sleep 600 &) ; exit 0' >/dev/null 2>&1 </dev/null")
            #expect(entered == 0)
            let client = try tree.client()
            func strays() throws -> [String] {
                (try client.object("status")["strays"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
            }
            while try strays() != ["sleep"] { usleep(1000) }
            #expect(kill(nexusd, SIGTERM) == 0)
            #expect(try tree.end() == .code(0))
        }

        /// SIGTERM, SIGINT, SIGQUIT, SIGPWR, SIGRTMIN+3.
        @Test(arguments: [15, 2, 3, 30, 37] as [Int32])
        func stopSignal_endsTheTreeInOrder_withStatus0(number: Int32) throws {
            let place = TemporaryDirectory()
            let order = place.path + "/order"
            func named(_ name: String, after: [ChildID] = []) -> ChildPlan {
                script(
                    name,
                    "trap 'echo \(name) >> \(order); exit 0' TERM; echo $$ > \(order).\(name); while :; do sleep 0.01; done"
                ) {
                    $0.policy.requires = after
                }
            }
            let tree = try container([named("base"), named("top", after: [ChildID(rawValue: 1)])])
            for name in ["base", "top"] { _ = waitForFile(order + "." + name, tree) }
            #expect(kill(try outside(tree), number) == 0)
            #expect(try tree.end() == .code(0))
            #expect(tree.file(order) == "top\nbase\n")
        }

        /// What a shell would say of it; the others are stopped in order first, as at a signal.
        @Test(arguments: [("exit 7", 7), ("kill -9 $$", 137), ("exit 0", 0)] as [(String, UInt8)])
        func significantChild_givesTheContainerItsStatus(end: String, status: UInt8) throws {
            let place = TemporaryDirectory()
            let order = place.path + "/order"
            func named(_ name: String, after: [ChildID] = []) -> ChildPlan {
                script(
                    name,
                    "trap 'echo \(name) >> \(order); exit 0' TERM; echo $$ > \(order).\(name); while :; do sleep 0.01; done"
                ) { $0.policy.requires = after }
            }
            let main = script("main", "until [ -e \(place.path)/go ]; do sleep 0.01; done; \(end)") {
                $0.policy.significant = true
                $0.policy.restart = .never
            }
            let tree = try container([named("base"), named("top", after: [ChildID(rawValue: 1)]), main])
            for name in ["base", "top"] { _ = waitForFile(order + "." + name, tree) }
            try kernel.replaceFile(place.path + "/go", with: [], mode: 0o600)
            #expect(try tree.end() == .code(status))
            #expect(tree.file(order) == "top\nbase\n")
        }

        @Test func significantChildWithoutAProgram_isWhatAShellSays() throws {
            let main = child("main") {
                $0.executable = "/nonexistent"
                $0.policy.significant = true
                $0.policy.restart = .never
            }
            let tree = try RunningTree(
                Plan(children: [child("db", "serve"), main]),
                through: ["/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"],
                endsByItself: true)
            #expect(try tree.end() == .code(127))
        }

        @Test func secondAndThirdSignal_hurryAStubbornTree() throws {
            let tree = try container([
                child("stubborn", "ignore-term") { $0.policy.stop = StopRule(timeout: .seconds(600)) }
            ])
            while tree.registered("main").isEmpty { usleep(1000) }
            let nexusd = try outside(tree)
            let client = try tree.client()
            let events = try client.request("events")
            // Signals are taken before requests: the subscription is to be there before the first of them.
            _ = try client.state("stubborn")
            for _ in 0..<3 {
                #expect(kill(nexusd, SIGTERM) == 0)
                _ = try client.event(events) { $0["message_id"] as? String == EventKind.supervisorStopping.messageID }
            }
            #expect(try tree.end() == .code(0))
        }
    }

    @Suite(.timeLimit(.minutes(1))) struct StormTests {
        @Test func aThousandOrphansEndingAtOnce_areReaped_andDelayNobodysRestart() throws {
            let count = 1000
            let tree = try RunningTree(
                Plan(children: [child("storm", "storm", "\(count)"), child("plain", "serve")]))
            while tree.registered("storm").isEmpty || tree.registered("main").isEmpty { usleep(1000) }
            let client = try tree.client()
            let events = try client.request("events")
            let before = try client.status("plain")
            let kernel = LiveKernel()
            let begun = kernel.monotonic()
            kill(tree.registered("storm")[0], SIGKILL)
            kill(tree.registered("main")[0], SIGKILL)
            _ = try client.ready("plain", events, after: before["run"] as? String)
            let took = kernel.monotonic() - begun
            #expect(took < .seconds(2), "restarted after \(took)")
            // Its end may have been told before the other was ready.
            while try client.status("storm")["last_end"] as? [String: Any] == nil { usleep(1000) }
            #expect(ProcessTable.childCount(of: ProcessID(rawValue: tree.processID), kernel) ?? count <= 2)
            #expect(try tree.stop() == .code(0))
        }
    }
}
