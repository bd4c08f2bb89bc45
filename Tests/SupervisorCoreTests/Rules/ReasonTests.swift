import SupervisorCore
import Testing

/// What `status` and `why` are told of the reasons.
@Suite("Why a child is where it is", .timeLimit(.minutes(1)))
struct ReasonTests {
    private func ground(_ policy: ChildPolicy, _ exits: Exit..., group: GroupPolicy? = nil) -> Ground? {
        var policy = policy
        policy.ready = .spawned
        if group != nil { policy.group = .first }
        var scene = Scene.ready([policy], groups: group.map { [$0] } ?? [])
        for exit in exits {
            scene.pass(.seconds(31))
            scene.bringAllUp()
            scene.ends(.a, exit)
        }
        #expect(scene.phase(.a) == .parked)
        return scene.view(.a).ground
    }

    @Test func ground_isTheRuleThatParked() {
        #expect(ground(ChildPolicy(), .code(78)) == .config)
        #expect(ground(ChildPolicy(restart: .never), .code(78)) == .never)
        #expect(ground(ChildPolicy(restart: .never), .code(1)) == .never)
        #expect(ground(ChildPolicy(delay: DelayRule(parkAfter: 2)), .code(1), .code(1)) == .unstable)
        let twice = Intensity(restarts: 1, window: .seconds(100))
        #expect(ground(ChildPolicy(intensity: twice), .code(1), .code(1)) == .intensity)
        let group = GroupPolicy(children: [.a], intensity: twice)
        #expect(ground(ChildPolicy(), .code(1), .code(1), group: group) == .groupIntensity)
        #expect(ground(ChildPolicy(critical: true), .code(78), group: GroupPolicy(children: [.a])) == .config)
    }

    @Test func memberOfAParkedGroup_namesTheRuleThatParkedIt() {
        let group = GroupPolicy(children: [.a, .b], intensity: Intensity(restarts: 1, window: .seconds(100)))
        var scene = Scene.ready([.reporting(), .reporting()], groups: [group])
        scene.pass(.seconds(1))
        scene.ends(.a)
        scene.bringUp(.a)
        scene.pass(.seconds(1))
        scene.ends(.a)
        scene.endAllStopping()
        #expect(scene.view(.b).ground == .groupIntensity)
        #expect(scene.view(.b).cause == .dependency)
    }

    @Test func hold_isWhatKeepsItFromStarting() {
        var scene = Scene.begun([.reporting(requires: [.b]), .reporting(), .reporting(after: [.b])])
        #expect(scene.view(.a).hold == .requires(.b))
        #expect(scene.view(.c).hold == .after(.b))
        scene.bringAllUp()
        #expect(scene.view(.a).hold == nil)

        let group = GroupPolicy(children: [.a, .b, .c], strategy: .oneForAll)
        scene = Scene.begun([.reporting(), .reporting(), .reporting()], groups: [group])
        #expect(scene.view(.b).hold == .order(.a))
        scene.bringAllUp()
        scene.pass(.seconds(70))
        scene.ends(.a)
        #expect(scene.view(.a).hold == .sweep(.b))

        scene = Scene.begun([.reporting(), .reporting()], logWriter: .a)
        #expect(scene.view(.b).hold == .logWriter(.a))
        scene.bringAllUp()
        scene.send(.crowded(.b, true))
        scene.pass(.seconds(70))
        scene.ends(.b)
        #expect(scene.view(.b).hold == .output(.a))
    }

    @Test func timeoutInForce_isKnown_whileItStartsAndWhileItStops() {
        var scene = Scene.begun([.reporting()])
        scene.spawned(.a)
        #expect(scene.view(.a).until == scene.now + .seconds(60))
        scene.ready(.a)
        #expect(scene.view(.a).until == nil)
        scene.command(.stop(.child(.a)))
        #expect(scene.view(.a).until == scene.now + .seconds(10))
    }

    @Test func watchdogOfARun_isTheOneItChose() {
        var policy = ChildPolicy.reporting()
        policy.watchdog = .seconds(30)
        var scene = Scene.ready([policy])
        #expect(scene.view(.a).watchdog == .seconds(30))
        scene.send(.watchdogInterval(.a, scene.run(.a), .seconds(2)))
        #expect(scene.view(.a).watchdog == .seconds(2))
    }

    /// A program that put itself into the background: the one end has one cause everywhere.
    @Test func cleanExitAtOnce_hasOneCause_inTheEndRecordAndInTheState() {
        var scene = Scene.ready([.reporting()])
        let run = scene.run(.a)
        scene.send(.exited(.a, run, .code(0)))
        #expect(scene.view(.a).cause == .config)
        scene.send(.emptied(.a, run))
        #expect(scene.view(.a).cause == .config)
        #expect(scene.view(.a).lastEnd?.cause == .config)
    }

    @Test func cleanExitAtOnce_ofAScheduledChild_orWhileTheTreeEnds_isDone() {
        var scene = Scene.begun([ChildPolicy(schedule: .every(.seconds(3600)))])
        scene.pass(.zero)
        scene.spawned(.a)
        scene.ends(.a, .code(0))
        #expect(scene.view(.a).lastEnd?.cause == .done)

        scene = Scene.ready([.reporting()])
        let run = scene.run(.a)
        scene.send(.exited(.a, run, .code(0)))
        scene.send(.shutdown(level: 1))
        scene.send(.emptied(.a, run))
        #expect(scene.view(.a).lastEnd?.cause == .done)
    }

    @Test func runsByTheClock_areNoRestarts() {
        var scene = Scene.begun([ChildPolicy(schedule: .every(.seconds(3600)))])
        for exit in [Exit.code(0), .code(1), .code(0)] {
            scene.pass(.seconds(3600))
            scene.spawned(.a)
            scene.ends(.a, exit)
        }
        #expect(scene.view(.a).endedRuns == 3)
        #expect(scene.view(.a).restarts == 0)
    }
}
