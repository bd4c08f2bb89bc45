import Plan
import Testing

@testable import SupervisorCore

/// What another nexusd makes of a state: `Supervisor.init(restoring:)`. That a core goes on the same from any moment the
/// simulation shows; here are the moments by name, and what is refused.
@Suite("Adoption")
struct AdoptionTests {
    /// The same scene under the next nexusd.
    private func adopted(_ scene: Scene, second: UInt32 = 2) throws -> Scene {
        var other = scene
        let state = try SupervisorState(encoded: scene.supervisor.state.encoded())
        other.supervisor = try Supervisor(restoring: state, tree: scene.supervisor.tree, second: second, at: scene.now)
        var actions: [Action] = []
        other.supervisor.resume(at: scene.now, jitter: 0, into: &actions)
        #expect(actions == [])
        #expect(other.supervisor.audit() == [])
        return other
    }

    @Test func childThatServes_servesOnAndIsReplacedWhenItEnds() throws {
        var scene = try adopted(Scene.ready([.reporting()]))
        #expect(scene.phases() == "ready")
        let words = scene.ends(.a, .unknown)
        #expect(words.contains { $0.contains("unknown") }, "\(words)")
        scene.pass(.seconds(1))
        #expect(scene.phases() == "starting")
        // Counted on, so that numbers made of the count alone mean one run; behind the new second.
        #expect(scene.run(.a) == RunID(second: 2, count: 2))
    }

    @Test func childThatStarts_hasTheSameTimeLeft() throws {
        var scene = Scene.begun([.reporting()])
        scene.spawned(.a)
        scene.pass(.seconds(40))
        scene = try adopted(scene)
        scene.pass(.seconds(19))
        #expect(scene.phases() == "starting")
        scene.pass(.seconds(2))
        #expect(scene.phases() == "stopping")
    }

    @Test func childThatIsStopped_isKilledWhenItsTimeIsOver() throws {
        var scene = Scene.ready([.reporting()])
        scene.command(.stop(.all))
        scene.pass(.seconds(6))
        scene = try adopted(scene)
        #expect(scene.phases() == "stopping")
        #expect(scene.pass(.seconds(5)).contains { $0.contains("kill") })
        scene.ends(.a, .unknown)
        #expect(scene.phases() == "off")
    }

    @Test func logWriterThatHasDrained_isKnownToHave_whenItsEndIsNot() throws {
        var scene = Scene.ready([.init(ready: .reported, stop: StopRule(drain: .seconds(5)))], logWriter: .a)
        scene.send(.shutdown(level: 1))
        scene.send(.drained(.a, scene.run(.a)))
        scene = try adopted(scene)
        scene.exited(.a, .unknown)
        scene = try adopted(scene, second: 3)
        #expect(scene.send(.emptied(.a, scene.run(.a))).last == "finished")
    }

    @Test func parkedChild_staysParkedUntilItsRetry() throws {
        var scene = Scene.begun([.reporting()])
        scene.spawned(.a)
        scene.ends(.a, .code(78))
        scene.pass(.seconds(600))
        scene = try adopted(scene)
        #expect(scene.phases() == "parked")
        scene.pass(.seconds(299))
        #expect(scene.phases() == "parked")
        scene.pass(.seconds(2))
        #expect(scene.phases() == "starting")
    }

    @Test func dependents_waitForWhatIsNotThere() throws {
        var scene = Scene.begun([.reporting(), .reporting(requires: [.a])])
        scene = try adopted(scene)
        #expect(scene.phases() == "starting waiting")
        scene.bringUp(.a)
        #expect(scene.phases() == "ready starting")
    }

    /// The simulation found it (seed 1656): what was counted under a rule that went with its child is nothing to go on with.
    @Test func childThatWasRemoved_withItsIntensity_isTheSame() throws {
        let policy = ChildPolicy(intensity: Intensity(restarts: 3, window: .seconds(10)), ready: .reported)
        var scene = Scene.begun([policy])
        scene.bringUp(.a)
        scene.ends(.a)
        scene.reload(TreeChange(tree: Tree(children: [.reporting(enabled: false)]), removed: [.a]))
        #expect(try adopted(scene).supervisor.state == scene.supervisor.state)
    }

    /// The simulation found it (seed 894650): a tree that ends tries nothing again.
    @Test func parkedGroupOfATreeThatEnds_isNotTriedAgain() throws {
        let group = GroupPolicy(children: [.b], slowRetry: .seconds(3))
        var policy = ChildPolicy.reporting()
        policy.critical = true
        policy.restart = .never
        var scene = Scene.ready([.reporting(), policy], groups: [group])
        scene.ends(.b)
        #expect(scene.phases() == "ready parked")
        scene.send(.shutdown(level: 1))
        let next = scene.supervisor.nextDeadline
        scene = try adopted(scene)
        #expect(scene.supervisor.nextDeadline == next)
    }

    /// The simulation found it (seed 155281): one whose exec is awaited was due at its next time, which comes no more.
    @Test func scheduledChildOfATreeThatEnds_isNotDueAtItsTime() throws {
        var scene = Scene.begun([ChildPolicy(schedule: .every(.seconds(3)), ready: .reported), .reporting()])
        scene.pass(.seconds(3))
        #expect(scene.phases() == "starting starting")
        scene.send(.shutdown(level: 1))
        let next = scene.supervisor.nextDeadline
        scene = try adopted(scene)
        #expect(scene.supervisor.nextDeadline == next)
    }

