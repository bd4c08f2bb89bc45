import SupervisorCore
import Testing

@Suite("Significant children", .timeLimit(.minutes(1)))
struct SignificantTests {
    private static func principal(_ restart: RestartRule, slowRetry: Duration? = .seconds(900)) -> ChildPolicy {
        var policy = ChildPolicy.reporting(requires: [.b], restart: restart)
        policy.significant = true
        policy.delay.slowRetry = slowRetry
        policy.delay.parkAfter = 2
        return policy
    }

    @Test(arguments: [RestartRule.onFailure, .never])
    func done_endsTheTreeInOrder(restart: RestartRule) {
        var scene = Scene.ready([Self.principal(restart), .reporting()])
        #expect(
            scene.ends(.a, .code(0)) == [
                "KILL all a", "say ended a done", "end because of a", "say stopping b asked", "TERM main b",
            ])
        #expect(scene.ends(.b, .code(0)).last == "finished")
    }

    @Test func failureThatIsNeverReplaced_endsTheTree() {
        var scene = Scene.ready([Self.principal(.never), .reporting()])
        #expect(scene.ends(.a).contains("end because of a"))
    }

    @Test func failureThatIsReplaced_endsNothing_andAParkedOneWithRetryNeither() {
        var scene = Scene.ready([Self.principal(.onFailure), .reporting()])
        scene.ends(.a)
        scene.pass(.seconds(1))
        scene.bringUp(.a)
        #expect(scene.ends(.a).contains("say parked a crash"))
        #expect(scene.phases() == "parked ready")
    }

    @Test func parkedForGood_endsTheTree() {
        var scene = Scene.ready([Self.principal(.always, slowRetry: nil), .reporting()])
        let words = scene.ends(.a, .code(78))
        #expect(words.contains("say parked a config, the tree ends") && words.contains("end because of a"))
    }

    /// What it was there for is over already.
    @Test func parkedForGood_whileTheTreeEnds_isNoReasonForThat() {
        var scene = Scene.ready([Self.principal(.always, slowRetry: nil), .reporting(requires: [.a])])
        scene.send(.shutdown(level: 1))
        #expect(scene.ends(.a, .code(78)).allSatisfy { !$0.hasSuffix("the tree ends") && !$0.hasPrefix("end because") })
    }

    @Test func criticalOne_endsTheTreeOnlyWhereItsGroupHasNoRetry() {
        for retry in [nil, Duration.seconds(9)] {
            var policy = Self.principal(.onFailure, slowRetry: nil)
            policy.critical = true
            let group = GroupPolicy(children: [.a], slowRetry: retry)
            var scene = Scene.ready([policy, .reporting()], groups: [group])
            let words = scene.ends(.a, .code(78))
            #expect(words.contains("end because of a") == (retry == nil))
            #expect(words.contains("say group 0 parked by a, the tree ends") == (retry == nil), "\(words)")
        }
    }

    @Test func stopByCommand_endsNothing() {
        var scene = Scene.ready([Self.principal(.never), .reporting()])
        scene.command(.stop(.child(.a)))
        scene.ends(.a, .code(0))
        #expect(scene.phases() == "off ready")
    }

    @Test func commandThatWaits_hearsWhatTheChildCameTo() {
        var scene = Scene.begun([Self.principal(.never), .reporting()])
        scene.bringUp(.b)
        scene.command(.start(.child(.a)))
        scene.spawned(.a)
        let words = scene.ends(.a, .code(0))
        #expect(words.contains("answer 1 done"))
        #expect(words.contains("end because of a"))
    }
}
