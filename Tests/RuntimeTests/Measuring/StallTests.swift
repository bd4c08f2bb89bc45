import Foundation
import Plan
import SupervisorCore
import System
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// How long the loop keeps everybody else waiting when there is much to look at, without a cgroup. Measured and
    /// printed; what passes or fails is that nothing is left. NEXUSD names another nexusd to measure.
    @Suite(.serialized, .timeLimit(.minutes(2)), .enabled(if: ProcessInfo.processInfo.environment["NEXUS_LONG"] == "1"))
    struct StallTests {
        /// The worst turn so far, how many took longer than 50 ms, and what all took together.
        private func turns(_ peer: ControlPeer) throws -> (longest: Int, late: Int, sum: Int) {
            let nexusd = try peer.object("metrics")["nexusd"] as? [String: Any]
            let turns = try #require(nexusd?["turns"] as? [String: Any])
            let counts = try #require(turns["counts"] as? [Int])
            let bounds = try #require(turns["bounds_us"] as? [Int])
            let late = zip(counts, bounds + [Int.max]).filter { $0.1 > 50_000 }.map(\.0).reduce(0, +)
            return (try #require(turns["longest_us"] as? Int), late, try #require(turns["sum_us"] as? Int))
        }

        private func measure(_ what: String, _ peer: ControlPeer, _ body: () throws -> Void) throws {
            let before = try turns(peer)
            let begun = ContinuousClock.now
            try body()
            let took = ContinuousClock.now - begun
            let after = try turns(peer)
            let worst = after.longest > before.longest ? "\(after.longest) µs" : "at most \(before.longest) µs"
            let (late, sum) = (after.late - before.late, (after.sum - before.sum) / 1000)
            print("stall, \(what): worst turn \(worst), \(late) above 50 ms; all turns \(sum) ms of \(took)")
        }

        @Test func stopOf1500Descendants() throws {
            let brood = child("brood", "brood", "1500") { $0.policy.stop.timeout = .milliseconds(300) }
            let tree = try RunningTree(Plan(children: [brood, child("other", "serve")]))
            let peer = try tree.client()
            while tree.registered("brood").isEmpty { usleep(5000) }
            try measure("stop of 1,500 descendants", peer) {
                let ending = try peer.ask("stop brood")
                #expect(ending == .reply(#"{"outcome":"done"}"#))
            }
            let strays = try #require(try peer.object("status")["strays"] as? [Any])
            #expect(strays.isEmpty)
            #expect(try tree.stop() == .code(0))
        }

        @Test func deathsBeside200Strays() throws {
            let strays = child("strays", "strays", "200")
            let dying = child("dying", "exit", "1", "50") { child in
                child.policy.delay = DelayRule(first: .zero, cap: .milliseconds(1), stableAfter: .milliseconds(1))
                child.policy.delay.parkAfter = 1000
            }
            let tree = try RunningTree(Plan(children: [strays, dying]))
            let peer = try tree.client()
            while tree.registered("daemon").count < 200 { usleep(5000) }
            let before = try peer.status("dying")["restarts"] as? Int ?? 0
            try measure("40 deaths beside 200 strays", peer) {
                try waitFor("40 deaths") { try peer.status("dying")["restarts"] as? Int ?? 0 >= before + 40 }
            }
            #expect(try tree.stop() == .code(0))
            for pid in tree.registered("daemon") { #expect(!tree.isAlive(pid)) }
        }

        @Test func restartOf300Children() throws {
            let tree = try RunningTree(Plan(children: (1...300).map { child("c\($0)", "serve") }))
            let peer = try tree.client()
            _ = try peer.ask("wait-ready")
            try measure("restart all of 300 children", peer) { _ = try peer.ask("restart all") }
            #expect(try tree.stop() == .code(0))
        }
    }
}