    /// The simulation found it (seed 124425): what has asked for more time, and got it, has it under the next nexusd too.
    @Test func childThatWasHastenedAndGotMoreTime_keepsIt() throws {
        let worker = ChildPolicy(ready: .reported, stop: StopRule(drain: .seconds(2)))
        var scene = Scene.ready([worker])
        scene.pass(.seconds(60))
        scene.send(.recycle(.a, scene.run(.a), within: .seconds(600)))
        scene.command(.stop(.all))
        scene.send(.extendTimeout(.a, scene.run(.a), .seconds(10)))
        let before = scene.supervisor.state
        scene = try adopted(scene)
        #expect(scene.supervisor.state == before)
        #expect(scene.pass(.milliseconds(9_999)) == [])
        #expect(scene.pass(.milliseconds(1)) == ["TERM main a"])
    }

    @Test func ownersChoice_holds() throws {
        let scene = try adopted(Scene.begun([.reporting()], choices: [.a: .off]))
        #expect(scene.supervisor.tree.choices == [.a: .off])
        #expect(scene.phases() == "off")
    }

    @Test func unstableRuns_countOn() throws {
        var scene = Scene.begun([.reporting()])
        for _ in 0..<3 {
            scene.spawned(.a)
            scene.ends(.a)
            scene.passToDeadline()
        }
        let before = scene.view(.a)
        scene = try adopted(scene)
        #expect(scene.view(.a) == before)
        #expect(before.unstableRuns == 3)
    }

    @Test func everyStateThatDoesNotFit_isRefusedInWords() throws {
        let scene = Scene.ready([.reporting(), .reporting()], groups: [GroupPolicy(children: [.a])])
        let good = scene.supervisor.state
        func refusal(_ change: (inout SupervisorState) -> Void) -> String {
            var state = good
            change(&state)
            do {
                _ = try Supervisor(restoring: state, tree: scene.supervisor.tree, second: 2, at: scene.now)
                return "taken"
            } catch {
                return "\(error)"
            }
        }
        #expect(refusal { _ in } == "taken")
        #expect(refusal { $0.children.removeLast() } == "it is one of 1 children, and the plan has 2")
        #expect(refusal { $0.tree.groups = [] } == "it is one of 0 groups, and the plan has 1")
        #expect(refusal { $0.tree.life = .idle } == "its tree had not begun")
        #expect(refusal { $0.tree.life = .finished } == "its tree had ended")
        #expect(refusal { $0.tree.life = .ending(level: 4) } == "its end has level 4")
        #expect(refusal { $0.tree.life = .awaitingLogWriter } == "it waits for a log-writer, and the plan has none")
        #expect(
            refusal { $0.tree.groups[0].state = .parked(because: .b, retry: nil) }
                == "a group is parked because of child 2, which is no member")
        #expect(refusal { $0.children[1].state = $0.children[0].state }.contains("another child's"))
        #expect(refusal { $0.children[1].isSwept = true }.contains("has none"))
        #expect(refusal { $0.children[0].state = .scheduled } == "child 1 waits for its time, and has none")
        #expect(
            refusal { state in
                state.children[0].lastEnd = EndRecord(
                    child: .b, run: RunID(rawValue: 1), exit: nil, cause: .done, started: scene.now, ready: nil,
                    ended: scene.now)
            } == "child 1 has the end of another one")
    }

    /// Cut anywhere, or with any byte changed, bytes are a state or an error; and whatever is a state is taken or refused,
    /// and survives what comes.
    @Test func anyBytes_neverTrap() throws {
        var scene = Scene.ready(
            [
                .reporting(),
                ChildPolicy(liveness: LivenessRule(interval: .seconds(1), misses: 2), watchdog: .seconds(5)),
            ],
            groups: [GroupPolicy(children: [.a, .b], strategy: .oneForAll)])
        scene.ends(.a)
        let bytes = scene.supervisor.state.encoded()
        for count in bytes.indices {
            #expect(throws: (any Error).self) { try SupervisorState(encoded: Array(bytes[..<count])) }
        }
        for index in bytes.indices {
            for byte in [0, 1, 2, 7, 127, 128, 255] as [UInt8] {
                var damaged = bytes
                damaged[index] = byte
                guard let state = try? SupervisorState(encoded: damaged),
                    var core = try? Supervisor(restoring: state, tree: scene.supervisor.tree, second: 2, at: scene.now)
                else { continue }
                var actions: [Action] = []
                core.resume(at: scene.now, jitter: 0, into: &actions)
                core.handle(.late(.seconds(6)), at: scene.now, jitter: 0, into: &actions)
                core.handle(.tick, at: scene.now + .seconds(100), jitter: 0, into: &actions)
                for child in [ChildID.a, .b] {
                    guard let run = core.view(of: child).run else { continue }
                    core.handle(.exited(child, run, .unknown), at: scene.now, jitter: 0, into: &actions)
                    core.handle(.emptied(child, run), at: scene.now, jitter: 0, into: &actions)
                }
                core.handle(.command(.restart(.all), CommandID(rawValue: 9)), at: scene.now, jitter: 0, into: &actions)
                core.handle(.shutdown(level: 3), at: scene.now, jitter: 0, into: &actions)
            }
        }
    }
}
