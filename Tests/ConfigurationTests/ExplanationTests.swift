import Foundation
import Plan
import Testing

@testable import NexusConfiguration

@Suite(.timeLimit(.minutes(1))) struct ExplanationTests {
    private static let file = """
        [child.web]
        command = ["web", "-v"]
        delay = { first = "1s", cap = "90s" }

        [supervisor]
        read-groups = ["adm"]
        """

    private func explain(_ path: String, in file: String? = Self.file) throws -> Explanation {
        try Explanation(path, in: file.map { (Array($0.utf8), "Supervisor.toml") })
    }

    private func refusal(_ path: String) -> String {
        do {
            _ = try explain(path)
            return "nothing"
        } catch {
            return "\(error)"
        }
    }

    @Test func keyOfAChild_hasItsValueAndItsPlace() throws {
        let cap = try explain("child.web.delay.cap")
        #expect(cap.key?.type == "duration" && cap.key?.initial == "30s" && cap.section == "delay")
        #expect(cap.inForce?.text == "\"90s\"" && cap.inForce?.place == "Supervisor.toml:3")
        #expect(cap.reload == "in place")
        let command = try explain("child.web.command")
        #expect(command.inForce?.text == #"["web", "-v"]"# && command.inForce?.place == "Supervisor.toml:2")
        #expect(command.reload == "restart")
        #expect(try explain("supervisor.read-groups").inForce?.place == "Supervisor.toml:6")
    }

    @Test func absentKey_hasTheDefault() throws {
        let grace = try explain("child.web.kill-grace")
        #expect(grace.inForce?.text == "5s" && grace.inForce?.place == nil)
        #expect(try explain("child.web.liveness.misses").inForce?.text == "3")
        #expect(try explain("log.files").inForce?.place == nil)
    }

    @Test(arguments: ["delay.cap", "child.delay.cap", "park-after", "stop-timeout", "child.stop-timeout"])
    func keyAsSuch_needsNoFile(path: String) throws {
        let explanation = try explain(path, in: nil)
        #expect(explanation.key != nil && explanation.inForce == nil)
    }

    @Test func section_listsItsKeys_andSoDoesATable() throws {
        #expect(try explain("delay").keys.map(\.name).contains("park-after"))
        #expect(try explain("child.web.delay").keys.map(\.name).contains("park-after"))
        #expect(try explain("child").keys.map(\.name).contains("command"))
    }

    @Test func wrongPath_saysWhatMayHaveBeenMeant() {
        #expect(refusal("child.wen.delay.cap").contains("did you mean 'web'"))
        #expect(refusal("child.web.delay.cop").contains("did you mean 'cap'"))
        #expect(refusal("child.web.comand").contains("did you mean 'command'"))
        #expect(refusal("stop-timeot").contains("did you mean 'stop-timeout'"))
        #expect(refusal("child.web.command.x").contains("no keys of its own"))
        #expect(refusal("interval").contains("several tables"))
        #expect(refusal("web.delay") == "there is no key 'web.delay'; did you mean 'child.web.delay'?")
        #expect(refusal("web") == "there is no key 'web'; did you mean 'child.web'?")
        #expect(!refusal("web.dely").contains("child.web.dely"), "only what is there is proposed")
        #expect(refusal("").contains("no key"))
        #expect(refusal("child..cap").contains("no key"))
    }

    /// Each key of a child says what a reload makes of it, or is one that no run goes by.
    @Test func everyKeyOfAChild_hasItsEffect() {
        let without = ["fallback-hint"]
        for section in KeyReference.sections {
            for key in section.keys where !without.contains(key.name) {
                #expect(KeyEffect.words(key, in: section) != nil, "\(section.title) \(key.name)")
            }
        }
    }

    @Test func schema_isWhatTheTableOfKeysSays() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/supervisor.schema.json")
        #expect(
            try String(contentsOf: path, encoding: .utf8) == KeySchema.json,
            "put the output of `nexus-config schema` into docs/supervisor.schema.json")
    }
}
