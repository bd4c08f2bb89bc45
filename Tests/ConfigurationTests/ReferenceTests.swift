import Foundation
import Testing

@testable import NexusConfiguration

/// What is written about the keys is what the parser does.
@Suite(.timeLimit(.minutes(1))) struct ReferenceTests {
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.repository.appendingPathComponent(path), encoding: .utf8)
    }

    @Test func documentation_holdsTheReferenceAsPrinted() throws {
        let text = try text("docs/configuration.md")
        let parts = text.components(separatedBy: "<!-- keys -->\n")
        try #require(parts.count == 3, "docs/configuration.md needs two lines <!-- keys -->")
        #expect(parts[1] == KeyReference.markdown, "put the output of `nexus-config keys` between the markers")
    }

    /// Every key stands in the repository's file, and in one of the good files that the parser accepts.
    @Test func everyKey_isShownAndTried() throws {
        let good = DiagnosticsTests.names("good").map { "Tests/ConfigurationTests/Files/good/\($0).toml" }
        for text in [try text("Supervisor.toml"), try good.map(text).joined()] {
            for section in KeyReference.sections {
                for key in section.keys {
                    let found = text.range(of: "(?m)(^|[ {#])\(key.name) = ", options: .regularExpression)
                    #expect(found != nil, "\(section.title) \(key.name)")
                }
            }
        }
    }

    @Test func repositoryFile_isAcceptedWithTheBuiltInAgent() throws {
        var host = FakeMachine()
        for name in ["agent-worker", "tunnel-worker", "chat-bridge", "echo-agent"] {
            host.files["/lib/nexus/" + name] = FileStatus(kind: .regular, mode: 0o755, owner: 0, group: 0)
        }
        let plan = try host.parse(text("Supervisor.toml")).plan
        #expect(plan.groups.map(\.name) == ["agent", "tunnel", "chat"])
        #expect(
            plan.children.map(\.name) == [
                "log-writer", "opencode", "agent-worker", "tunnel-worker", "cloudflared", "chat-bridge",
            ])
        #expect(plan.children[1].executable == "/lib/nexus/echo-agent")
        #expect(plan.notes.count == 1 && plan.notes[0].contains("install opencode"))

        host.files["/home/ann/.opencode/bin/opencode"] = FileStatus(
            kind: .regular, mode: 0o755, owner: 1000, group: 1000)
        host.files["/usr/bin/cloudflared"] = FileStatus(kind: .regular, mode: 0o755, owner: 0, group: 0)
        let real = try host.parse(text("Supervisor.toml")).plan
        #expect(real.children[1].executable == "/home/ann/.opencode/bin/opencode")
        #expect(real.notes.isEmpty)
    }

    /// The commented half is right too: what is shown there is accepted.
    @Test func repositoryFile_showsOnlyValidExamples() throws {
        let half = try text("Supervisor.toml").components(separatedBy: "\n# Every key.")[1]
        var lines = half.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().map { line in
            String(line.drop { $0 == "#" }.drop { $0 == " " })
        }
        // One `ready` at a time, the last one being the one that is left.
        let ready = lines.filter { $0.hasPrefix("ready = ") }
        lines.removeAll { $0.hasPrefix("ready = ") }
        let others = """
            [child.db]
            command = ["true"]
            ready = { log-line = "port {port:int}" }
            [child.cache]
            command = ["true"]
            """
        var host = FakeMachine.root
        for name in ["python3", "curl"] {
            host.files["/usr/bin/" + name] = FileStatus(kind: .regular, mode: 0o755, owner: 0, group: 0)
        }
        host = host.adding("/etc/default/server", "A=1\n")
        for choice in ready {
            // What is for workers, what excludes each other, and users that this machine has not.
            let text = lines.map { line in
                line.hasPrefix("worker = ")
                    ? "worker = true" : line.hasPrefix("[child.server]") ? line + "\n" + choice : line
            }.filter { !$0.hasPrefix("generate = ") && !$0.hasPrefix("credential = ") }
                .joined(separator: "\n").replacingOccurrences(of: "www-data", with: "web")
                .replacingOccurrences(of: "nexus-log", with: "web").replacingOccurrences(
                    of: "ready = \"spawned\"", with: "ready = \"bus\"")
            #expect(host.diagnostics(text + "\n" + others) == "", "\(choice)")
        }
    }
}
