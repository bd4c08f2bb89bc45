import Foundation
import Plan
import SupervisorCore
import System
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.serialized, .timeLimit(.minutes(2))) struct MetricsTests {
        private func metrics(_ peer: ControlPeer) throws -> (nexusd: [String: Any], children: [String: [String: Any]]) {
            let answer = try peer.object("metrics")
            let children = try #require(answer["children"] as? [[String: Any]])
            return (
                try #require(answer["nexusd"] as? [String: Any]),
                Dictionary(uniqueKeysWithValues: children.map { ($0["name"] as? String ?? "?", $0) })
            )
        }

        @Test func treeWithACrashAndLines_isCounted() throws {
            let tree = try RunningTree(
                Plan(children: [
                    logWriter,
                    script("talker", "echo one; echo two; exec sleep 1000"),
                    script("failing", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; exit 9") {
                        $0.policy.restart = .never
                    },
                ]))
            let peer = try ControlPeer(tree.socket)
            _ = try peer.object("wait-ready talker log-writer")
            try waitFor("failing has ended") { try peer.status("failing")["last_end"] is [String: Any] }
            let (nexusd, children) = try metrics(peer)
            #expect(nexusd["version"] as? String == NexusVersion.current)
            // Its own, and not that of children that it has reaped.
            let stat = try LiveKernel().readFile("/proc/\(tree.processID)/stat", limit: 4096)
            let fields = String(decoding: stat, as: UTF8.self).split(separator: " ").map { UInt64($0) ?? 0 }
            let ticks = UInt64(sysconf(Int32(_SC_CLK_TCK)))
            #expect(fields[15] + fields[16] > 0, "a child has used some")
            #expect(nexusd["cpu_us"] as? UInt64 ?? .max <= (fields[13] + fields[14]) * 1_000_000 / ticks)
            #expect(nexusd["memory_bytes"] as? Int ?? 0 > 100_000 && nexusd["open_fds"] as? Int ?? 0 > 5)
            let turns = try #require(nexusd["turns"] as? [String: Any])
            #expect((turns["counts"] as? [Int])?.reduce(0, +) ?? 0 > 1)
            let talker = try #require(children["talker"])
            #expect(talker["state"] as? String == "ready" && talker["starts"] as? Int == 1)
            #expect(talker["memory_bytes"] as? Int ?? 0 > 10_000 && talker["cpu_us"] as? Int != nil)
            #expect(talker["ready_ms"] as? Int != nil && talker["started_ms"] as? Int ?? 0 > 1_600_000_000_000)
            // log-writer tells what went well when it has time, and everything when it drains.
            _ = try peer.object("restart log-writer")
            let log = try #require(try metrics(peer).children["talker"]?["log"] as? [String: Int])
            #expect(log["lines"] == 2 && log["bytes"] ?? 0 > 8 && log["suppressed"] == 0 && log["dropped"] == 0)
            let failing = try #require(children["failing"])
            #expect((failing["ends"] as? [String: Int])?["crash"] == 1 && failing["cpu_us"] is NSNull)
            #expect(failing["bus"] is NSNull)
        }

        @Test func workersFramesAreCounted_overItsRunsToo() throws {
            let tree = try RunningTree(
                Plan(children: [
                    child("echo", "bus-echo", readiness: .bus, worker: WorkerPlan())
                ]))
            let peer = try ControlPeer(tree.socket)
            _ = try peer.object("wait-ready")
            let first = try #require(try metrics(peer).children["echo"]?["bus"] as? [String: Int])
            // hello and ready came, welcome went.
            #expect(first["frames_in"] ?? 0 >= 2 && first["frames_out"] ?? 0 >= 1)
            _ = try peer.object("restart echo")
            let second = try #require(try metrics(peer).children["echo"]?["bus"] as? [String: Int])
            #expect(second["frames_in"] ?? 0 >= 2 * (first["frames_in"] ?? 0))
        }

        @Test func threeHundredChildren_areAllListed_andOthersAreServedMeanwhile() throws {
            let tree = try RunningTree(Plan(children: (1...300).map { script("c\($0)", "exec sleep 1000") }))
            let peer = try ControlPeer(tree.socket)
            let other = try ControlPeer(tree.socket)
            _ = try peer.object("wait-ready")
            let asked = try peer.request("metrics")
            #expect(try other.object("version")["version"] as? String == NexusVersion.current)
            guard case .stream(let text) = try peer.end(of: asked) else { return #expect(Bool(false), "no stream") }
            let answer = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            #expect((answer?["children"] as? [Any])?.count == 300)
        }
    }
}
