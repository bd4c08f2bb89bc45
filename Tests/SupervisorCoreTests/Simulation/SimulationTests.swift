import Foundation
import SupervisorCore
import Testing

/// Random trees in a random world: a million events in every run, a billion with NEXUS_LONG=1, as many as NEXUS_EVENTS
/// says. NEXUS_SEED=n plays that one alone, or with NEXUS_EVENTS all from that one on. A broken promise is shown with its seed and as the smallest script that
/// breaks it.
@Suite("Simulation", .timeLimit(.minutes(600)))
struct SimulationTests {
    private static let batches = 4
    private static let steps = 250

    private static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    private static var eventsWanted: Int {
        if let wanted = setting("NEXUS_EVENTS") { return Int(wanted) }
        return ProcessInfo.processInfo.environment["NEXUS_LONG"] == "1" ? 1_000_000_000 : 1_000_000
    }

    private static var isAlone: Bool { setting("NEXUS_SEED") != nil && setting("NEXUS_EVENTS") == nil }

    @Test(arguments: 0..<batches)
    func anyTreeInAnyWorld_keepsPromises1To8(batch: Int) {
        let wanted = Self.eventsWanted / Self.batches
        if Self.isAlone, batch > 0 { return }
        var seed = (Self.setting("NEXUS_SEED") ?? 0) + UInt64(batch)
        var events = 0
        var runs = 0
        var scripts = 0
        var coverage = Coverage()
        let first = seed
        repeat {
            let (script, verdict) = Script.improvise(seed: seed, steps: Self.steps, coverage: coverage)
            coverage = verdict.coverage ?? coverage
            events += verdict.events
            runs += verdict.runs
            scripts += 1
            if let problem = verdict.problems.first {
                report(seed, script, problem)
                return
            }
            if scripts % 50 == 1, script.play().digest != verdict.digest {
                Issue.record("promise 5: seed \(seed) gave other actions when it was played again")
                return
            }
            seed += UInt64(Self.batches)
            // Of a run that is cut off it is known how far it came.
            if events / 10_000_000 > (events - verdict.events) / 10_000_000 {
                print("simulation, batch \(batch): \(events) events so far, \(scripts) scripts")
                fflush(nil)
            }
        } while events < wanted && !Self.isAlone
        print(
            """
            simulation, seeds \(first), \(first + UInt64(Self.batches)) … \(seed - UInt64(Self.batches)): \
            \(scripts) scripts, \(events) events, \(runs) runs; \(coverage.words)
            """)
        // An event that nobody put into the mix is an event that nobody tests.
        if events >= 200_000 { #expect(coverage.unseen.isEmpty) }
    }

    private func report(_ seed: UInt64, _ script: Script, _ problem: Referee.Problem) {
        var shrinker = Shrinker(inspector: nil)
        let (small, verdict) = shrinker.shrink(script, breaking: problem.promise)
        let words = verdict.problems.first.map { "promise \($0.promise): \($0.words)" } ?? "nothing"
        Issue.record(
            """
            promise \(problem.promise): \(problem.words)
            seed \(seed) (NEXUS_SEED=\(seed)), \(script.steps.count) steps; the smallest script that breaks it has \
            \(small.steps.count): \(words)
            \(small.tree.tree)
            \(small.steps.map { "  \($0)" }.joined(separator: "\n"))
            \(verdict.trace.joined(separator: "\n"))
            """)
    }

    /// A rule that is wrong on purpose: it calls it a mistake that a run ends for want of health. What is left of a
    /// script of hundreds of steps must be what that takes, and every step of it must be needed.
    @Test(arguments: [11, 12, 13, 14, 15] as [UInt64])
    func shrinker_leavesOnlyWhatIsNeeded(first: UInt64) throws {
        let inspector: Referee.Inspector = { action in
            if case .record(.ended(let end)) = action, end.cause == .crash, end.ready != nil { "a crash" } else { nil }
        }
        var seed = first
        // Not declared first and made in the loop: Swift 6.3.1 destroys what is not there yet in release.
        var found = Script.improvise(seed: seed, steps: Self.steps, inspector: inspector)
        while found.verdict.problems.first?.promise != 0 {
            seed += 100
            found = Script.improvise(seed: seed, steps: Self.steps, inspector: inspector)
        }
        var shrinker = Shrinker(inspector: inspector)
        let (small, verdict) = shrinker.shrink(found.script, breaking: 0)
        #expect(verdict.problems.first?.words == "a crash")
        // Spawned, perhaps ready by its own word, and dead; perhaps what it requires comes first.
        #expect(small.steps.count <= 4, "\(small.steps)")
        #expect(small.tree.tree.children.count <= found.script.tree.tree.children.count)
        for index in small.steps.indices {
            var less = small
            less.steps.remove(at: index)
            #expect(less.play(inspector: inspector).problems.first?.promise != 0, "step \(index) is not needed")
        }
        #expect(verdict.trace.contains { $0.contains("say ended") })
    }

    @Test func sameScript_givesTheSameActions() {
        for seed: UInt64 in [1, 22, 333, 4_444] {
            let (script, verdict) = Script.improvise(seed: seed, steps: Self.steps)
            #expect(script.play().digest == verdict.digest)
        }
    }
}
