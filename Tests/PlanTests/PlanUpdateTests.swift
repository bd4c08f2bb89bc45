import SupervisorCore
import Testing

@testable import Plan

@Suite(.timeLimit(.minutes(1))) struct PlanUpdateTests {
    private func child(_ name: String, _ change: (inout ChildPlan) -> Void = { _ in }) -> ChildPlan {
        var child = ChildPlan(name: name, executable: "/bin/\(name)", arguments: [Text(name)])
        change(&child)
        return child
    }

    private func update(_ new: Plan, over old: Plan, _ arrangement: Arrangement? = nil) throws -> PlanUpdate {
        let update = try PlanUpdate(new, over: old, arrangement ?? Arrangement(old)) { _ in false }
        try update.plan.validate()
        return update
    }

    private func id(_ number: UInt16) -> ChildID { ChildID(rawValue: number) }

    @Test func samePlan_hasNoDifference_andNoOtherNumbers() throws {
        let plan = MaximalPlan.plan
        let update = try update(plan, over: plan)
        #expect(update.plan == plan)
        #expect(update.diff.isEmpty)
        #expect(update.diff.unchanged == plan.children.count)
        #expect(update.change == TreeChange(tree: plan.tree))
    }

    @Test func childrenKeepTheirNumbers_byName_andNewOnesComeBehind() throws {
        let old = Plan(children: [child("a"), child("b"), child("c")])
        let new = Plan(children: [
            child("d"), child("c") { $0.policy.requires = [id(1)] }, child("a") { $0.policy.after = [id(2)] },
        ])
        let update = try update(new, over: old)
        #expect(update.plan.children.map(\.name) == ["a", "b", "c", "d"])
        #expect(update.arrangement.children == [id(4), id(3), id(1)])
        #expect(update.plan[id(3)].policy.requires == [id(4)])
        #expect(update.plan[id(1)].policy.after == [id(3)])
        #expect(update.change.removed == [id(2)])
        #expect(update.change.changed == [id(1), id(3)])
        #expect(update.diff.children.map(\.kind) == [.added, .changed, .changed, .removed])
    }

    @Test func whatRequiresARestartedChild_isRestartedToo_byWayOfOthers() throws {
        func plan(_ words: String) -> Plan {
            Plan(children: [
                child("site") { $0.policy.requires = [id(2)] }, child("app") { $0.policy.requires = [id(3)] },
                child("db") { $0.arguments = [Text(words)] }, child("other"),
                child("late") { $0.policy.after = [id(3)] },
            ])
        }
        let update = try update(plan("new"), over: plan("old"))
        #expect(update.diff.children.map(\.id) == [id(3)])
        #expect(update.diff.dependents == [id(1), id(2)])
        #expect(update.diff.unchanged == 2)
    }

    @Test func everyReference_isRenumbered() throws {
        let old = Plan(
            groups: [GroupPlan(name: "gone", policy: GroupPolicy(children: []))],
            children: [child("gone")], secrets: [SecretPlan(name: "gone", source: .file("/gone"))])
        let update = try update(MaximalPlan.plan.dropping(logWriter: true), over: old)
        let (first, group) = (id(3), GroupID(rawValue: 1))
        let renumbered = update.plan[first]
        #expect(renumbered.policy.group == group)
        #expect(renumbered.secretFiles == [1, 3])
        #expect(renumbered.environment[1].value == Text(pieces: [.secret(3), .literal("!")]))
        #expect(renumbered.arguments[1] == Text(pieces: [.literal("--port="), .captured(id(9), name: "port")]))
        #expect(
            renumbered.liveness
                == .tcp(
                    host: "127.0.0.1", port: Text(pieces: [.captured(id(9), name: "port")]), timeout: .seconds(3)))
        #expect(
            renumbered.worker
                == WorkerPlan(
                    may: [
                        .status, .start(.child(first)), .stop(.group(GroupID(rawValue: 2))), .restart(.all),
                        .health(id(4)),
                    ], peers: [id(5)]))
        #expect(update.plan.groups.map(\.name) == ["gone", "first", "second", "empty"])
        #expect(update.plan.groups[1].policy.children == [id(3), id(4)])
        #expect(update.arrangement.groups == [1, 2, 3].map(GroupID.init(rawValue:)))
    }

    @Test func removedChild_keepsItsStopRuleAndOrder_butNoGroupAndNoWish() throws {
        let old = Plan(
            groups: [
                GroupPlan(
                    name: "g", policy: GroupPolicy(children: [id(1), id(2), id(3), id(4)], strategy: .restForOne))
            ],
            children: ["a", "b", "c", "d"].map { name in
                child(name) {
                    $0.policy.group = GroupID(rawValue: 0)
                    $0.policy.stop.timeout = .seconds(77)
                    $0.choice = .on
                }
            })
        let new = Plan(
            groups: [GroupPlan(name: "g", policy: GroupPolicy(children: [id(1)], strategy: .restForOne))],
            children: [child("c") { $0.policy.group = GroupID(rawValue: 0) }])
        let update = try update(new, over: old)
        for removed in [id(1), id(2), id(4)] {
            let plan = update.plan[removed]
            #expect(plan.policy.group == nil && !plan.policy.enabled && plan.choice == nil)
            #expect(plan.policy.stop.timeout == .seconds(77))
        }
        #expect(update.plan[id(2)].policy.after == [id(1)])
        #expect(update.plan[id(4)].policy.after == [id(3), id(2)])
        #expect(update.change.removed == [id(1), id(2), id(4)])
        #expect(update.change.changedGroups == [GroupID(rawValue: 0)])
    }

    @Test func removedChild_isForgottenButForItsNumber_whenItIsGone_andComesBackUnderIt() throws {
        let first = try update(Plan(children: [child("b")]), over: Plan(children: [child("a"), child("b")]))
        let second = try PlanUpdate(Plan(children: [child("b")]), over: first.plan, first.arrangement) { $0 == id(1) }
        #expect(second.diff.isEmpty)
        #expect(second.plan[id(1)].executable == "")
        try second.plan.validate()
        let back = Plan(children: [child("b"), child("a"), child("c")])
        let third = try update(back, over: second.plan, second.arrangement)
        #expect(third.arrangement.children == [id(2), id(1), id(3)])
        #expect(third.diff.children.map(\.kind) == [.added, .added])
        #expect(third.change.restarted == [id(1)])
        // Still running with the same words: nothing has to be restarted.
        let again = try update(back, over: first.plan, first.arrangement)
        #expect(again.change.returned == [id(1)])
        #expect(again.change.restarted == [])
    }

    @Test func launchSettings_restart_andPolicySettings_doNot() throws {
        let old = Plan(children: [child("a")])
        func kind(_ change: (inout ChildPlan) -> Void) throws -> PlanDiff.Kind? {
            try update(Plan(children: [child("a", change)]), over: old).diff.children.first?.kind
        }
        #expect(try kind { $0.arguments.append(Text("-v")) } == .restarted)
        #expect(try kind { $0.environment = [Variable(name: "A", value: Text("1"))] } == .restarted)
        #expect(try kind { $0.policy.watchdog = .seconds(1) } == .restarted)
        #expect(try kind { $0.worker = WorkerPlan() } == .restarted)
        #expect(try kind { $0.policy.delay.cap = .seconds(9) } == .changed)
        #expect(try kind { $0.log.files = 3 } == .changed)
        #expect(try kind { $0.choice = .off } == nil)
    }

    @Test func values_areShownFromAndTo_butNeverThoseOfVariables() throws {
        let old = Plan(children: [child("a") { $0.environment = [Variable(name: "TOKEN", value: Text("canary-1"))] }])
        let new = Plan(children: [
            child("a") {
                $0.environment = [Variable(name: "TOKEN", value: Text("canary-2"))]
                $0.policy.delay.cap = .seconds(90)
                $0.policy.requires = []
                $0.arguments.append(Text("--fast"))
            }
        ])
        let settings = try update(new, over: old).diff.children[0].settings
        #expect(settings.map(\.name) == ["command", "environment.TOKEN", "delay.cap"])
        #expect(settings[0].values == SettingChange.Values(from: "/bin/a", to: "/bin/a --fast"))
        #expect(settings[1].values == nil)
        #expect(settings[2].values == SettingChange.Values(from: "30s", to: "90s"))
        #expect(!"\(settings)".contains("canary"))
    }

    @Test func variableThatCanBeNoSecret_isShownFromAndTo() throws {
        func plan(_ values: (path: Text?, places: String, pin: String)) -> Plan {
            let variables = [
                values.path.map { Variable(name: "PATH", value: $0) },
                Variable(name: "NEXUS_PLACES", value: Text(values.places)),
                Variable(name: "PIN", value: Text(values.pin)),
                Variable(name: "NEXUS_HOOK", value: Text("{\"at\":\"https://example.invalid/\(values.pin)\"}")),
                Variable(name: "NEXUS_TOKEN", value: Text(values.pin)),
            ]
            return Plan(
                children: [child("a") { $0.environment = variables.compactMap { $0 } }],
                secrets: [SecretPlan(name: "odd", source: .file("/odd"))])
        }
        let odd = Text(pieces: [.literal("/bin:"), .secret(0)])
        let long = String(repeating: "x", count: 400)
        let settings = try update(plan((odd, long, "8888")), over: plan((nil, "[]", "7777"))).diff.children[0].settings
        #expect(
            settings.map(\.name) == [
                "environment.PATH", "environment.NEXUS_PLACES", "environment.PIN", "environment.NEXUS_HOOK",
                "environment.NEXUS_TOKEN",
            ])
        #expect(settings[0].values == SettingChange.Values(from: "not set", to: "/bin:{secret.odd}"))
        #expect(settings[1].values?.from == "[]" && (settings[1].values?.to.count ?? 0) < 310)
        #expect(settings[2...].allSatisfy { $0.values == nil })
    }

    @Test func secretFromElsewhere_restartsWhoIsGivenIt() throws {
        func plan(_ path: String) -> Plan {
            Plan(
                children: [child("a") { $0.secretFiles = [0] }, child("b")],
                secrets: [SecretPlan(name: "token", source: .file(path))])
        }
        let diff = try update(plan("/new"), over: plan("/old")).diff
        #expect(diff.children.map(\.id) == [id(1)])
        #expect(diff.children[0].settings == [SettingChange(name: "secret.token", effect: .restart, values: nil)])
    }

    /// A property that is in no setting would be changed by a reload without a word, and without a restart.
    @Test func everyProperty_isInTheTableOfSettings() {
        let known = Set(Setting.all.flatMap(\.properties)).union(["name", "role", "policy", "choice"])
        let plan = MaximalPlan.plan.children[1]
        for property in Array(Mirror(reflecting: plan).children) + Array(Mirror(reflecting: plan.policy).children) {
            #expect(known.contains(property.label ?? "?"), "\(property.label ?? "?")")
        }
    }

    @Test func numbersThatAreUsedUp_areRefusedInWords() throws {
        let old = Plan(children: (0..<Plan.childLimit).map { child("c\($0)") })
        #expect(throws: PlanError.self) { try update(Plan(children: [child("one-more")]), over: old) }
        do { _ = try update(Plan(children: [child("one-more")]), over: old) } catch {
            #expect("\(error)".contains("restart nexusd"))
        }
    }

    @Test func treeWithAndWithoutLogWriter_doNotMix() {
        #expect(throws: PlanError.self) { try update(Plan(children: [child("a")]), over: MaximalPlan.plan) }
    }
}

extension Plan {
    /// The same tree, log-writer an ordinary child.
    fileprivate func dropping(logWriter: Bool) -> Plan {
        var plan = self
        if logWriter {
            plan.children[0].role = .child
            plan.children[0].policy.ready = .spawned
        }
        return plan
    }
}
