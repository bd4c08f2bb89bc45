import Foundation
import Testing

@testable import NexusConfiguration

/// docs/supervisor.schema.json, by which editors judge a file while it is written: it refuses nothing that nexus-config takes,
/// and as much as it can of what nexus-config refuses.
@Suite(.timeLimit(.minutes(5))) struct SchemaTests {
    private let schema: NodeSchema

    init() throws { schema = try NodeSchema(KeySchema.json) }

    private func read(_ path: String) throws -> String {
        try String(
            contentsOf: #require(DiagnosticsTests.files).appendingPathComponent(path), encoding: .utf8)
    }

    @Test func schema_isTheOneInTheDocumentation() throws {
        let file = URL(fileURLWithPath: #filePath).appendingPathComponent(
            "../../../../docs/supervisor.schema.json")
        let words = "docs/supervisor.schema.json is the output of `nexus-config schema`"
        #expect(
            try String(contentsOf: file.standardizedFileURL, encoding: .utf8) == KeySchema.json,
            "\(words)")
    }

    @Test(arguments: DiagnosticsTests.names("good")) func goodFile_fits(name: String) throws {
        #expect(schema.problems(try read("good/\(name).toml")) == [])
    }

    @Test func repositoryFile_fits() throws {
        let file = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../Supervisor.toml")
        #expect(
            schema.problems(try String(contentsOf: file.standardizedFileURL, encoding: .utf8)) == [])
    }

    /// A list without its comments, each of which says why the lines below it are there. scripts/checks/schema reads them too.
    private static func list(_ name: String) -> [String] {
        let file = DiagnosticsTests.files?.appendingPathComponent("schema/\(name)")
        let text = file.flatMap { try? String(contentsOf: $0, encoding: .utf8) } ?? ""
        return text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }

    /// Bad files with which nothing is wrong that a schema could say.
    private static let beyond = list("beyond.txt")

    @Test(arguments: DiagnosticsTests.names("bad")) func badFile_isRefusedByTheSchemaToo(name: String) throws {
        let isBeyond = Self.beyond.contains(name)
        #expect(schema.problems(try read("bad/\(name).toml")).isEmpty == isBeyond, "bad/\(name).toml")
    }

    // MARK: - Each key with all kinds of values

    /// As they stand in a file. Texts come in arrays too, alone and twice.
    private static let texts = [
        "", " ", "x", "a", "b", "web", "X", "a b", "a/b", "../x", "./x", "/bin/true", "/etc/hosts", "~",
        "~/x", ".hidden",
        "log-writer", "all", "0s", "5s", "1min 30s", "1min30s", "-5s", "5", "1e3s", "soon", "never",
        "none", "64KiB", "64 KiB",
        "-1MB", "10XB", "2GiB", "10/1s", "0/1s", "10/0s", "10/", "SIGTERM", "TERM", "SIGFOO",
        "SIGRTMIN+3", "SIGRTMIN+99",
        "sigterm", "0644", "0999", "01777", "22", "NET_RAW", "cap_net_raw", "NET_RAWW",
        "Mon..Fri 03:00", "Moo 03:00",
        "25:00", "*-*-01 04:30", "*-13-01", "daily", "dayly", "127.0.0.1:8080", "10.0.0.1:80",
        "[::1]:80", "localhost:80",
        "127.0.0.1", "off", "http://127.0.0.1:80/x", "https://x.example", "http://x.example/",
        "ftp://x.example",
        "mailto:a@example.invalid", "self-made", "status", "start:b", "kill:b", "health:b",
        "restart:all", "200-299",
        "299-200", "700-800", "6ff42ae2-765d-4adf-8112-31c55c1551ef", "6ff42ae2", "{state}",
        "{nothing}", "{open", "}",
        "{{x}}", "{b.port}", "port {port:int}", "{port}", "port {port:hex}", "spawned", "notify",
        "done", "quick", "named",
        "token", "turn", "title", "root", "33", "1024", "10:20", "20:10", "unlimited", "1:2:3",
        "one-for-all", "reject",
        "stream", "private", "always",
    ]
    /// All of them where a text may stand, each second one twice where a list of texts may; a few where none may.
    private static func texts(for type: String) -> [String] {
        let texts = Self.texts.map { "\"\($0)\"" }
        if ["boolean", "integer", "table"].contains(where: type.hasPrefix) { return Array(texts.prefix(8)) }
        guard type.hasPrefix("array") else { return texts }
        return texts.enumerated().map { $0.offset % 2 == 0 ? "[\($0.element)]" : "[\($0.element), \($0.element)]" }
    }

    private static let others = [
        "true", "false", "0", "1", "-1", "3", "16", "100", "404", "1000", "5000", "70000", "3000000000",
        "1.5",
        "2026-01-01", "[]", "[1]", "[\"SIGTERM\", 3]", "[true]", "[[]]", "{}", "{ x = 1 }",
        "{ A = \"x\" }", "{ A = 1 }",
        "{ PATH = \"{state}\" }", "{ NEXUS_CHILD = \"x\" }", "{ 1A = \"x\" }",
        "{ A = { secret = \"s\" } }",
        "{ nofile = 10 }", "{ nofile = \"10:x\" }", "{ core = \"1MB\", cpu = \"5s\" }", "{ cpu = 5 }",
        "{ cpu = \"5ms\" }", "{ cpu = \"2000ms\" }", "{ cpu = \"500ms 500ms\" }", "{ cpu = \"1s:1500000us\" }",
        "{ cpu = \"0ns:1000000000ns\" }", "{ rttime = \"5ms\" }", "{ rttime = \"10500ns\" }", "{ rttime = \"4000ns\" }",
        "{ as = -1 }", "{ nofile = 2 }", "{ nofile = \"3:10\" }", "{ nofile = 4 }", "{ stack = 4096 }",
        "{ as = \"64KiB\" }",
        "{ nofiles = 1 }", "{ fd = 3 }", "{ tcp = \"127.0.0.1:80\", fd = 3 }", "{ every = \"1h\" }",
        "{ at = [\"daily\"], every = \"1h\" }", "{ max = \"2MiB\" }", "{ recycle-within = \"1s\" }",
        "{ restarts = 1, window = \"1h\" }", "{ restarts = 1 }", "{ cap = \"1h\" }",
        "{ exec = [\"/bin/true\"] }",
        "{ success = [0, 300] }", "[{ name = \"x\", path = \"~\" }]", "[{ name = \"x\" }]",
        "[{ name = \"x\", listen = \"127.0.0.1:8080\" }]",
    ]

    /// Where a key of each table stands in a file that is right without it.
    private static func files(_ section: SectionInfo, _ key: String, _ value: String) -> String {
        let line = "\(key) = \(value)\n"
        func lines(_ others: String...) -> String {
            others.filter { !$0.hasPrefix(key + " =") }.map { $0 + "\n" }.joined() + line
        }
        let command = "[child.a]\ncommand = [\"/bin/true\"]\n"
        let rest = "[child.b]\ncommand = [\"/bin/true\"]\n[secret.s]\nfile = \"/etc/nexus/token\"\n"
        return switch section.title {
        case "[child.NAME]": "[child.a]\n" + lines("command = [\"/bin/true\"]") + rest
        case "[group.NAME]": "[group.g]\n" + lines("children = [\"a\"]") + command + rest
        case "[secret.NAME]": "[secret.t]\n" + line + command + rest
        case "[tunnel]":
            "[tunnel]\n"
                + lines(
                    "id = \"6ff42ae2-765d-4adf-8112-31c55c1551ef\"", "token-file = \"/t\"",
                    "credentials-file = \"/c\"")
                + command + rest
        case "sockets":
            command + "[[child.a.sockets]]\n"
                + lines("name = \"x\"", key.hasPrefix("listen") ? "" : "listen = \"/run/web/x\"") + rest
        case "workspaces":
            "[[agent.workspaces]]\n" + lines("name = \"x\"", "path = \"~\"") + command + rest
        case "intensity":
            command + "[child.a.intensity]\n" + lines("restarts = 1", "window = \"1h\"") + rest
        case "memory": command + "[child.a.memory]\n" + lines("recycle = \"1MiB\"") + rest
        case "ready", "liveness":
            command + "[child.a.\(section.title)]\n"
                + (["fd", "tcp", "log-line", "exec", "http"].contains(key)
                    ? line : lines("http = \"http://127.0.0.1:80/\"")) + rest
        case let title where title.hasPrefix("["): title + "\n" + line + command + rest
        case let title: command + "[child.a.\(title)]\n" + line + rest
        }
    }

    /// Of what nexus-config says: what no schema could.
    private static let beyondWords = list("beyond-words.txt")

    @Test(arguments: KeyReference.sections.map(\.title)) func values_areJudgedAlike(title: String) throws {
        let section = try #require(KeyReference.sections.first { $0.title == title })
        for key in section.keys {
            for value in Self.others + Self.texts(for: key.type) {
                let file = Self.files(section, key.name, value)
                let said = FakeMachine.root.diagnostics(file)
                let problems = schema.problems(file)
                if said.isEmpty {
                    #expect(problems == [], "\(title) \(key.name) = \(value): nexus-config takes it")
                } else if problems.isEmpty {
                    let isBeyond = Self.beyondWords.contains { said.contains($0) }
                    #expect(isBeyond, "\(title) \(key.name) = \(value): the schema takes it: \(said)")
                }
            }
        }
    }
}
