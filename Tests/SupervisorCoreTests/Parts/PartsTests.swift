import Chance
import Testing

@testable import SupervisorCore

@Suite("Parts of the core", .timeLimit(.minutes(1)))
struct PartsTests {
    @Test func deadlines_agreeWithASortedList() {
        var random = SplitMix(seed: 7)
        var deadlines = Deadlines(slots: 40)
        var expected: [Int: Int64] = [:]
        for _ in 0..<20_000 {
            let slot = Int(random.below(40))
            if random.below(3) == 0 {
                deadlines.set(slot, nil)
                expected[slot] = nil
            } else {
                let time = Int64(random.below(100))
                deadlines.set(slot, Instant(nanoseconds: time))
                expected[slot] = time
            }
            #expect(deadlines.first?.nanoseconds == expected.values.min())
            if random.below(5) == 0 {
                let now = Int64(random.below(100))
                let due = expected.filter { $0.value <= now }.min { ($0.value, $0.key) < ($1.value, $1.key) }
                #expect(deadlines.takeDue(at: Instant(nanoseconds: now)) == due?.key)
                if let due { expected[due.key] = nil }
            }
        }
    }

    @Test func delay_isZeroThenFirstDoublingUpToTheCap_atEveryCount() {
        let rule = DelayRule()
        #expect(rule.delay(after: 0) == .zero)
        #expect(rule.delay(after: 1) == .milliseconds(100))
        #expect(rule.delay(after: 9) == .milliseconds(25_600))
        for runs in 10...UInt16.max { #expect(rule.delay(after: runs) == .seconds(30)) }
        let huge = DelayRule(first: .seconds(Int64.max), cap: .seconds(Int64.max))
        #expect(huge.delay(after: .max) == .nanoseconds(Int64.max))
        #expect(huge.delay(after: .max).jittered(by: .max) == .nanoseconds(Int64.max))
        let negative = DelayRule(first: .seconds(-1), cap: .seconds(-5))
        #expect(negative.delay(after: 3) == .zero)
    }

    @Test func networkDelay_isNeverAboveTenSeconds_withTheChanceAdded() {
        let longest = min(DelayRule().delay(after: .max), DelayRule.networkLimit).jittered(by: .max)
        #expect(longest <= DelayRule.networkCap && longest > .milliseconds(9_999))
    }

    @Test func restartWindow_isExactAtItsEdge() {
        let rule = Intensity(restarts: 2, window: .nanoseconds(10))
        var window = RestartWindow()
        let verdicts = [0, 5, 10, 16, 21].map { window.counts(Instant(nanoseconds: $0), beyond: rule) }
        #expect(verdicts == [false, false, true, false, false])
        #expect(window.counts(Instant(nanoseconds: 0), beyond: Intensity(restarts: 0, window: .zero)) == true)
    }

    @Test func startOrder_knowsEveryEdgeOnce() {
        let tree = Tree(
            children: [
                ChildPolicy(requires: [.b, .b, .a], after: [.b, .c]), ChildPolicy(), ChildPolicy(requires: [.b]),
            ],
            groups: [GroupPolicy(children: [.c, .b, .c, .d], strategy: .oneForAll)])
        let order = StartOrder(tree: tree, count: 3)
        #expect(Array(order.requires[.a]) == [.b])
        #expect(Array(order.after[.a]) == [.c])
        #expect(order.members == [[.c, .b]])
        // c requires b, but the group starts c first: one of the two has to give way.
        #expect(order.requires[.c].isEmpty != (order.previous[ChildID.b.index] == nil))
        #expect(Array(order.followedBy[.c]) == [.a])
    }

    @Test func startOrder_takesALongChainWithoutRecursion() {
        let count = 0x7FFF
        let children = (0..<count).map { index in
            ChildPolicy(requires: index + 1 < count ? [ChildID(index: index + 1)] : [])
        }
        let order = StartOrder(tree: Tree(children: children), count: count)
        #expect(Array(order.requiredBy[ChildID(index: count - 1)]) == [ChildID(index: count - 2)])
    }

    @Test(arguments: [1_000, 4_000])
    func manyChildren_startAndStopWithoutLookingAtAllOfThemEachTime(count: Int) {
        // A hub that all require, a child that requires all, and an ordered group over everything.
        let members = (0..<count).map { ChildID(index: $0) }
        var children = [ChildPolicy](repeating: ChildPolicy(requires: [members[0]]), count: count)
        children[0].requires = []
        children[count - 1].requires = Array(members.dropLast())
        var scene = Scene(children, groups: [GroupPolicy(children: members, strategy: .oneForAll)])
        scene.start()
        for child in members { scene.spawned(child) }
        #expect(members.allSatisfy { scene.phase($0) == .ready })
        scene.send(.shutdown(level: 1))
        for child in members.reversed() { scene.ends(child, .code(0)) }
        #expect(members.allSatisfy { scene.phase($0) == .off })
    }

    @Test func extremePolicies_doNotTrap() {
        let forever = Duration.seconds(Int64.max)
        let backwards = Duration.seconds(Int64.min)
        let policy = ChildPolicy(
            delay: DelayRule(first: forever, cap: forever, stableAfter: forever, parkAfter: 0, slowRetry: forever),
            intensity: Intensity(restarts: 0, window: forever), ready: .probed(interval: backwards),
            startTimeout: forever, liveness: LivenessRule(interval: .zero, misses: 0), watchdog: forever,
            stop: StopRule(drain: forever, timeout: backwards, killGrace: forever))
        var scene = Scene.begun([policy])
        for now in [Instant(nanoseconds: .max), Instant(nanoseconds: .min)] {
            scene.now = now
            for event in StateEventTable.runEvents(.a, scene.run(.a)) { scene.send(event) }
            scene.send(.late(forever))
            scene.send(.extendTimeout(.a, scene.run(.a), forever))
            scene.send(.tick)
        }
        scene.command(.restart(.all))
        scene.send(.shutdown(level: .max))
    }
}
