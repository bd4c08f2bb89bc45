import Foundation
import Testing

/// Thousands of random scripts. NEXUS_SEED=n runs one of them with everything told; NEXUS_SCRIPTS=n runs that many.
@Suite("Random scripts", .timeLimit(.minutes(10)))
struct RandomScriptTests {
    private static let batches = 4

    private static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test(arguments: 0..<batches)
    func randomScripts_keepEveryPromise(batch: Int) {
        let count = Self.setting("NEXUS_SCRIPTS") ?? 2_000
        let seeds: [UInt64]
        if let seed = Self.setting("NEXUS_SEED") {
            seeds = batch == 0 ? [seed] : []
        } else {
            seeds = (0..<count).filter { $0 % UInt64(Self.batches) == UInt64(batch) }
        }
        var events = 0
        var spawns = 0
        for seed in seeds {
            var script = Script(seed: seed, isTraced: Self.setting("NEXUS_SEED") != nil)
            script.run(events: 100)
            events += script.eventCount
            spawns += script.referee.spawns
            if let problem = script.referee.problems.first {
                Issue.record("seed \(seed), event \(script.eventCount): \(problem)")
                return
            }
        }
        print("random scripts, batch \(batch): \(seeds.count) seeds, \(events) events, \(spawns) runs")
    }

    @Test func sameSeed_givesTheSameActions() {
        for seed: UInt64 in [1, 22, 333] {
            var first = Script(seed: seed)
            var second = Script(seed: seed)
            first.run(events: 300)
            second.run(events: 300)
            #expect(first.digest == second.digest)
        }
    }
}
