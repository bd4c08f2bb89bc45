import Plan
import SupervisorCore
import Testing
import Wire

/// Each change of a valid plan breaks one rule.
@Suite(.timeLimit(.minutes(1))) struct PlanValidationTests {
    struct Breach: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let apply: @Sendable (inout Plan) -> Void
        init(_ name: String, _ apply: @escaping @Sendable (inout Plan) -> Void) {
            testDescription = name
            self.apply = apply
        }
    }

    static let far = ChildID(rawValue: 12)
    static let breaches: [Breach] = [
        Breach("requires nobody") { $0.children[1].policy.requires = [far] },
        Breach("after child 0") { $0.children[1].policy.after = [ChildID(rawValue: 0)] },
        Breach("group out of range") { $0.children[4].policy.group = GroupID(rawValue: 3) },
        Breach("group without the child") { $0.groups[0].policy.children.removeLast() },
        Breach("child in two groups") { $0.groups[2].policy.children = [ChildID(rawValue: 2)] },
        Breach("child twice in a group") { $0.groups[0].policy.children.append(ChildID(rawValue: 2)) },
        Breach("unknown child in a group") { $0.groups[2].policy.children = [far] },
        Breach("same name twice") { $0.children[2].name = "child-2" },
        Breach("same group twice") { $0.groups[1].name = "first" },
        Breach("name with a slash") { $0.children[1].name = "../etc" },
        Breach("group named ..") { $0.groups[0].name = ".." },
        Breach("pid-file with a slash") { $0.children[1].pidFile = "/run/x" },
        Breach("log-writer not first") { $0.children[1].role = .logWriter },
        Breach("signal 0") { $0.children[1].policy.stop.signal = Signal(rawValue: 0) },
        Breach("signal 65") { $0.children[1].policy.stop.signal = Signal(rawValue: 65) },
        Breach("umask") { $0.children[1].umask = 0o1000 },
        Breach("nice") { $0.children[1].nice = 20 },
        Breach("oom") { $0.children[1].oomScoreAdjust = 1001 },
        Breach("relative directory") { $0.children[1].directory = "srv" },
        Breach("relative executable") { $0.children[1].executable = "sh" },
        Breach("no arguments") { $0.children[1].arguments = [] },
        Breach("enabled and missing") {
            $0.children[1].executable = ""
            $0.children[1].policy.enabled = true
        },
        Breach("limit number") { $0.children[1].limits[0].resource = 16 },
        Breach("soft above hard") { $0.children[1].limits[0].hard = 1 },
        Breach("unknown secret file") { $0.children[1].secretFiles = [3] },
        Breach("secret in argv") { $0.children[1].arguments.append(Text(pieces: [.secret(0)])) },
        Breach("unknown secret in environment") { $0.children[1].environment[1].value = Text(pieces: [.secret(3)]) },
        Breach("capture of nobody") { $0.children[1].arguments[1] = Text(pieces: [.captured(far, name: "port")]) },
        Breach("capture of nobody in a probe") {
            $0.children[1].liveness = .exec(
                executable: "/bin/true", arguments: [Text(pieces: [.captured(far, name: "x")])], timeout: .seconds(1))
        },
        Breach("variable without name") { $0.children[1].environment[0].name = "" },
        Breach("variable with =") { $0.children[1].environment[0].name = "A=B" },
        Breach("peer that is no worker") { $0.children[1].worker?.peers = [ChildID(rawValue: 1)] },
        Breach("grant for nobody") { $0.children[1].worker?.may = [.health(far)] },
        Breach("grant for no group") { $0.children[1].worker?.may = [.stop(.group(GroupID(rawValue: 3)))] },
        Breach("bus without worker") { $0.children[4].worker = nil },
        Breach("readiness and rule differ") { $0.children[1].policy.ready = .reported },
        Breach("probe interval 0") { $0.children[5].policy.ready = .probed(interval: .zero) },
        Breach("watchdog 0") { $0.children[1].policy.watchdog = .zero },
        Breach("no misses") { $0.children[1].policy.liveness?.misses = 0 },
        Breach("descriptor 2") { $0.children[3].readiness = .descriptor(2) },
    ]

    @Test(arguments: breaches) func brokenRule_isRefusedInBothWays(_ breach: Breach) {
        var plan = MaximalPlan.plan
        breach.apply(&plan)
        #expect(throws: PlanError.self) { try plan.validate() }
        #expect(throws: PlanError.self) { try Plan(encoded: plan.encoded()) }
    }

    @Test func negativeDurationAndNul_areRefusedByTheDecoder() {
        var plan = MaximalPlan.plan
        plan.children[1].policy.startTimeout = .seconds(-1)
        #expect(throws: PlanError.self) { try Plan(encoded: plan.encoded()) }
        plan = MaximalPlan.plan
        plan.children[1].arguments = [Text("a\0b")]
        #expect(throws: PlanError.self) { try Plan(encoded: plan.encoded()) }
    }
}
