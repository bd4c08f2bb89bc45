import Foundation
import Glibc
import Plan
import SupervisorCore
import Testing

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(1))) struct StatusSchemaTests {
        private static let schema = URL(fileURLWithPath: #filePath).appendingPathComponent(
            "../../../../docs/status.schema.json"
        )
        .standardizedFileURL.path

        /// Children in as many states as stand still.
        private var plan: Plan {
            let slow = DelayRule(first: .seconds(600), cap: .seconds(600), parkAfter: 100)
            let group = GroupID(rawValue: 0)
            var children = [
                logWriter, child("worker", "worker", readiness: .bus, worker: WorkerPlan()),
                child("off", "serve") { $0.policy.enabled = false },
                child("waiting", "serve") { $0.policy.requires = [ChildID(rawValue: 5)] },
                child("mute", "never-ready", readiness: .notify),
                child("once", "exit", "0") { $0.policy.restart = .onFailure },
                child("crashing", "crash") { $0.policy.delay = slow },
                child("ghost") { $0.executable = "/nonexistent" },
            ]
            children[1].policy.group = group
            children[2].policy.group = group
            let members = [ChildID(rawValue: 2), ChildID(rawValue: 3)]
            return Plan(
                groups: [GroupPlan(name: "pair", policy: GroupPolicy(children: members, strategy: .restForOne))],
                children: children, notes: ["a \"quoted\" note\nof two lines"])
        }

        @Test func status_isExactlyWhatTheSchemaSays() throws {
            let schema = try MiniSchema(Self.schema)
            let tree = try RunningTree(plan)
            let client = try tree.client()
            do { _ = try client.ask("wait-ready worker once") } catch {
                print(try tree.client().object("status"), try tree.said())
            }
            try waitFor("the last states") {
                try client.state("crashing") == "delayed" && client.state("once") == "done"
            }
            let status = try client.object("status")
            #expect(schema.problems(status) == [])
            let children = try #require(status["children"] as? [[String: Any]])
            let states = children.map { $0["state"] as? String }
            #expect(states == ["ready", "ready", "off", "waiting", "starting", "done", "delayed", "parked"])
            #expect(children[3]["waits_for"] as? String == "mute")
            #expect(status["ready"] as? Bool == false)
            #expect((status["notes"] as? [String])?.contains("a \"quoted\" note\nof two lines") == true)
            for name in ["worker", "off", "crashing"] {
                let own = try client.status(name)
                let same = try #require(children.first { $0["name"] as? String == name })
                #expect(Set(own.keys) == Set(same.keys))
            }
            #expect(try tree.stop() == .code(0))
        }

        @Test func everyDocumentedAnswer_hasItsMembers() throws {
            let tree = try RunningTree(plan)
            let client = try tree.client()
            _ = try client.ask("wait-ready worker once")
            #expect(Set(try client.object("version").keys) == ["version", "protocol", "pid", "upgrade"])
            #expect(Set(try client.object("tree").keys) == ["groups", "children"])
            let why = try client.object("why crashing")
            #expect(
                Set(why.keys) == [
                    "child", "cause_rule", "rule", "next", "gives_up", "built_in", "settings", "config",
                    "last_lines", "last_lines_run",
                ])
            let settings = try #require(why["settings"] as? [[String: String]])
            #expect(settings.allSatisfy { Set($0.keys) == ["key", "value"] } && !settings.isEmpty)
            #expect(Set(try client.object("is-ready").keys) == ["ready", "waiting"])
        }
    }
}
