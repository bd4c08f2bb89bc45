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
        #expect(cap.inFile?.text == "\"90s\"" && cap.inFile?.place == "Supervisor.toml:3")
        #expect(cap.reload == "in place")
        let command = try explain("child.web.command")
        #expect(command.inFile?.text == #"["web", "-v"]"# && command.inFile?.place == "Supervisor.toml:2")
        #expect(command.reload == "restart")
        #expect(try explain("supervisor.read-groups").inFile?.place == "Supervisor.toml:6")
    }

    @Test func absentKey_hasTheDefault() throws {
        let grace = try explain("child.web.kill-grace")
        #expect(grace.inFile?.text == "5s" && grace.inFile?.place == nil)
        #expect(try explain("child.web.liveness.misses").inFile?.text == "3")
        #expect(try explain("log.files").inFile?.place == nil)
    }

    @Test(arguments: ["delay.cap", "child.delay.cap", "park-after", "stop-timeout", "child.stop-timeout"])
    func keyAsSuch_needsNoFile(path: String) throws {
        let explanation = try explain(path, in: nil)
        #expect(explanation.key != nil && explanation.inFile == nil)
    }

    @Test func tableThatIsLeftOut_hasItsPartsInForce() throws {
        var running = Running()
        running.settings = ["exits.success": "[0, SIGTERM]", "exits.config": "[78]", "delay.first": "1s"]
        let exits = try explain("child.web.exits")
        #expect(exits.isTableLeftOut && running.parts(of: exits) == "success [0, SIGTERM], config [78]")
        #expect(try !explain("child.web.delay").isTableLeftOut && !explain("child.web.kill-grace").isTableLeftOut)
    }

    @Test func whatNexusdGoesBy_isInForce_whateverTheFileSaysByNow() throws {
        var running = Running()
        running.settings = [
            "delay.first": "100ms", "delay.cap": "30s", "exits.success": "[0, SIGTERM]", "stop-timeout": "10s",
            "environment": "", "memory.max": "64MiB", "memory.high": "none", "enabled": "true",
        ]
        func force(_ key: String) throws -> Running.Force { running.force(of: try explain("child.web." + key)) }
        #expect(try force("delay.cap") == .asInFile && force("stop-timeout") == .asInFile)
        running.changed = ["delay.cap", "exits.success", "environment", "memory.max"]
        #expect(try force("delay.cap") == .other("30s") && force("delay.first") == .asInFile)
        #expect(try force("delay") == .other("delay.first 100ms, delay.cap 30s"))
        #expect(try force("exits.success") == .other("[0, SIGTERM]") && force("exits.config") == .asInFile)
        #expect(try force("memory.max") == .other("64MiB") && force("memory.high") == .asInFile)
        #expect(try force("environment") == .other("another value (not shown: it may be a secret)"))
        #expect(try force("stop-timeout") == .asInFile && force("enabled") == .asInFile)
        running.choice = "off"
        #expect(try force("enabled") == .chosen("false"))
        running.refusal = "Supervisor.toml:1:1: error: no"
        #expect(try force("stop-timeout") == .other("10s"))
        #expect(running.force(of: try explain("supervisor.read-groups")) == .unknown)
    }

    @Test func keyOfAGroupsTable_isToldByItself() throws {
        let file = """
            [group.g]
            children = ["web"]
            intensity = { restarts = 2, window = "1min" }
            [child.web]
            command = ["/bin/true"]
            """
        var running = Running()
        func force(_ key: String) throws -> Running.Force { running.force(of: try explain("group.g." + key, in: file)) }
        #expect(try force("intensity.restarts") == .asInFile)
        running.changed = ["intensity.restarts"]
        running.settings = ["intensity.restarts": "5"]
        #expect(try force("intensity.restarts") == .other("5") && force("intensity.window") == .asInFile)
        #expect(try force("intensity") == .other("intensity.restarts 5") && force("strategy") == .asInFile)
        running.refusal = "Supervisor.toml:1:1: error: no"
        #expect(try force("strategy") == .unknown)
    }

    private static let whole = """
        [supervisor]
        read-groups = ["adm"]
        [chat]
        listen = "127.0.0.1:4780"
        [log]
        size = "20MB"
        total = "2GB"
        [secret.token]
        file = "/etc/token"
        [child.bridge]
        command = ["bridge", "{chat-url}"]
        secrets = ["token"]
        [child.bridge.environment]
        LISTEN = "{chat-listen}"
        KEEP = "{chat-keep}"
        [child.other]
        command = ["other"]
        environment = { TUNNEL = "{tunnel}" }
        """

    /// Only what carries the key counts, whatever else is different in the file.
    @Test func keyOutsideOfChildren_isComparedByWhatCarriesIt() throws {
        var running = Running()
        func force(_ key: String) throws -> Running.Force { running.force(of: try explain(key, in: Self.whole)) }
        let hidden = Running.Force.other("another value; `nexusctl diff` shows who has it")
        func move(_ name: String, _ from: String = "", _ to: String = "") {
            running.moved = [name: Running.Move(from: from, to: to)]
        }
        let keys = [
            "chat.listen", "chat.url", "chat.total", "tunnel.mode", "log.size", "log.total", "secret.token.file",
        ]
        move("child.other.stop-timeout", "10s", "11s")
        for key in keys + ["supervisor.read-groups"] { #expect(try force(key) == .asInFile, "\(key)") }
        move("child.bridge.environment.LISTEN")
        #expect(try force("chat.listen") == hidden)
        for key in keys.dropFirst() { #expect(try force(key) == .asInFile, "\(key)") }
        move("child.bridge.command", "bridge x", "bridge y")
        #expect(try force("chat.url") == hidden && force("chat.listen") == .asInFile)
        move("child.bridge.environment.KEEP")
        #expect(try force("chat.total") == .unknown && force("chat.max-age") == .unknown)
        #expect(try force("chat.listen") == .asInFile && force("tunnel.mode") == .asInFile)
        move("child.other.environment.TUNNEL")
        #expect(try force("tunnel.mode") == .unknown && force("chat.total") == .asInFile)
        move("child.bridge.secret.token")
        #expect(try force("secret.token.file") == hidden && force("chat.url") == .asInFile)
        move("supervisor.read-groups")
        #expect(try force("supervisor.read-groups") == hidden && force("supervisor.read-users") == .asInFile)
        move("child.bridge.log", "size 10MB, files 10", "size 20MB, files 10")
        #expect(try force("log.size") == .asInFile, "a child's own")
        move("child.log-writer.log", "size 10MB, files 10", "size 20MB, files 10")
        #expect(try force("log.size") == .other("10MB") && force("log.files") == .asInFile)
        move("child.log-writer.command", "log-writer --total 1000000000", "log-writer --total 2000000000 --compress /z")
        #expect(try force("log.total") == .other("1GB") && force("log.compress") == .other("false"))
        #expect(try force("log.journal") == .asInFile && force("log.max-age") == .asInFile)
        running.differs = true
        #expect(try force("chat.listen") == .unknown)
    }

    @Test func childThatTheFileHasNoMore_isExplainedStill_whileItRuns() throws {
        var running = Running()
        running.settings = ["stop-timeout": "10s"]
        running.isRemoved = true
        let gone = try Explanation(
            "child.gone.stop-timeout", in: (Array(Self.file.utf8), "Supervisor.toml"), evenIfMissing: true)
        #expect(running.force(of: gone) == .other("10s") && gone.inFile?.text == "not there")
    }

    @Test func pathsForCompletion_areOfTheChildThatIsNamed_orOfTheReference() {
        let ofChild = KeyPaths("child.web.de").lines
        #expect(ofChild.contains("child.web.delay\n") && ofChild.contains("child.web.delay.cap\n"))
        #expect(!ofChild.contains("child.web.stop-timeout"))
        #expect(KeyPaths("child.web.workspaces").lines.isEmpty, "a table of [agent]")
        #expect(
            KeyPaths("del").lines.hasPrefix("delay\n")
                && KeyPaths("group.back.").lines.contains("group.back.strategy\n"))
        #expect(KeyPaths("nothing").lines.isEmpty)
    }

    @Test func childThatIsCalledAsAKey_isExplained() throws {
        let file = "[child.limits]\ncommand = [\"x\"]\nnice = 5\n[child.delay]\ncommand = [\"x\"]\n"
        #expect(try explain("child.limits.nice", in: file).inFile?.text == "5")
        #expect(try explain("child.delay.delay.cap", in: file).inFile?.text == "30s")
        // A key of the table, which a child has not.
        #expect(try explain("child.delay.cap", in: file).inFile == nil)
        #expect(try explain("child.limits.restart", in: file).key?.name == "restart")
        #expect(refusal("child.limits.nice").contains("'limits' of [child.NAME] has no keys of its own"))
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
