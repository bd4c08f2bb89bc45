import Plan
import SupervisorCore
import Testing
import Wire

@testable import Runtime

private let plan = Plan(
    groups: [
        GroupPlan(name: "front", policy: GroupPolicy(children: [ChildID(rawValue: 1), ChildID(rawValue: 2)])),
        GroupPlan(name: "web", policy: GroupPolicy(children: [ChildID(rawValue: 3)])),
    ],
    children: ["web", "cache", "api"].map { ChildPlan(name: $0, executable: "/bin/true", arguments: [Text("x")]) })
private let names = TreeNames(plan)
private let web = ChildID(rawValue: 1)

@Suite struct VerbTests {
    @Test(arguments: [
        ("status", Verb.status(nil)), ("status web", .status(web)), ("why cache", .why(ChildID(rawValue: 2))),
        ("settings web", .settings(web)), ("history", .history(nil)), ("history web", .history(web)),
        ("metrics", .metrics),
        ("tree", .tree), ("version", .version), ("events", .events), ("is-ready", .isReady([])),
        ("why child:web", .why(web)), ("why web", .whyGroup(GroupID(rawValue: 1))),
        ("why front", .whyGroup(GroupID(rawValue: 0))), ("is-ready api", .isReady([.child(ChildID(rawValue: 3))])),
        ("wait-ready child:web front", .waitReady([.child(web), .group(GroupID(rawValue: 0))])),
        ("start web", .change(.start, .group(GroupID(rawValue: 1)), wait: true)),
        ("stop child:web", .change(.stop, .child(web), wait: true)),
        ("restart group:front --no-wait", .change(.restart, .group(GroupID(rawValue: 0)), wait: false)),
        ("reset --no-wait all", .change(.reset, .all, wait: false)),
        ("signal child:web HUP", .signal(web, .hangUp)), ("signal web SIGKILL", .signal(web, .kill)),
        ("signal web 64", .signal(web, Signal(rawValue: 64))),
        ("note web 1.2 is  tried", .note(web, "1.2 is tried")), ("note web a\u{1B}b", .note(web, "a\\u001Bb")),
    ])
    func words_areUnderstood(words: String, verb: Verb) throws {
        #expect(try Verb(words.utf8, names: names) == verb)
    }

    @Test(arguments: [
        ("", BusErrorCode.badRequest), ("   ", .badRequest), ("frobnicate", .badRequest),
        ("status web api", .badRequest), ("history web api", .badRequest), ("metrics web", .badRequest),
        ("why", .badRequest), ("settings", .badRequest), ("tree now", .badRequest), ("start", .badRequest),
        ("start web api", .badRequest),
        ("note web", .badRequest), ("note nobody x", .unknown), ("signal web", .badRequest),
        ("signal web NOISE", .badRequest), ("signal web 65", .badRequest),
        ("status nobody", .unknown), ("history front", .unknown), ("why all", .badRequest),
        ("start group:api", .unknown), ("stop child:front", .unknown),
    ])
    func otherWords_areRefused(words: String, code: BusErrorCode) {
        #expect { try Verb(words.utf8, names: names) } throws: { ($0 as? VerbError)?.code == code }
    }

    @Test func bytesThatAreNoText_orTooMany_areRefused() {
        #expect { try Verb([0xFF, 0xFE], names: names) } throws: { ($0 as? VerbError)?.code == .badRequest }
        let long = Array(repeating: UInt8(ascii: "a"), count: Verb.requestLimit + 1)
        #expect { try Verb(long, names: names) } throws: { ($0 as? VerbError)?.code == .tooLarge }
    }

    @Test func unknownName_isToldWhatThereIs() {
        #expect(throws: VerbError(.unknown, "there is no child 'nobody'; there are web, cache, api")) {
            try Verb("history nobody".utf8, names: names)
        }
    }

    @Test(arguments: [
        ("why cahce", "there is no child or group 'cahce'; did you mean 'cache'?"),
        ("why frnot", "there is no child or group 'frnot'; did you mean 'front'?"),
        ("history front", "'front' is a group; this takes a child: `nexusctl status front` shows them"),
        ("signal group:front HUP", "'front' is a group; this takes a child: `nexusctl status front` shows them"),
        ("why child:front", "'front' is a group, no child"), ("stop group:api", "'api' is a child, no group"),
        ("history group:api", "'api' is a child, no group"),
        ("stop group:wbe", "there is no group 'wbe'; did you mean 'web'?"),
        ("stauts", "'stauts' is no verb; did you mean 'status'?"),
    ])
    func mistypedName_isAnsweredWithTheNearest(words: String, message: String) {
        #expect { try Verb(words.utf8, names: names) } throws: { ($0 as? VerbError)?.message == message }
    }
}

@Suite struct WorkerGrantTests {
    private let groupOf: (ChildID) -> GroupID? = { $0.rawValue < 3 ? GroupID(rawValue: 0) : GroupID(rawValue: 1) }

    private func allows(_ may: [WorkerPlan.Grant], _ words: String) throws -> Bool {
        WorkerPlan(may: may).allows(try Verb(words.utf8, names: names), groupOf: groupOf)
    }

    @Test func status_coversEverythingThatOnlyReads_andNothingElse() throws {
        for words in [
            "status", "tree", "version", "why api", "why front", "history", "metrics", "events", "is-ready",
            "wait-ready",
        ] {
            #expect(try allows([.status], words))
            #expect(try !allows([], words))
        }
        for words in ["start web", "stop all", "restart child:web", "reset all"] {
            #expect(try !allows([.status], words))
        }
    }

    @Test func grantForAGroup_coversItsChildren_notOthers() throws {
        let front = WorkerPlan.Grant.restart(.group(GroupID(rawValue: 0)))
        #expect(try allows([front], "restart front"))
        #expect(try allows([front], "restart child:web"))
        #expect(try !allows([front], "restart api"))
        #expect(try !allows([front], "restart all"))
        #expect(try !allows([front], "stop front"))
    }

    @Test func grantForAChild_coversOnlyIt_andStartCoversReset() throws {
        let one = WorkerPlan.Grant.start(.child(web))
        #expect(try allows([one], "start child:web"))
        #expect(try allows([one], "reset child:web"))
        #expect(try !allows([one], "start front"))
        #expect(try allows([.stop(.all)], "stop all"))
        #expect(try allows([.stop(.all)], "stop child:web"))
    }

    @Test func stop_coversTheEndAtOnce_andNoOtherSignal() throws {
        let one = WorkerPlan.Grant.stop(.child(web))
        #expect(try allows([one], "signal web KILL"))
        #expect(try !allows([one], "signal api KILL"))
        #expect(try !allows([one], "signal web TERM"))
        #expect(try !allows([.start(.all), .restart(.all), .status], "signal web KILL"))
    }

    @Test func health_isForTheNamedChild() {
        let worker = WorkerPlan(may: [.health(web)])
        #expect(worker.mayJudge(web))
        #expect(!worker.mayJudge(ChildID(rawValue: 2)))
    }
}
