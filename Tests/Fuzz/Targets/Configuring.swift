import Plan

@testable import NexusConfiguration

extension Target {
    /// Supervisor.toml: whatever it says, there is a plan that holds itself, or a diagnostic.
    static let toml = Target(name: "toml", feed: { _ = configured($0) }, seeds: { files })

    /// A plan as nexusd reads it from nexus-config, last-good or a file.
    static let plan = Target(
        name: "plan",
        feed: { bytes in
            guard let plan = try? Plan(encoded: bytes) else { return }
            // What is read is written the same way, so that a plan is what its bytes are.
            must(plan.encoded() == bytes, "read and written again, it is another one")
            try? plan.validate()
        }, seeds: { files.compactMap { configured($0)?.encoded() } })

    static func configured(_ text: [UInt8]) -> Plan? {
        let places = Places(
            config: "/etc/nexus/Supervisor.toml", state: "/var/lib/nexus", runtime: "/run/nexus", bin: "/lib/nexus")
        do {
            return try SupervisorFile.parse(text, places, host: FakeMachine.root).plan
        } catch {
            must(!error.description.isEmpty, "refused without a word")
            return nil
        }
    }

    private static let files =
        tomls.map { Array($0.utf8) } + Corpus.files(below: "ConfigurationTests/Files", suffix: ".toml")

    static let tomls = [
        "[child.a]\ncommand = [\"/bin/true\"]\n",
        """
        [supervisor]
        groups = ["g"]
        [group.g]
        children = ["a", "b"]
        strategy = "rest-for-one"
        [child.a]
        command = ["/bin/sh", "-c", "exit {port}"]
        restart = "on-failure"
        ready = { log = "listening on (?<port>)" }
        schedule = { at = ["Mon..Fri 03:00", "*-*-01 04:30"] }
        environment = { A = "1", B = "two" }
        [child.b]
        command = ["/bin/true"]
        requires = ["a"]
        liveness = { http = "http://127.0.0.1:80/x", status = ["200-299", 401], interval = "1s" }
        delay = { first = "1s", cap = "1min" }
        memory = { max = "32MiB", recycle = "16MiB" }
        limits = { nofile = "1024:4096" }
        log = { level = "info", rate = "100/1s", pattern = "{level} {text}" }

        """,
    ]
}
